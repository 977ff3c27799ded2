type Listener = ((event: { readonly type: 'abort' }) => void) | { handleEvent(event: { readonly type: 'abort' }): void };

/** Never written to: a signal's first listener makes a list of its own. */
const NOBODY: Listener[] = [];
const NOTHING: readonly LightAbortSignal[] = [];
const ABORTED = new DOMException('This operation was aborted', 'AbortError');

/**
 * AbortController and AbortSignal as the engine uses them. Node's own take most of a simulation's time: their weak references and events serve cases that do not
 * occur here.
 */
export class LightAbortSignal {
  #aborted = false;
  #reason: unknown = undefined;
  readonly #sources: readonly LightAbortSignal[];
  /** In their order; most signals have none or one. */
  #listeners: Listener[] = NOBODY;
  #onSource: (() => void) | null = null;

  constructor(sources: readonly LightAbortSignal[] = NOTHING) {
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
    if (this.#aborted) return true;
    for (const source of this.#sources) if (source.aborted) return true;
    return false;
  }

  get reason(): unknown {
    return this.#aborted ? this.#reason : this.#sources.find((source) => source.aborted)?.reason;
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  addEventListener(_type: 'abort', listener: Listener): void {
    if (this.#listeners.length === 0) {
      this.#listeners = [listener];
      this.#joinSources();
    } else if (!this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    // Whoever came last mostly goes first.
    const at = this.#listeners.lastIndexOf(listener);
    if (at < 0) return;
    if (at === this.#listeners.length - 1) this.#listeners.pop();
    else this.#listeners.splice(at, 1);
    if (this.#listeners.length === 0) this.#leaveSources();
  }

  abortNow(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason ?? ABORTED;
    this.#tell();
  }

  #tell(): void {
    const listeners = this.#listeners;
    // A signal aborts once.
    this.#listeners = NOBODY;
    this.#leaveSources();
    for (const listener of listeners) {
      if (typeof listener === 'function') listener({ type: 'abort' });
      else listener.handleEvent({ type: 'abort' });
    }
  }

  #joinSources(): void {
    if (this.#sources.length === 0) return;
    this.#onSource ??= () => this.#tell();
    for (const source of this.#sources) source.addEventListener('abort', this.#onSource);
  }

  #leaveSources(): void {
    if (this.#onSource !== null) for (const source of this.#sources) source.removeEventListener('abort', this.#onSource);
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
