import { EngineError } from '../../platform/errors.ts';
import { viewOf } from './blake3.ts';

/** The largest number that a varint of this format carries: lengths and counts are 32 bits. */
export const MAX_VARINT = 0xffffffff;

/** Bytes that writeVarint needs for value. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** Writes value (0..2^32-1) as unsigned LEB128 at offset and returns the offset after it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > MAX_VARINT) throw new EngineError('internal', `${value} is no 32-bit number`);
  let at = offset;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80;
  target[at++] = rest;
  return at;
}

/** Bytes of writeFramed. */
export function framedBytes(bytes: Uint8Array): number {
  return varintBytes(bytes.length) + bytes.length;
}

/** Writes bytes after their length at offset and returns the offset after them. */
export function writeFramed(target: Uint8Array, offset: number, bytes: Uint8Array): number {
  const at = writeVarint(target, offset, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

/** Reads hostile bytes: never past the end, never allocating by a length that it read. Every refusal names what was read and where. */
export class BoundedReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** A view of the next length bytes. @throws EngineError backup-damaged when there are fewer */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw this.refuse(`${length} bytes announced, ${this.remaining} left`);
    const begin = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(begin, this.#offset);
  }

  byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw this.refuse('1 bytes announced, 0 left');
    this.#offset++;
    return byte;
  }

  /** Passes over the next length bytes. @throws EngineError backup-damaged when there are fewer */
  skip(length: number): void {
    if (length > this.remaining) throw this.refuse(`${length} bytes announced, ${this.remaining} left`);
    this.#offset += length;
  }

  /** @throws EngineError backup-damaged when cut, longer than needed, or above 2^32-1 */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 1; ; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && count > 1) throw this.refuse('a number is written longer than needed');
        if (value > MAX_VARINT) throw this.refuse('a number is above 32 bits');
        return value;
      }
      if (count === 5) throw this.refuse('a number is longer than 5 bytes');
      scale *= 0x80;
    }
  }

  /** 64 bits, big-endian. @throws EngineError backup-damaged when cut, or above 2^53-1 */
  uint64(): number {
    const value = viewOf(this.bytes(8)).readBigUInt64BE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.refuse('a number is above 2^53');
    return Number(value);
  }

  /** Length-framed bytes. */
  framed(): Uint8Array {
    return this.bytes(this.varint());
  }

  refuse(problem: string): EngineError {
    return new EngineError('backup-damaged', `${this.#what} refused at byte ${this.#offset}: ${problem}`);
  }
}
