/** The commit rule in force, as the primary knows it. `proposed` is a change of the set whose compare-and-swap is undecided. */
export interface CommitRule {
  readonly mode: 'sync' | 'async';
  readonly set: readonly string[];
  readonly proposed: readonly string[] | null;
  readonly w: number;
}

export interface CommitInput {
  readonly rule: CommitRule;
  /** Durable on this primary. */
  readonly durableIndex: number;
  /** First entry of this primary's epoch: older ones are committed along with it, never by counting (a later epoch may have overwritten them elsewhere). */
  readonly epochFirstIndex: number;
  /** What each standby said is durable there and the same as here. */
  readonly matchIndex: ReadonlyMap<string, number>;
}

/** Who counts: while a change is undecided only members of both sets do, so that what they acknowledge is safe under either. */
export function countingMembers(rule: CommitRule): readonly string[] {
  const { set, proposed } = rule;
  return proposed === null ? set : set.filter((region) => proposed.includes(region));
}

/** The highest index that may be acknowledged, or null when nothing of this epoch may be yet. */
export function committableIndex({ rule, durableIndex, epochFirstIndex, matchIndex }: CommitInput): number | null {
  let index = durableIndex;
  if (rule.mode === 'sync') {
    const matches = countingMembers(rule)
      .map((region) => matchIndex.get(region) ?? 0)
      .sort((a, b) => b - a);
    const wth = rule.w < 1 ? undefined : matches[rule.w - 1];
    if (wth === undefined) return null;
    index = Math.min(index, wth);
  }
  return index >= epochFirstIndex ? index : null;
}
