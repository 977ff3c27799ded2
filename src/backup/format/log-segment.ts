import { EngineError } from '../../platform/errors.ts';
import { keyedHash } from './blake3.ts';
import { BoundedReader, framedBytes, varintBytes, writeFramed, writeVarint } from './varint.ts';

export interface LogEntry {
  readonly epoch: number;
  readonly op: 'put' | 'delete' | 'noop';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Changes of versions `begin` to `begin + entries.length - 1`, one each. */
export interface LogSegment {
  /** Chain hash of the segment before; 32 zero bytes in the first of a stream. */
  readonly previous: Uint8Array;
  /** Version of the first entry. */
  readonly begin: number;
  /** Epoch of the entry before the first one; 0 where there is none. */
  readonly epochBefore: number;
  /** When the last entry was known to be committed, in milliseconds of wall time: entries are not later than this. */
  readonly wallMs: number;
  readonly entries: readonly LogEntry[];
}

export const CHAIN_HASH_BYTES = 32;
export const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;
/** Of every version of the format. */
export const SEGMENT_MAGIC = Buffer.from('CDRL');
const VERSION = 1;
const OPERATIONS = ['noop', 'put', 'delete'] as const;
const FIXED_BYTES = 5 + CHAIN_HASH_BYTES + 3 * 8;
const LEAST_ENTRY_BYTES = 4;
/** No segment has more. */
export const MAX_SEGMENT_ENTRIES = Math.floor((MAX_SEGMENT_BYTES - FIXED_BYTES) / LEAST_ENTRY_BYTES);
const CHAIN = Buffer.of(3);

export function encodeLogSegment({ previous, begin, epochBefore, wallMs, entries }: LogSegment): Buffer {
  const size = entries.reduce(
    (sum, { epoch, key, value }) => sum + varintBytes(epoch) + 1 + framedBytes(key) + framedBytes(value),
    FIXED_BYTES + varintBytes(entries.length),
  );
  const bytes = Buffer.alloc(size);
  SEGMENT_MAGIC.copy(bytes);
  bytes[4] = VERSION;
  bytes.set(previous, 5);
  let at = 5 + CHAIN_HASH_BYTES;
  for (const number of [begin, epochBefore, wallMs]) at = bytes.writeBigUInt64BE(BigInt(number), at);
  at = writeVarint(bytes, at, entries.length);
  for (const { epoch, op, key, value } of entries) {
    at = writeVarint(bytes, at, epoch);
    bytes[at++] = OPERATIONS.indexOf(op);
    at = writeFramed(bytes, writeFramed(bytes, at, key), value);
  }
  return bytes;
}

/** @throws EngineError backup-damaged, or backup-unsupported for a newer version */
export function decodeLogSegment(bytes: Uint8Array): LogSegment {
  const reader = new BoundedReader(bytes, 'log segment');
  if (!SEGMENT_MAGIC.equals(reader.bytes(4))) throw reader.refuse('this is no log segment');
  const version = reader.byte();
  if (version > VERSION)
    throw new EngineError('backup-unsupported', `log segment of version ${version}, this program reads ${VERSION}: use a newer one`);
  if (version !== VERSION) throw reader.refuse(`version ${version}`);
  const previous = reader.bytes(CHAIN_HASH_BYTES);
  const [begin, epochBefore, wallMs] = [reader.uint64(), reader.uint64(), reader.uint64()];
  const count = reader.varint();
  const entries: LogEntry[] = [];
  for (let n = 0, epoch = epochBefore; n < count; n++) {
    const own = reader.varint();
    if (own < epoch) throw reader.refuse(`the epoch of entry ${n} falls`);
    epoch = own;
    const op = OPERATIONS[reader.byte()];
    if (op === undefined) throw reader.refuse(`entry ${n} is of no known kind`);
    entries.push({ epoch, op, key: reader.framed(), value: reader.framed() });
  }
  if (reader.remaining > 0) throw reader.refuse(`${reader.remaining} bytes follow its entries`);
  if (count === 0) throw reader.refuse('it has no entries');
  return { previous, begin, epochBefore, wallMs, entries };
}

/** Names a segment's content, for the one that follows it. */
export function chainHash(idKey: Uint8Array, plain: Uint8Array): Buffer {
  return keyedHash(idKey, CHAIN, plain);
}
