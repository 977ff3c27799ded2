type Listener = ((event: { readonly type: 'abort' }) => void) | { handleEvent(event: { readonly type: 'abort' }): void };

const ABORTED = new DOMException('This operation was aborted', 'AbortError');

/**
 * AbortController and AbortSignal as the engine uses them. Node's own take most of a simulation's time: their weak references and events serve cases that do not
 * occur here.
 */
export class LightAbortSignal {
  #aborted = false;
  #reason: unknown = undefined;
  readonly #sources: readonly LightAbortSignal[];
  /** Each with whether it is for one time only. */
  readonly #listeners = new Map<Listener, boolean>();
  readonly #onSource = (): void => this.#tell();

  constructor(sources: readonly LightAbortSignal[] = []) {
    this.#sources = sources;
  }

  static any(signals: readonly LightAbortSignal[]): LightAbortSignal {
    return new LightAbortSignal([...signals]);
  }

  static timeout(ms: number): LightAbortSignal {
    const signal = new LightAbortSignal();
    setTimeout(() => signal.abortNow(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms);
    return signal;
  }

  static abort(reason?: unknown): LightAbortSignal {
    const signal = new LightAbortSignal();
    signal.abortNow(reason);
    return signal;
  }

  get aborted(): boolean {
    return this.#aborted || this.#sources.some((source) => source.aborted);
  }

  get reason(): unknown {
    return this.#aborted ? this.#reason : this.#sources.find((source) => source.aborted)?.reason;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: Listener, options?: { readonly once?: boolean } | boolean): void {
    if (this.#listeners.size === 0) for (const source of this.#sources) source.addEventListener('abort', this.#onSource);
    this.#listeners.set(listener, typeof options === 'object' && options.once === true);
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#leaveSources();
  }

  abortNow(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason ?? ABORTED;
    this.#tell();
  }

  #tell(): void {
    const listeners = [...this.#listeners];
    // A signal aborts once.
    this.#listeners.clear();
    this.#leaveSources();
    for (const [listener] of listeners) {
      if (typeof listener === 'function') listener({ type: 'abort' });
      else listener.handleEvent({ type: 'abort' });
    }
  }

  #leaveSources(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#onSource);
  }
}

export class LightAbortController {
  readonly #signal = new LightAbortSignal();

  get signal(): AbortSignal {
    return this.#signal as unknown as AbortSignal;
  }

  abort(reason?: unknown): void {
    this.#signal.abortNow(reason);
  }
}
