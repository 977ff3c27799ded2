/** A stream of text as the programs read one: chunk by chunk, until it ends or breaks. Made of promises only, so that the scheduler sees its end. */
export class LightStream implements AsyncIterable<string> {
  readonly #chunks: string[] = [];
  /** What a reader gets where it broke off. */
  readonly broken = new Error('the stream broke off');
  #state: 'open' | 'ended' | 'broken' = 'open';
  #wake: () => void = () => undefined;

  push(chunk: string): this {
    if (this.#state === 'open') this.#chunks.push(chunk);
    this.#wake();
    return this;
  }

  end(): this {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake();
    return this;
  }

  destroy(): this {
    if (this.#state === 'open') this.#state = 'broken';
    this.#wake();
    return this;
  }

  setEncoding(): this {
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      if (this.#state === 'broken') throw this.broken;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#state === 'ended') return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
