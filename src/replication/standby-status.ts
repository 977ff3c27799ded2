import type { DatabaseState } from '../database/database.ts';
import type { LagMeter } from './lag.ts';
import type { RuleValues } from './replication-rule.ts';
import type { StandbyView } from './sync-set.ts';

export interface StandbyStatus {
  readonly matchIndex: number;
  readonly lagEntries: number;
  readonly lagMs: number;
  readonly ageMs: number;
  readonly inSync: boolean;
}

/** What a primary tells of a standby. `untilMs`: when it acknowledged last, as far as that is known. */
export function statusOf(
  { region, matchIndex, ageMs, forgot }: StandbyView,
  { log, commitIndex }: Pick<DatabaseState, 'log' | 'commitIndex'>,
  { mode, set }: RuleValues,
  { lag, untilMs, dropAfterMs }: { readonly lag: LagMeter; readonly untilMs: number; readonly dropAfterMs: number },
): StandbyStatus {
  const roundedMs = Math.min(Math.round(ageMs), Number.MAX_SAFE_INTEGER);
  const live = roundedMs < dropAfterMs && forgot !== true;
  const inSync = live && (mode === 'sync' ? set.includes(region) : matchIndex >= commitIndex);
  const lagMs = Math.round(lag.lagMs(matchIndex, log.index, untilMs));
  return { matchIndex, lagEntries: log.index - matchIndex, lagMs, ageMs: roundedMs, inSync };
}
