import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../database/database.ts';
import type { PinnedData } from '../../database/data-reader.ts';
import { EngineError } from '../../platform/errors.ts';

/** Rows one after the other, each behind the lengths of its key and value: what travels to a thread without being copied. */
export interface RowBlock {
  readonly memory: ArrayBuffer;
  readonly bytes: number;
}

const LENGTHS_BYTES = 8;

export class RowBlockWriter {
  #buffer: Buffer;
  #used = 0;

  /** @param bytes that it will probably need */
  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /** @throws EngineError backup-failed where a range file could not hold it */
  add(key: Buffer, value: Buffer): void {
    if (key.length > MAX_KEY_BYTES || value.length > MAX_VALUE_BYTES)
      throw new EngineError(
        'backup-failed',
        `the record of key 0x${key.subarray(0, 64).toString('hex')} has ${key.length} and ${value.length} bytes, more than any that this program writes: somebody else writes into this key space`,
      );
    const needed = this.#used + LENGTHS_BYTES + key.length + value.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed);
      this.#buffer.copy(larger, 0, 0, this.#used);
      this.#buffer = larger;
    }
    let at = this.#buffer.writeUInt32LE(key.length, this.#used);
    at = this.#buffer.writeUInt32LE(value.length, at);
    at += key.copy(this.#buffer, at);
    this.#used = at + value.copy(this.#buffer, at);
  }

  finish(): RowBlock {
    return { memory: this.#buffer.buffer as ArrayBuffer, bytes: this.#used };
  }
}

/** The rows of a block as data that can be scanned. */
export function rowsIn({ memory, bytes }: RowBlock): Pick<PinnedData, 'scan'> {
  const block = Buffer.from(memory, 0, bytes);
  const [key, value] = [Buffer.alloc(MAX_KEY_BYTES), Buffer.alloc(MAX_VALUE_BYTES)];
  // Where the scan before stopped: the next one mostly goes on there.
  let paused = 0;
  const isAt = (at: number, begin: Uint8Array): boolean => at < bytes && Buffer.compare(keyAt(block, at), begin) === 0;
  return {
    scan: (begin, visit) => {
      for (let at = isAt(paused, begin) ? paused : 0; at < bytes;) {
        const [keyBytes, valueBytes] = [block.readUInt32LE(at), block.readUInt32LE(at + 4)];
        const next = at + LENGTHS_BYTES + keyBytes + valueBytes;
        block.copy(key, 0, at + LENGTHS_BYTES, at + LENGTHS_BYTES + keyBytes);
        if (key.compare(begin, 0, begin.length, 0, keyBytes) >= 0) {
          block.copy(value, 0, next - valueBytes, next);
          paused = at;
          if (!visit(key, keyBytes, value, valueBytes)) return;
        }
        at = next;
      }
    },
  };
}

function keyAt(block: Buffer, at: number): Buffer {
  return block.subarray(at + LENGTHS_BYTES, at + LENGTHS_BYTES + block.readUInt32LE(at));
}
