import type { Database } from 'foundationdb';
import type { Clock } from '../platform/clock.ts';
import { isLockedCopy, isRunningCopy, readCopyNow, writePulse, type CopyNow } from './copy-now.ts';
import { raiseFence } from './fence.ts';
import type { KeySpace } from './key-space.ts';
import { isRunning } from './pair-records.ts';
import { transact } from './transaction.ts';

/** Often enough for a lag that is far below any objective; each costs one small commit here and one read there. */
export const PULSE_PERIOD_MS = 200;
const PULSE_MS = 2000;
const LOOK_MS = 2000;

export interface PairWatchOptions {
  readonly own: Database;
  readonly other: Database;
  /** What the configuration calls the other cluster. */
  readonly otherName: string;
  readonly keys: KeySpace;
  readonly clock: Clock;
  /** Of the gateway. */
  readonly incarnation: string;
  readonly isServing: () => boolean;
  /** The epoch that is served, where the gateways of the other cluster are to be kept from an older one; else null. */
  readonly fences: () => number | null;
  /** Told when that changes. */
  readonly onCopy: (copy: CopyTold) => void;
}

/** `begun`: fdbdr makes one, which is not whole yet. */
export type CopyTold = 'runs' | 'begun' | 'none' | 'unknown';

export interface PairSeenNow {
  /** What the other cluster said last; null: it does not answer, or was not asked yet. */
  readonly other: CopyNow | null;
  /** When it answered last; null: never. */
  readonly answeredAtMs: number | null;
}

/**
 * How far the copy of a pair is behind, for whoever serves: a key is written again and again, and looked for in the copy. fdbdr applies in the order of commits, so where that key has come to, everything has that
 * was acknowledged before it was begun, and what the copy lacks is younger. (What fdbdr tells of its lag is a process of its own each time, which hangs while a cluster is away, and its agents' word is up to 40 s old.)
 */
export class PairWatch {
  readonly otherName: string;
  readonly #options: PairWatchOptions;
  #seen: PairSeenNow = { other: null, answeredAtMs: null };
  #hasAllUntilMs: number | null = null;
  #told: CopyTold | null = null;

  constructor(options: PairWatchOptions) {
    this.#options = options;
    this.otherName = options.otherName;
  }

  get seen(): PairSeenNow {
    return this.#seen;
  }

  /** By how much the copy is behind at most, now: it grows while nothing is heard of it. Null: there is no copy, or nobody knows. */
  lagMs(): number | null {
    if (this.#hasAllUntilMs === null || !this.#options.isServing()) return null;
    return Math.max(0, this.#options.clock.monotonicMs() - this.#hasAllUntilMs);
  }

  /** Whether fdbdr keeps a whole copy there; null: not known. */
  get copyRuns(): boolean | null {
    if (!this.#options.isServing() || this.#seen.other === null) return null;
    return isRunningCopy(this.#seen.other);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, isServing } = this.#options;
    while (!signal.aborted) {
      if (isServing()) await Promise.all([this.#pulse(signal), this.#look(signal)]);
      else this.#forget();
      await clock.sleep(PULSE_PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** What another one may have written since is not known here. */
  #forget(): void {
    this.#seen = { other: null, answeredAtMs: null };
    this.#hasAllUntilMs = null;
  }

  async #pulse(signal: AbortSignal): Promise<void> {
    const { own, keys, clock, incarnation } = this.#options;
    await transact(
      own,
      (transaction) => {
        writePulse(transaction, keys, { incarnation, begunMs: clock.monotonicMs() });
        return Promise.resolve({ commit: true, value: null });
      },
      { timeoutMs: PULSE_MS, signal },
    );
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { other, keys, clock, incarnation, isServing } = this.#options;
    const found = await readCopyNow(other, keys, LOOK_MS, signal).catch(() => null);
    this.#seen = { other: found, answeredAtMs: found === null ? this.#seen.answeredAtMs : clock.monotonicMs() };
    this.#tell();
    if (found === null) return;
    if (!isRunningCopy(found)) this.#hasAllUntilMs = null;
    else if (found.pulse?.incarnation === incarnation) this.#hasAllUntilMs = found.pulse.begunMs;
    const epoch = this.#options.fences();
    // One that nobody ever served is being made the copy: fdbdr wants it empty.
    const { epoch: fenced, servedEpoch } = found.fence;
    if (epoch !== null && isServing() && found.lockUid === null && servedEpoch > 0 && fenced < epoch)
      await raiseFence(other, keys.fence, epoch, LOOK_MS);
  }

  #tell(): void {
    const { other } = this.#seen;
    const told =
      other === null ? 'unknown' : isRunningCopy(other) ? 'runs' : isLockedCopy(other) && isRunning(other.state) ? 'begun' : 'none';
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onCopy(told);
  }
}
