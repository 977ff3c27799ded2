import { EngineError } from '../../platform/errors.ts';
import { hash, HASH_BYTES, viewOf } from './blake3.ts';
import { rangeHolds, rangeIsOrdered, type KeyRange } from './key-range.ts';
import { BoundedReader, varintBytes, writeVarint } from './varint.ts';

/**
 * A range file: all keys of one key range, in order, each with its value. Everything has its length in front, the range is named in the file, and the
 * footer counts and hashes what it follows. The read version is not in it but in the manifest: equal content must have equal bytes to be stored once.
 */
export interface RangeFile {
  readonly range: KeyRange;
  readonly count: number;
  /** In key order; views into the decoded bytes. Checked before: iterating cannot fail. */
  readonly records: Iterable<KeyValue>;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const MAGIC = Buffer.from('CDRR');
const VERSION = 1;
const FLAG_TO_THE_END = 1;
const COUNT_BYTES = 4;
const LENGTH_BYTES = 8;
const FOOTER_BYTES = COUNT_BYTES + LENGTH_BYTES + HASH_BYTES;

/** @throws EngineError internal when records are not in strict key order or not in the range: a snapshot that gives such is broken */
export function encodeRangeFile(range: KeyRange, records: readonly KeyValue[]): Buffer {
  requireOrder(range, records);
  const file = Buffer.allocUnsafe(encodedBytes(range, records));
  MAGIC.copy(file);
  file[4] = VERSION;
  file[5] = range.end === null ? FLAG_TO_THE_END : 0;
  let at = writeFramed(file, 6, range.begin);
  if (range.end !== null) at = writeFramed(file, at, range.end);
  at = writeVarint(file, at, records.length);
  for (const { key, value } of records) at = writeFramed(file, writeFramed(file, at, key), value);
  file.writeUInt32BE(records.length, at);
  file.writeBigUInt64BE(BigInt(at), at + COUNT_BYTES);
  const hashAt = at + COUNT_BYTES + LENGTH_BYTES;
  hash(file.subarray(0, hashAt)).copy(file, hashAt);
  return file;
}

/**
 * Checks all of a range file, then gives access to it. Memory is bounded by the input: nothing is allocated by a number in it.
 * @throws EngineError backup-damaged, or backup-unsupported for a newer version
 */
export function decodeRangeFile(bytes: Uint8Array): RangeFile {
  const reader = new BoundedReader(bytes, 'range file');
  if (!MAGIC.equals(reader.bytes(4))) throw reader.refuse('this is no range file');
  const version = reader.byte();
  if (version > VERSION)
    throw new EngineError('backup-unsupported', `range file of version ${version}, this program reads ${VERSION}: use a newer one`);
  if (version !== VERSION) throw reader.refuse(`version ${version}`);
  const bodyBytes = checkFooter(bytes, reader);
  const flags = reader.byte();
  if (flags > FLAG_TO_THE_END) throw reader.refuse(`unknown flags ${flags}`);
  const range: KeyRange = { begin: reader.framed(), end: flags === FLAG_TO_THE_END ? null : reader.framed() };
  if (!rangeIsOrdered(range)) throw reader.refuse('the range is empty');
  const count = reader.varint();
  const begin = reader.offset;
  walk(bytes, reader, range, count);
  if (reader.offset !== bodyBytes) throw reader.refuse(`records end at ${reader.offset}, the footer is at ${bodyBytes}`);
  if (footerCount(bytes) !== count) throw reader.refuse(`header counts ${count} records, footer ${footerCount(bytes)}`);
  return { range, count, records: { [Symbol.iterator]: () => iterate(bytes.subarray(begin, bodyBytes), count) } };
}

/** Footer against the bytes before it; returns how many these are. The hash finds damage; against forgery stands the container. */
function checkFooter(bytes: Uint8Array, reader: BoundedReader): number {
  const bodyBytes = bytes.length - FOOTER_BYTES;
  if (bodyBytes < reader.offset) throw reader.refuse('cut within its footer');
  const hashAt = bytes.length - HASH_BYTES;
  if (!hash(bytes.subarray(0, hashAt)).equals(bytes.subarray(hashAt))) throw reader.refuse('the hash in the footer differs');
  const stated = viewOf(bytes).readBigUInt64BE(bodyBytes + COUNT_BYTES);
  if (stated !== BigInt(bodyBytes)) throw reader.refuse(`the footer states ${stated} bytes, there are ${bodyBytes}`);
  return bodyBytes;
}

/** In order, the first not before the range and the last not after it: then all are in it. Without a view for each record: there are millions. */
function walk(bytes: Uint8Array, reader: BoundedReader, range: KeyRange, count: number): void {
  let [previousAt, previousEnd] = [0, 0];
  for (let n = 0; n < count; n++) {
    const keyBytes = reader.varint();
    const at = reader.offset;
    reader.skip(keyBytes);
    if (n === 0 ? !rangeHolds(range, bytes.subarray(at, at + keyBytes)) : !isBefore(bytes, previousAt, previousEnd, at, at + keyBytes))
      throw reader.refuse(n === 0 ? 'the key of record 0 is outside the range' : `record ${n} is not in key order`);
    [previousAt, previousEnd] = [at, at + keyBytes];
    reader.skip(reader.varint());
  }
  if (count > 0 && !rangeHolds(range, bytes.subarray(previousAt, previousEnd)))
    throw reader.refuse(`the key of record ${count - 1} is outside the range`);
}

function isBefore(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  const shared = Math.min(aEnd - a, bEnd - b);
  for (let i = 0; i < shared; i++) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference < 0;
  }
  return aEnd - a < bEnd - b;
}

/** Where a part of a record lies in the range file. */
export interface Extent {
  begin: number;
  end: number;
}

/**
 * Visits the records of a range file that decodeRangeFile has taken: only what can be read from them is checked again. The extents are used again for the next one.
 */
export function visitRecords(bytes: Buffer, visit: (key: Readonly<Extent>, value: Readonly<Extent>) => void): void {
  const reader = new BoundedReader(bytes, 'range file');
  reader.skip(MAGIC.length + 1);
  const flags = reader.byte();
  reader.skip(reader.varint());
  if (flags !== FLAG_TO_THE_END) reader.skip(reader.varint());
  const count = reader.varint();
  const [key, value]: [Extent, Extent] = [
    { begin: 0, end: 0 },
    { begin: 0, end: 0 },
  ];
  const pass = (extent: Extent): void => {
    const length = reader.varint();
    extent.begin = reader.offset;
    reader.skip(length);
    extent.end = reader.offset;
  };
  for (let n = 0; n < count; n++) {
    pass(key);
    pass(value);
    visit(key, value);
  }
}

/** As visitRecords, all of them; views into `bytes`. */
export function recordsOf(bytes: Buffer): readonly KeyValue[] {
  const records: KeyValue[] = [];
  visitRecords(bytes, (key, value) =>
    records.push({ key: bytes.subarray(key.begin, key.end), value: bytes.subarray(value.begin, value.end) }),
  );
  return records;
}

function* iterate(body: Uint8Array, count: number): Generator<KeyValue, void, undefined> {
  const reader = new BoundedReader(body, 'range file');
  for (let n = 0; n < count; n++) yield { key: reader.framed(), value: reader.framed() };
}

function requireOrder(range: KeyRange, records: readonly KeyValue[]): void {
  if (!rangeIsOrdered(range)) throw new EngineError('internal', 'a range file of an empty range');
  for (const [n, { key }] of records.entries()) {
    if (!rangeHolds(range, key)) throw new EngineError('internal', `record ${n} is outside the range of its file`);
    if (n > 0 && Buffer.compare(records[n - 1]!.key, key) >= 0) throw new EngineError('internal', `record ${n} is not in key order`);
  }
}

function encodedBytes(range: KeyRange, records: readonly KeyValue[]): number {
  let total = 6 + framedBytes(range.begin) + (range.end === null ? 0 : framedBytes(range.end)) + varintBytes(records.length) + FOOTER_BYTES;
  for (const { key, value } of records) total += framedBytes(key) + framedBytes(value);
  return total;
}

function framedBytes(bytes: Uint8Array): number {
  return varintBytes(bytes.length) + bytes.length;
}

function writeFramed(target: Buffer, offset: number, bytes: Uint8Array): number {
  const at = writeVarint(target, offset, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

function footerCount(bytes: Uint8Array): number {
  return viewOf(bytes).readUInt32BE(bytes.length - FOOTER_BYTES);
}
