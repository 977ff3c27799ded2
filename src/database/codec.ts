import { EngineError } from '../platform/errors.ts';
import type { Entry, Operation } from './database.ts';

const OPERATIONS: readonly Operation[] = ['noop', 'put', 'delete'];
const HEADER_BYTES = 9;

/** epoch u48 · operation u8 · key length u16 · key · value, big-endian; the index is the key it is stored under. */
export function encodeEntry(entry: Entry): Buffer {
  const keyBytes = Buffer.byteLength(entry.key);
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + keyBytes + Buffer.byteLength(entry.value));
  buffer.writeUIntBE(entry.epoch, 0, 6);
  buffer.writeUInt8(OPERATIONS.indexOf(entry.op), 6);
  buffer.writeUInt16BE(keyBytes, 7);
  buffer.write(entry.key, HEADER_BYTES, 'utf8');
  buffer.write(entry.value, HEADER_BYTES + keyBytes, 'utf8');
  return buffer;
}

export function decodeEntry(index: number, buffer: Buffer): Entry {
  const op = buffer.length >= HEADER_BYTES ? OPERATIONS[buffer.readUInt8(6)] : undefined;
  if (op === undefined) throw new EngineError('database-broken', `log entry ${index} cannot be read`);
  const keyEnd = HEADER_BYTES + buffer.readUInt16BE(7);
  return {
    epoch: buffer.readUIntBE(0, 6),
    index,
    op,
    key: buffer.toString('utf8', HEADER_BYTES, keyEnd),
    value: buffer.toString('utf8', keyEnd),
  };
}

export function encodeIndex(index: number): Buffer {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigUInt64BE(BigInt(index));
  return buffer;
}

export function decodeIndex(key: Buffer): number {
  return Number(key.readBigUInt64BE());
}
