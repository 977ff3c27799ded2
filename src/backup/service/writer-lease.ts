import { randomUUID } from 'node:crypto';
import type { Arbiter, BackupLease, Held } from '../../arbiter/arbiter.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import type { WriterLease } from '../pipeline/create.ts';

export interface LeaseTiming {
  readonly renewMs: number;
  /** A holder that was silent for so long has ended. */
  readonly takeoverMs: number;
}

export type Acquired =
  | { readonly kind: 'held'; readonly lease: HeldWriterLease }
  | { readonly kind: 'busy'; readonly holder: string }
  | { readonly kind: 'unknown' };

/** The right to write backups: one holder at a time, each with a higher epoch. The owner calls `release`. */
export interface HeldWriterLease extends WriterLease {
  /** Aborts when the right was lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly arbiter: Arbiter;
  readonly region: string;
  readonly clock: Clock;
  readonly timing: LeaseTiming;
  /** The highest epoch that a backup carries: an arbiter that was lost and began anew knows nothing of it. */
  readonly highestEpoch: (signal: AbortSignal) => Promise<bigint>;
}

const LOOKS = 5;

/**
 * Takes the right to write backups, with an epoch above all that the arbiter and the backups know. Where another holds it, watches for `takeoverMs` whether that one still renews: `busy` as soon as it does. A holder
 * that was replaced learns it at its next renewal, and what it still commits carries a lower epoch than what came before, so it is not trusted.
 */
export async function acquireWriterLease(options: LeaseOptions, signal: AbortSignal): Promise<Acquired> {
  const { arbiter, region, clock, timing } = options;
  const incarnation = randomUUID();
  let { backup: current } = await arbiter.read(signal);
  if (current !== null && current.value.holder !== null) {
    const seen = current.revision;
    for (let look = 0; look < LOOKS; look++) {
      await clock.sleep(timing.takeoverMs / LOOKS, signal);
      current = (await arbiter.read(signal)).backup;
      if (current === null || current.value.holder === null) break;
      if (current.revision !== seen) return { kind: 'busy', holder: current.value.holder };
    }
  }
  const epoch = Math.max(current?.value.epoch ?? 0, Number(await options.highestEpoch(signal))) + 1;
  const value: BackupLease = { epoch, holder: region, incarnation, seq: 0 };
  const result = await arbiter.cas('backup', current?.revision ?? null, value, signal);
  if (result.ok) return { kind: 'held', lease: hold(options, { value, revision: result.revision }) };
  if (result.reason === 'unknown') return { kind: 'unknown' };
  return { kind: 'busy', holder: result.current?.value.holder ?? 'somebody' };
}

function hold({ arbiter, clock, timing, region }: LeaseOptions, first: Held<BackupLease>): HeldWriterLease {
  let okAtMs = clock.monotonicMs();
  const lost = new AbortController();
  const ending = new AbortController();
  let held = first;
  let queue: Promise<unknown> = Promise.resolve();
  const write = (change: Partial<BackupLease>): Promise<'ok' | 'lost' | 'unknown'> => {
    const step = queue.then(async () => {
      const value = { ...held.value, seq: held.value.seq + 1, ...change };
      const askedAtMs = clock.monotonicMs();
      const result = await arbiter.cas('backup', held.revision, value, ending.signal.aborted ? undefined : ending.signal);
      if (result.ok) {
        held = { value, revision: result.revision };
        okAtMs = askedAtMs;
      }
      return result.ok ? 'ok' : result.reason === 'conflict' ? 'lost' : 'unknown';
    });
    queue = step.catch(() => undefined);
    return step;
  };
  const gone = (): EngineError => new EngineError('lease-lost', 'another program has taken the right to write backups');
  const silent = (): EngineError =>
    new EngineError(
      'lease-lost',
      `the arbiter has not confirmed the right to write backups for ${timing.takeoverMs} ms: another may have it`,
    );
  const renewing = (async () => {
    for (;;) {
      await clock.sleep(timing.renewMs, ending.signal).catch(() => undefined);
      if (ending.signal.aborted) return;
      // An arbiter that fails is asked again: only silence for so long that another may have taken over ends it.
      const outcome = await write({}).catch(() => 'unknown' as const);
      if (outcome === 'lost') return lost.abort(gone());
      if (clock.monotonicMs() - okAtMs >= timing.takeoverMs) return lost.abort(silent());
    }
  })();
  return {
    epoch: first.value.epoch.toString(),
    holder: region,
    lost: lost.signal,
    check: async () => {
      for (let attempt = 0; attempt < LOOKS; attempt++) {
        if (lost.signal.aborted) throw lost.signal.reason;
        const outcome = await write({});
        if (outcome === 'ok') return;
        if (outcome === 'lost') throw gone();
      }
      throw new EngineError(
        'arbiter-unavailable',
        'the arbiter does not say whether this program may still write backups; nothing was committed',
      );
    },
    release: async () => {
      ending.abort(new EngineError('timeout', 'released'));
      await renewing;
      if (!lost.signal.aborted) await write({ holder: null }).catch(() => undefined);
    },
  };
}
