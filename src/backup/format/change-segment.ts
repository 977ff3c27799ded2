import { CHAIN_HASH_BYTES, MAX_SEGMENT_BYTES, SEGMENT_MAGIC } from './log-segment.ts';
import { BoundedReader, varintBytes, writeFramed, writeVarint } from './varint.ts';

/** A change of a database whose versions are not counted one by one. */
export interface Change {
  readonly version: number;
  /** Of who served then. */
  readonly epoch: number;
  /** `clear`: all keys from `key` on, up to but not `value`; an empty `value`: to the end of the key space. `noop`: only the epoch is another one from here on. */
  readonly op: 'noop' | 'put' | 'delete' | 'clear';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** All changes of versions `begin` to `end`, both included, in their order; of most versions there are none. */
export interface ChangeSegment {
  /** Chain hash of the segment before; 32 zero bytes in the first of a stream. */
  readonly previous: Uint8Array;
  readonly begin: number;
  readonly end: number;
  /** Epoch before `begin`. */
  readonly epochBefore: number;
  /** When `end` was known to be over, in milliseconds of wall time: no change is later than this. */
  readonly wallMs: number;
  readonly changes: readonly Change[];
}

/** Versions of one segment: FoundationDB counts a million a second. */
export const MAX_SEGMENT_VERSIONS = 4_000_000_000;
const CHANGE_SEGMENT_VERSION = 2;
const OPERATIONS = ['noop', 'put', 'delete', 'clear'] as const;
const FIXED_BYTES = 5 + CHAIN_HASH_BYTES + 4 * 8;
const VERSION_AT = 4;

/** By its first bytes; whether it is whole is for who decodes it. */
export function isChangeSegment(bytes: Uint8Array): boolean {
  return bytes[VERSION_AT] === CHANGE_SEGMENT_VERSION;
}

/** Bytes that a change takes in a segment, at most. */
export function changeBytes({ key, value }: Change): number {
  return key.length + value.length + 21;
}

export function encodeChangeSegment({ previous, begin, end, epochBefore, wallMs, changes }: ChangeSegment): Buffer {
  const bytes = Buffer.alloc(changes.reduce((sum, change) => sum + changeBytes(change), FIXED_BYTES + varintBytes(changes.length)));
  SEGMENT_MAGIC.copy(bytes);
  bytes[VERSION_AT] = CHANGE_SEGMENT_VERSION;
  bytes.set(previous, 5);
  let at = 5 + CHAIN_HASH_BYTES;
  for (const number of [begin, end, epochBefore, wallMs]) at = bytes.writeBigUInt64BE(BigInt(number), at);
  at = writeVarint(bytes, at, changes.length);
  let before = begin;
  for (const { version, epoch, op, key, value } of changes) {
    at = writeVarint(bytes, at, version - before);
    at = writeVarint(bytes, at, epoch);
    bytes[at++] = OPERATIONS.indexOf(op);
    at = writeFramed(bytes, writeFramed(bytes, at, key), value);
    before = version;
  }
  return bytes.subarray(0, at);
}

/** @throws EngineError backup-damaged */
export function decodeChangeSegment(bytes: Uint8Array): ChangeSegment {
  const reader = new BoundedReader(bytes, 'log segment');
  if (bytes.length > MAX_SEGMENT_BYTES || !SEGMENT_MAGIC.equals(reader.bytes(4)) || reader.byte() !== CHANGE_SEGMENT_VERSION)
    throw reader.refuse('this is no log segment of version 2');
  const previous = reader.bytes(CHAIN_HASH_BYTES);
  const [begin, end, epochBefore, wallMs] = [reader.uint64(), reader.uint64(), reader.uint64(), reader.uint64()];
  if (end < begin || end - begin >= MAX_SEGMENT_VERSIONS) throw reader.refuse(`it is said to go from version ${begin} to ${end}`);
  const changes: Change[] = [];
  const count = reader.varint();
  for (let n = 0, version = begin, epoch = epochBefore; n < count; n++) {
    version += reader.varint();
    if (version > end) throw reader.refuse(`change ${n} is of version ${version}, after its end ${end}`);
    const own = reader.varint();
    if (own < epoch) throw reader.refuse(`the epoch of change ${n} falls`);
    epoch = own;
    const op = OPERATIONS[reader.byte()];
    if (op === undefined) throw reader.refuse(`change ${n} is of no known kind`);
    changes.push({ version, epoch, op, key: reader.framed(), value: reader.framed() });
  }
  if (reader.remaining > 0) throw reader.refuse(`${reader.remaining} bytes follow its changes`);
  return { previous, begin, end, epochBefore, wallMs, changes };
}
