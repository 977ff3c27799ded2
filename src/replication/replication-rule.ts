import type { Arbiter, CasResult, Held, Replication } from '../arbiter/arbiter.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { CommitRule } from './commit-rule.ts';
import type { SetChange } from './sync-set.ts';

const RETRY_MS = 50;

export interface ReplicationRuleOptions {
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly log: Log;
  readonly epoch: number;
  /** The rule in force is another now. */
  readonly onDecided: () => void;
  readonly onEpochPassed: (epoch: number) => void;
}

export interface RuleValues {
  readonly mode: 'sync' | 'async';
  readonly set: readonly string[];
  readonly w: number;
}

/**
 * Whether a new primary may write its own set over the record that is there. `holders`: standbys that hold its log up to the noop of its epoch, and so
 * everything that was ever acknowledged. Before W of them are in the new set, the old record stays: should this primary be lost now, a failover has to seal
 * the old set (with this region in it) and finds that it cannot, instead of promoting somebody who lacks acknowledged writes.
 */
export function isSafeToTake(before: RuleValues | null, next: RuleValues, holders: readonly string[]): boolean {
  if (next.mode === 'async' || before === null) return true;
  // With nobody in it nothing could ever be committed, and so nobody come into it.
  const same =
    next.set.length > 0 &&
    before.mode === 'sync' &&
    before.w === next.w &&
    before.set.length === next.set.length &&
    before.set.every((region) => next.set.includes(region));
  return same || next.set.filter((region) => holders.includes(region)).length >= next.w;
}

/** The `replication` record as the primary of one epoch holds it: only what a compare-and-swap has confirmed is in force. */
export class ReplicationRule {
  readonly #options: ReplicationRuleOptions;
  #values: RuleValues = { mode: 'sync', set: [], w: 1 };
  #revision: number | null = null;
  #proposed: readonly string[] | null = null;
  #decided = false;

  constructor(options: ReplicationRuleOptions) {
    this.#options = options;
  }

  get current(): RuleValues {
    return this.#values;
  }

  get state(): CommitRule {
    return { ...this.#values, proposed: this.#proposed };
  }

  /** Whether this epoch's own record is in the arbiter; before that nothing may be committed. */
  get decided(): boolean {
    return this.#decided;
  }

  /**
   * Writes this epoch's first record over `expected`, whatever an earlier epoch left there. Only to be called when a failover that seals just this set would
   * miss nothing acknowledged: see `isSafeToTake`. False when a later epoch is there already or the signal aborted.
   */
  async take(first: RuleValues, expected: number | null, signal: AbortSignal): Promise<boolean> {
    const { arbiter, epoch, clock, onEpochPassed } = this.#options;
    let revision = expected;
    while (!signal.aborted) {
      const result: CasResult<Replication> = await arbiter.cas('replication', revision, { epoch, ...first, set: [...first.set] }, signal);
      if (result.ok) {
        this.#inForce(first, result.revision);
        return true;
      }
      if (result.reason === 'unknown') {
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
        continue;
      }
      const found: Held<Replication> | null = result.current;
      if (found !== null && found.value.epoch > epoch) {
        onEpochPassed(found.value.epoch);
        return false;
      }
      revision = found?.revision ?? null;
    }
    return false;
  }

  /** Changes the set. Until it is decided, only members of both sets count. */
  async propose(change: SetChange, signal: AbortSignal): Promise<void> {
    const { arbiter, epoch, clock, log, onEpochPassed } = this.#options;
    if (this.#proposed !== null || !this.#decided) return;
    this.#proposed = change.set;
    const values = { ...this.#values, set: [...change.set] };
    while (!signal.aborted) {
      const result = await arbiter.cas('replication', this.#revision, { epoch, ...values }, signal);
      if (!result.ok && result.reason === 'unknown') {
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
        continue;
      }
      if (result.ok) {
        log.info('sync_set_changed', { epoch, set: change.set, added: change.added, removed: change.removed });
        this.#inForce(values, result.revision);
      } else if (result.current !== null && result.current.value.epoch === epoch) {
        this.#inForce(result.current.value, result.current.revision);
      } else {
        // Frozen by a failover. The old set stays in force for what can still be acknowledged under this lease.
        this.#proposed = null;
        onEpochPassed(result.current?.value.epoch ?? epoch);
      }
      return;
    }
  }

  #inForce({ mode, set, w }: RuleValues, revision: number): void {
    this.#values = { mode, set, w };
    this.#revision = revision;
    this.#proposed = null;
    this.#decided = true;
    this.#options.onDecided();
  }
}
