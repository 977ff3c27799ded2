import type { Entry } from './database.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const ENTRY_OVERHEAD_BYTES = 128;

/** The newest entries of the log in memory, so that shipping them needs no disk. What is not durable yet is never dropped. */
export class RecentEntries {
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;

  get(index: number): Entry | undefined {
    return this.#entries.get(index);
  }

  add(entry: Entry, durableIndex: number): void {
    this.#entries.set(entry.index, entry);
    this.#bytes += bytesOf(entry);
    for (const [index, oldest] of this.#entries) {
      if (this.#bytes <= MAX_BYTES || index > durableIndex) break;
      this.#entries.delete(index);
      this.#bytes -= bytesOf(oldest);
    }
  }

  delete(index: number): void {
    const entry = this.#entries.get(index);
    if (entry === undefined) return;
    this.#entries.delete(index);
    this.#bytes -= bytesOf(entry);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

function bytesOf(entry: Entry): number {
  return ENTRY_OVERHEAD_BYTES + entry.key.length + entry.value.length;
}
