import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface Entry {
  readonly epoch: number;
  readonly index: number;
  readonly op: 'put' | 'delete' | 'noop';
  readonly key: string;
  readonly value: string;
}

/**
 * The ordered log: one line an entry (`crc json`) in an append-only file, synced with fdatasync in groups, and all of it in memory.
 * Indexes begin at 1. What is in the file up to `durableIndex` survives a kill and a power cut.
 */
export class LogFile {
  readonly #folder: string;
  readonly #file: FileHandle;
  readonly #entries: Entry[] = [];
  /** offsets[i]: where the entry with index i+1 ends. */
  readonly #ends: number[] = [];
  #waiting: { text: string; flushed: Promise<void> } | null = null;
  #tail: Promise<void> = Promise.resolve();
  #durableIndex = 0;

  private constructor(folder: string, file: FileHandle) {
    this.#folder = folder;
    this.#file = file;
  }

  static async open(folder: string): Promise<LogFile> {
    mkdirSync(join(folder, 'divergent'), { recursive: true });
    const path = join(folder, 'log.ndjson');
    writeFileSync(path, '', { flag: 'a' });
    const log = new LogFile(folder, await open(path, 'r+'));
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const json = line.slice(9);
      if (line.slice(0, 9) !== checksum(json)) break;
      log.#remember(JSON.parse(json) as Entry, Buffer.byteLength(line) + 1);
    }
    await log.#file.truncate(log.#ends.at(-1) ?? 0);
    await log.#file.datasync();
    log.#durableIndex = log.lastIndex;
    return log;
  }

  get lastIndex(): number {
    return this.#entries.length;
  }
  get lastEpoch(): number {
    return this.epochAt(this.lastIndex) ?? 0;
  }
  get durableIndex(): number {
    return this.#durableIndex;
  }
  /** 0 before the first entry; undefined after the last. */
  epochAt(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.epoch;
  }
  /** At most `count` entries from this index on. */
  from(index: number, count = Infinity): readonly Entry[] {
    return this.#entries.slice(index - 1, index - 1 + count);
  }

  /** Appends in the order of the calls; resolves when these are durable. */
  append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return this.#waiting?.flushed ?? this.#tail;
    let text = '';
    for (const entry of entries) {
      if (entry.index !== this.lastIndex + 1) throw new Error(`entry ${entry.index} after ${this.lastIndex}`);
      const json = JSON.stringify(entry);
      const line = `${checksum(json)}${json}\n`;
      this.#remember(entry, Buffer.byteLength(line));
      text += line;
    }
    if (this.#waiting) this.#waiting.text += text;
    else {
      const flushed = this.#tail.then(() => this.#flush());
      this.#waiting = { text, flushed };
      this.#tail = flushed;
    }
    return this.#waiting.flushed;
  }

  async #flush(): Promise<void> {
    const text = this.#waiting?.text ?? '';
    const upTo = this.lastIndex;
    this.#waiting = null;
    await this.#file.write(text, (this.#ends[upTo - 1] ?? 0) - Buffer.byteLength(text));
    await this.#file.datasync();
    this.#durableIndex = Math.max(this.#durableIndex, upTo);
  }

  /** Keeps entries up to this index only, durably. Nothing may be appended meanwhile. */
  async truncate(index: number): Promise<void> {
    await this.#tail;
    this.#entries.length = index;
    this.#ends.length = index;
    await this.#file.truncate(this.#ends.at(-1) ?? 0);
    await this.#file.datasync();
    this.#durableIndex = index;
  }

  /** After what was appended is durable; nothing is appended any more. */
  async close(): Promise<void> {
    await this.#tail;
    await this.#file.close();
  }

  /** Replaces a small file beside the log, durably. */
  async keep(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    const file = await open(`${path}.new`, 'w');
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await rename(`${path}.new`, path);
    const folder = await open(join(path, '..'), 'r');
    await folder.sync();
    await folder.close();
  }

  #remember(entry: Entry, bytes: number): void {
    this.#entries.push(entry);
    this.#ends.push((this.#ends.at(-1) ?? 0) + bytes);
  }
}

function checksum(json: string): string {
  return `${crc32(json).toString(16).padStart(8, '0')} `;
}
