/**
 * Gives rows to the binding where they lie in the caller's memory: no objects for a row, of which there are millions. The counterpart of SeenRow.
 * The binding copies what it is given before its synchronous call returns.
 */
export class GivenRow {
  /** What stands for key and value in a call; the row itself is what was given last. */
  static readonly TOKEN = Buffer.of(0);
  #source: Buffer = Buffer.alloc(0);
  #keyBegin = 0;
  #keyEnd = 0;
  /** In the form in which the binding takes a part of some memory; it notes the memory's address in it. */
  #value: PartOfMemory = { buffer: new ArrayBuffer(0), start: 0, end: 0 };

  readonly codecs = {
    encoder: { needsStableBuffer: false, encode: (): PartOfMemory => this.#value, decode: (bytes: Buffer): Buffer => bytes },
    keyEncoder: {
      writeKey: (_token: Buffer, target: Uint8Array, start: number): number => {
        let at = start;
        for (let from = this.#keyBegin; from < this.#keyEnd; from++) target[at++] = this.#source[from]!;
        return at;
      },
      readKey: (source: Buffer, start: number, end: number): Buffer => source.subarray(start, end),
    },
  };

  give(source: Buffer, key: Extent, value: Extent): void {
    if (source !== this.#source) {
      this.#source = source;
      this.#value = { buffer: source.buffer as ArrayBuffer, start: 0, end: 0 };
    }
    this.#keyBegin = key.begin;
    this.#keyEnd = key.end;
    this.#value.start = source.byteOffset + value.begin;
    this.#value.end = source.byteOffset + value.end;
  }
}

/** Where something lies in a buffer. */
export interface Extent {
  begin: number;
  end: number;
}

interface PartOfMemory {
  readonly buffer: ArrayBuffer;
  start: number;
  end: number;
}
