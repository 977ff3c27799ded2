import { EngineError } from '../platform/errors.ts';
import type { CallOptions, CallResult } from '../platform/https-client.ts';
import type { Role } from '../platform/tls.ts';
import { LightAbortController } from './light-abort.ts';
import type { Place } from './network.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { Happening, VirtualTime } from './virtual-time.ts';

export interface Caller {
  readonly from: Place;
  readonly role: Role;
  readonly process: SimulatedProcess | null;
}

/** One request of one caller: ends once, with an answer, at its time limit, or when the caller does not want it any more. */
export class Exchange {
  readonly caller: Caller;
  readonly result: Promise<CallResult>;
  readonly gone = new Gone();
  readonly sentAtMs: number;
  readonly #time: VirtualTime;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Happening;
  readonly #abort = (): void => this.#giveUp('aborted');
  #settle: (result: CallResult) => void = () => undefined;
  #ended = false;

  constructor(time: VirtualTime, caller: Caller, { timeoutMs, signal }: CallOptions) {
    this.#time = time;
    this.caller = caller;
    this.sentAtMs = time.nowMs;
    this.#signal = signal;
    this.result = new Promise((resolve) => (this.#settle = resolve));
    const late = (): void => this.#giveUp('timeout-sent');
    this.#timer = caller.process?.timer(timeoutMs, late) ?? time.after(timeoutMs, null, late);
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
  }

  /** False where it had ended already. */
  end(result: CallResult): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#timer.cancelled = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#settle(result);
    return true;
  }

  #giveUp(reason: string): void {
    if (!this.end({ kind: 'no-reply', reason })) return;
    // The other side learns of it when the end of the connection arrives.
    this.#time.after(1, null, () => this.gone.abort());
  }
}

/** What the other side learns of a caller that has gone; few ask. */
export class Gone {
  #controller: LightAbortController | null = null;
  #hasGone = false;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new LightAbortController();
      if (this.#hasGone) this.#controller.abort(gone());
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#hasGone = true;
    this.#controller?.abort(gone());
  }
}

function gone(): EngineError {
  return new EngineError('timeout', 'the caller has gone');
}
