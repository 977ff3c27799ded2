import { createWriteStream, type WriteStream } from 'node:fs';

/** What one pod may write on stderr into the run folder; a program that loops must not fill the disk. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Appends to a file up to a bound, then says so once and drops the rest. Owner closes it. */
export class BoundedLog {
  readonly #stream: WriteStream;
  #bytesLeft = MAX_BYTES;

  constructor(file: string) {
    this.#stream = createWriteStream(file, { flags: 'a', mode: 0o644 });
    this.#stream.on('error', () => (this.#bytesLeft = 0)); // evidence, not the run: a full disk must not end it
  }

  write(text: string): void {
    if (this.#bytesLeft <= 0) return;
    this.#bytesLeft -= Buffer.byteLength(text);
    this.#stream.write(this.#bytesLeft > 0 ? text : `${text}\n(cut here: more than ${MAX_BYTES} bytes)\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(() => resolve()));
  }
}
