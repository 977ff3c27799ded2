/** A stream of text as the programs read one: chunk by chunk, until it ends or breaks. Made of promises only, so that the scheduler sees its end. One reads at a time. */
export class LightStream implements AsyncIterable<string> {
  readonly #chunks: string[] = [];
  /** What a reader gets where it broke off. */
  readonly broken = new Error('the stream broke off');
  #state: 'open' | 'ended' | 'broken' = 'open';
  #reader: PromiseWithResolvers<IteratorResult<string, undefined>> | null = null;

  push(chunk: string): this {
    if (this.#state === 'open') this.#chunks.push(chunk);
    return this.#wake();
  }

  end(): this {
    if (this.#state === 'open') this.#state = 'ended';
    return this.#wake();
  }

  destroy(): this {
    if (this.#state === 'open') this.#state = 'broken';
    return this.#wake();
  }

  setEncoding(): this {
    return this;
  }

  /** No generator: each of its steps takes several turns of the queue of promises. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined> {
    return {
      next: () => {
        const reader = Promise.withResolvers<IteratorResult<string, undefined>>();
        this.#reader = reader;
        this.#wake();
        return reader.promise;
      },
    };
  }

  #wake(): this {
    const reader = this.#reader;
    if (reader === null || (this.#state === 'open' && this.#chunks.length === 0)) return this;
    this.#reader = null;
    if (this.#state === 'broken') reader.reject(this.broken);
    else {
      const value = this.#chunks.shift();
      reader.resolve(value === undefined ? { done: true, value } : { done: false, value });
    }
    return this;
  }
}
