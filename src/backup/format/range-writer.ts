import { EngineError } from '../../platform/errors.ts';
import { hash, HASH_BYTES } from './blake3.ts';
import { varintBytes, writeVarint } from './varint.ts';

/** Room in front of the records for a header with the longest keys; it is written when the count is known. */
const HEADER_ROOM_BYTES = 4096 + 64;
const FOOTER_BYTES = 4 + 8 + HASH_BYTES;
const MAGIC = Buffer.from('CDRR');
const VERSION = 1;
const FLAG_TO_THE_END = 1;

/** Writes range files one after the other into the same memory, record by record: the same bytes as encodeRangeFile (records.ts) gives. */
export class RangeWriter {
  readonly #buffer: Buffer;
  #begin: Buffer = Buffer.alloc(0);
  #end = HEADER_ROOM_BYTES;
  #count = 0;

  /** @param capacityBytes for the records of one file */
  constructor(capacityBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(HEADER_ROOM_BYTES + capacityBytes + FOOTER_BYTES);
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the records so far. */
  get bytes(): number {
    return this.#end - HEADER_ROOM_BYTES;
  }

  get beginKey(): Buffer {
    return this.#begin;
  }

  /** Begins a file; the key is copied. */
  start(begin: Uint8Array): void {
    this.#begin = Buffer.from(begin);
    this.#end = HEADER_ROOM_BYTES;
    this.#count = 0;
  }

  /** Whether a record of so many bytes of key and value still fits. */
  isRoomFor(recordBytes: number): boolean {
    return this.#end + recordBytes + 10 + FOOTER_BYTES <= this.#buffer.length;
  }

  /** Adds a record; keys must come in strict order. */
  add(key: Buffer, keyBytes: number, value: Buffer, valueBytes: number): void {
    let at = writeVarint(this.#buffer, this.#end, keyBytes);
    key.copy(this.#buffer, at, 0, keyBytes);
    at = writeVarint(this.#buffer, at + keyBytes, valueBytes);
    if (at + valueBytes + FOOTER_BYTES > this.#buffer.length) throw new EngineError('internal', 'a range file outgrew its memory');
    value.copy(this.#buffer, at, 0, valueBytes);
    this.#end = at + valueBytes;
    this.#count++;
  }

  /** Ends the file. The view is overwritten by the next one. */
  finish(end: Uint8Array | null): Buffer {
    const buffer = this.#buffer;
    const framed = (bytes: Uint8Array): number => varintBytes(bytes.length) + bytes.length;
    const headerBytes = 6 + framed(this.#begin) + (end === null ? 0 : framed(end)) + varintBytes(this.#count);
    if (headerBytes > HEADER_ROOM_BYTES) throw new EngineError('internal', 'keys of a range are too long');
    const first = HEADER_ROOM_BYTES - headerBytes;
    MAGIC.copy(buffer, first);
    buffer[first + 4] = VERSION;
    buffer[first + 5] = end === null ? FLAG_TO_THE_END : 0;
    let at = first + 6;
    for (const key of end === null ? [this.#begin] : [this.#begin, end]) {
      at = writeVarint(buffer, at, key.length);
      buffer.set(key, at);
      at += key.length;
    }
    writeVarint(buffer, at, this.#count);
    const bodyBytes = this.#end - first;
    buffer.writeUInt32BE(this.#count, this.#end);
    buffer.writeBigUInt64BE(BigInt(bodyBytes), this.#end + 4);
    const hashAt = this.#end + 12;
    hash(buffer.subarray(first, hashAt)).copy(buffer, hashAt);
    return buffer.subarray(first, hashAt + HASH_BYTES);
  }
}
