import { EngineError } from '../platform/errors.ts';
import type { CallOptions, CallResult } from '../platform/https-client.ts';
import type { Role } from '../platform/tls.ts';
import { LightAbortController } from './light-abort.ts';
import type { Place } from './network.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface Caller {
  readonly from: Place;
  readonly role: Role;
  readonly process: SimulatedProcess | null;
}
/** One request of one caller: ends once, with an answer, at its time limit, or when the caller does not want it any more. */
export class Exchange {
  readonly caller: Caller;
  readonly result: Promise<CallResult>;
  readonly gone = new LightAbortController();
  readonly sentAtMs: number;
  #settle: (result: CallResult) => void = () => undefined;
  #ended = false;
  readonly #release: () => void;

  constructor(time: VirtualTime, caller: Caller, { timeoutMs, signal }: CallOptions) {
    this.caller = caller;
    this.sentAtMs = time.nowMs;
    this.result = new Promise((resolve) => (this.#settle = resolve));
    const giveUp = (reason: string): void => {
      if (!this.end({ kind: 'no-reply', reason })) return;
      // The other side learns of it when the end of the connection arrives.
      time.after(1, null, () => this.gone.abort(new EngineError('timeout', 'the caller has gone')));
    };
    const late = (): void => giveUp('timeout-sent');
    const timer = caller.process?.timer(timeoutMs, late) ?? time.after(timeoutMs, null, late);
    const abort = (): void => giveUp('aborted');
    signal?.addEventListener('abort', abort, { once: true });
    this.#release = () => {
      timer.cancelled = true;
      signal?.removeEventListener('abort', abort);
    };
    if (signal?.aborted === true) abort();
  }

  /** False where it had ended already. */
  end(result: CallResult): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#release();
    this.#settle(result);
    return true;
  }
}
