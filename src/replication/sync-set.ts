import type { Policy } from '../config/policy.ts';
import type { CommitRule } from './commit-rule.ts';

export interface StandbyView {
  readonly region: string;
  readonly matchIndex: number;
  /** Since its last acknowledgement; Infinity when there was none. */
  readonly ageMs: number;
  /** Its disk forgot what it had acknowledged. */
  readonly forgot?: boolean;
}

export interface SetChange {
  readonly set: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The next change of the sync set, or null. One at a time.
 * - Out goes who has acknowledged nothing for `syncDropAfterMs`, if W live members remain that hold everything acknowledged: otherwise a failover that seals
 *   only the remaining ones could miss some of it. Nobody goes where nobody would remain: then writes wait.
 * - Out goes at once who has forgotten what it had acknowledged, by the same rule; but also where nobody remains, and whoever is silent with it.
 * - In comes who answers and has caught up; safe at any time, as it only makes a failover seal more.
 */
export function planSetChange(
  rule: CommitRule,
  standbys: readonly StandbyView[],
  log: { readonly commitIndex: number; readonly lastIndex: number },
  policy: Pick<Policy, 'syncDropAfterMs' | 'caughtUpEntries'>,
): SetChange | null {
  if (rule.mode === 'async' || rule.proposed !== null) return null;
  const live = (standby: StandbyView): boolean => standby.forgot !== true && standby.ageMs < policy.syncDropAfterMs;
  const members = rule.set.map(
    (region) => standbys.find((standby) => standby.region === region) ?? { region, matchIndex: 0, ageMs: Infinity },
  );
  const remaining = members.filter(live);
  const holders = remaining.filter((standby) => standby.matchIndex >= log.commitIndex);
  if (remaining.length < members.length && holders.length >= Math.max(1, rule.w)) {
    return change(
      rule.set,
      remaining.map((standby) => standby.region),
    );
  }
  // All of it is here alone: with an empty set no failover takes one that forgot it for one that has it.
  if (remaining.length === 0 && members.some(({ forgot }) => forgot === true)) return change(rule.set, []);
  const joining = standbys.filter(
    (standby) =>
      !rule.set.includes(standby.region) &&
      live(standby) &&
      standby.matchIndex >= log.commitIndex &&
      log.lastIndex - standby.matchIndex <= policy.caughtUpEntries,
  );
  return joining.length === 0 ? null : change(rule.set, [...rule.set, ...joining.map((standby) => standby.region)]);
}

function change(before: readonly string[], set: readonly string[]): SetChange {
  return { set, added: set.filter((region) => !before.includes(region)), removed: before.filter((region) => !set.includes(region)) };
}
