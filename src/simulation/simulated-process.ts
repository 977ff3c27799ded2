import type { Clock } from '../platform/clock.ts';
import { LightAbortController } from './light-abort.ts';
import type { Random } from './random.ts';
import type { Happening, Owner, VirtualTime } from './virtual-time.ts';

export type Program = 'database' | 'controller';

/** A host's clocks: the monotonic one may run too fast or too slow, the wall clock may be set besides. They outlive the processes that read them. */
export class HostClock {
  readonly #time: VirtualTime;
  #rate = 1;
  #sinceMs = 0;
  #readMs = 0;
  #wallOffsetMs = 0;

  constructor(time: VirtualTime, startMs: number) {
    this.#time = time;
    this.#readMs = startMs;
  }

  get rate(): number {
    return this.#rate;
  }

  monotonicMs(): number {
    return this.#readMs + (this.#time.nowMs - this.#sinceMs) * this.#rate;
  }

  wallMs(): number {
    return 1_800_000_000_000 + this.#time.nowMs + this.#wallOffsetMs;
  }

  runAt(rate: number): void {
    this.#readMs = this.monotonicMs();
    this.#sinceMs = this.#time.nowMs;
    this.#rate = rate;
  }

  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }
}

/** One life of one program: what happens to it while it is stopped waits, what would happen to it after its death never does. */
export class SimulatedProcess implements Owner {
  readonly region: string;
  readonly program: Program;
  readonly clock: Clock;
  readonly ending = new LightAbortController();
  readonly #time: VirtualTime;
  readonly #host: HostClock;
  readonly #random: Random;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  #waiting: Happening[] = [];

  constructor(name: { readonly region: string; readonly program: Program }, time: VirtualTime, host: HostClock, random: Random) {
    this.region = name.region;
    this.program = name.program;
    this.#time = time;
    this.#host = host;
    this.#random = random;
    this.clock = {
      monotonicMs: () => host.monotonicMs(),
      wall: () => new Date(host.wallMs()),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  get takes(): boolean {
    return this.#state === 'running';
  }

  keep(happening: Happening): void {
    if (this.#state === 'stopped') this.#waiting.push(happening);
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** SIGCONT: everything that waited happens now, in its order. */
  resume(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    const waited = this.#waiting;
    this.#waiting = [];
    for (const happening of waited) this.#time.again(happening);
  }

  /** SIGKILL, or the power is gone. */
  kill(): void {
    this.#state = 'dead';
    this.#waiting = [];
  }

  /** A timer on this host's clock; late as timers are. */
  timer(delayMs: number, run: () => void): Happening {
    // Node takes what is no number of its range for one millisecond.
    const ms = delayMs >= 1 && delayMs < 2 ** 31 ? delayMs : 1;
    return this.#time.after(ms / this.#host.rate + this.#random.unit(), this, run);
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal === undefined) return void this.timer(ms, resolve);
      if (signal.aborted) return reject(signal.reason as Error);
      const timer = this.timer(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      const abort = (): void => {
        timer.cancelled = true;
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort);
      return undefined;
    });
  }
}
