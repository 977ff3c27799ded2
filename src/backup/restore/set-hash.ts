import { keyedHash } from '../format/blake3.ts';

const LANES = 8;

/**
 * A sum over records that does not depend on their order, so that records can be taken out again: equal sums are equal sets of records (but for one chance
 * in 2^256 by accident; a writer who knows the key could forge it, so it only compares what this program itself wrote with what is there).
 */
export class SetHash {
  readonly #key: Uint8Array;
  readonly #lanes = new Uint32Array(LANES);
  readonly #length = Buffer.alloc(4);
  count = 0;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    const hash = this.#hashOf(key, value);
    for (let lane = 0; lane < LANES; lane++) this.#lanes[lane] = this.#lanes[lane]! + hash.readUInt32LE(lane * 4);
    this.count++;
  }

  remove(key: Uint8Array, value: Uint8Array): void {
    const hash = this.#hashOf(key, value);
    for (let lane = 0; lane < LANES; lane++) this.#lanes[lane] = this.#lanes[lane]! - hash.readUInt32LE(lane * 4);
    this.count--;
  }

  /** Count and sum as text; `fromText` gives it back. */
  text(): string {
    return `${this.count}:${[...this.#lanes].map((lane) => lane.toString(16)).join('.')}`;
  }

  static fromText(key: Uint8Array, text: string): SetHash {
    const set = new SetHash(key);
    const [count, lanes] = text.split(':');
    set.count = Number(count);
    for (const [lane, value] of (lanes ?? '').split('.').entries()) set.#lanes[lane] = Number.parseInt(value, 16);
    return set;
  }

  #hashOf(key: Uint8Array, value: Uint8Array): Buffer {
    this.#length.writeUInt32LE(key.length);
    return keyedHash(this.#key, this.#length, key, value);
  }
}
