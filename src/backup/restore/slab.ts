import type { Memory } from '../format/blob.ts';
import { RUN_PLAIN_BYTES } from './runs.ts';

/** A block of memory that the plaintexts of a run are put into, one after the other; it travels between threads without being copied. */
export interface Slab {
  readonly memory: ArrayBuffer;
  readonly take: Memory;
}

export function slabOf(memory: ArrayBuffer = new ArrayBuffer(RUN_PLAIN_BYTES)): Slab {
  let used = 0;
  return {
    memory,
    take: (bytes) => {
      // A single file may be larger than a run should be.
      if (used + bytes > memory.byteLength) return Buffer.allocUnsafeSlow(bytes);
      used += bytes;
      return Buffer.from(memory, used - bytes, bytes);
    },
  };
}
