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

  /** Writes this epoch's first record over whatever an earlier epoch left. False when a later epoch is there already or the signal aborted. */
  async take(first: RuleValues, signal: AbortSignal): Promise<boolean> {
    const { arbiter, epoch, clock, onEpochPassed } = this.#options;
    let expected: number | null = null;
    while (!signal.aborted) {
      const result: CasResult<Replication> = await arbiter.cas('replication', expected, { epoch, ...first, set: [...first.set] }, signal);
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
      expected = found?.revision ?? null;
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
