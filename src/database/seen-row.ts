import { MAX_KEY_BYTES } from './database.ts';

/** Takes rows out of the binding's own memory as they come by: two copies and two objects per row less, which more than halves the time of a scan. */
export class SeenRow {
  readonly key = Buffer.alloc(MAX_KEY_BYTES + 64);
  keyBytes = 0;
  value: Buffer = Buffer.alloc(0);
  valueBytes = 0;

  readonly codecs = {
    encoder: {
      needsStableBuffer: false,
      encode: (value: Buffer) => value,
      decode: (bytes: Buffer, length: number): number => {
        this.value = bytes;
        this.valueBytes = length;
        return 0;
      },
    },
    keyEncoder: {
      writeKey: (key: Buffer, target: Uint8Array, start: number): number => {
        target.set(key, start);
        return start + key.length;
      },
      readKey: (source: Buffer, start: number, end: number): number => {
        source.copy(this.key, 0, start, end);
        this.keyBytes = end - start;
        return 0;
      },
    },
  };
}
