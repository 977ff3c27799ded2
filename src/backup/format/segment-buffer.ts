/** Collects pieces of any size into segments of one size, copying each byte once. */
export class SegmentBuffer {
  readonly #segmentBytes: number;
  readonly #bytes: Buffer;
  #used = 0;

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
    this.#bytes = Buffer.allocUnsafe(segmentBytes);
  }

  get isFull(): boolean {
    return this.#used === this.#segmentBytes;
  }

  /** Takes what fits and returns what did not. */
  fill(piece: Uint8Array): Uint8Array {
    const taken = Math.min(piece.length, this.#segmentBytes - this.#used);
    this.#bytes.set(piece.subarray(0, taken), this.#used);
    this.#used += taken;
    return piece.subarray(taken);
  }

  /** The collected bytes, full or not; the view is overwritten by the next fill. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return taken;
  }
}
