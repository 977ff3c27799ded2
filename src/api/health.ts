import { entriesText, UNKNOWN_LAG_MS } from '../replication/lag.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import type { UpstreamStatus } from '../server/status.ts';

export type HealthLevel = 'Healthy' | 'Degraded' | 'Failed';

export interface Check {
  readonly name: 'api' | 'database' | 'replication';
  readonly status: HealthLevel;
  readonly latencyMs: number;
  readonly detail?: string;
}

export interface Health {
  readonly status: HealthLevel;
  /** Mean of the checks: Healthy 1, Degraded 0.5, Failed 0. */
  readonly score: number;
  readonly checks: readonly Check[];
}

export type Seen =
  | { readonly kind: 'answered'; readonly status: DatabaseStatus & { readonly upstream?: UpstreamStatus | null | undefined } }
  | { readonly kind: 'silent'; readonly reason: string };

/** What a level counts for in the score. */
export const SCORE: Readonly<Record<HealthLevel, number>> = { Healthy: 1, Degraded: 0.5, Failed: 0 };

/** A region's health from what its own database said. A dead database makes the region Failed whatever the other checks say: an average would hide it. */
export function assessHealth(
  seen: Seen,
  timing: { readonly ownLatencyMs: number; readonly databaseLatencyMs: number },
  limits: { readonly rpoMs: number; readonly silentMs: number },
): Health {
  const checks: readonly Check[] = [
    { name: 'api', status: 'Healthy', latencyMs: timing.ownLatencyMs },
    { name: 'database', latencyMs: timing.databaseLatencyMs, ...databaseCheck(seen) },
    { name: 'replication', latencyMs: timing.databaseLatencyMs, ...replicationCheck(seen, limits) },
  ];
  const score = checks.reduce((sum, check) => sum + SCORE[check.status], 0) / checks.length;
  const failed = checks.some((check) => check.name === 'database' && check.status === 'Failed');
  const status = failed ? 'Failed' : checks.every((check) => check.status === 'Healthy') ? 'Healthy' : 'Degraded';
  return { status, score: Math.round(score * 1000) / 1000, checks };
}

type Finding = Pick<Check, 'status' | 'detail'>;

function databaseCheck(seen: Seen): Finding {
  if (seen.kind === 'silent') return { status: 'Failed', detail: seen.reason };
  const { role, writable } = seen.status;
  if (role === 'starting') return { status: 'Degraded', detail: 'starting: does not know yet whether it is primary' };
  if (role === 'primary' && !writable) return { status: 'Degraded', detail: 'primary, but not serving' };
  return { status: 'Healthy' };
}

function replicationCheck(seen: Seen, limits: { readonly rpoMs: number; readonly silentMs: number }): Finding {
  if (seen.kind === 'silent') return { status: 'Failed', detail: 'unknown: the database does not answer' };
  const { role, standbys, upstream } = seen.status;
  if (role !== 'primary') {
    if (upstream === undefined || upstream === null) return { status: 'Degraded', detail: 'no primary has been heard yet' };
    if (upstream.ageMs > limits.silentMs)
      return { status: 'Degraded', detail: `primary ${upstream.region} was last heard ${upstream.ageMs} ms ago` };
    return { status: 'Healthy' };
  }
  const late = Object.entries(standbys).filter(([, standby]) => !standby.inSync || standby.lagMs > limits.rpoMs);
  if (late.length === 0) return { status: 'Healthy' };
  const detail = late
    .map(
      ([region, { lagEntries, lagMs, ageMs }]) =>
        `${region}: ${entriesText(lagEntries)}, ${lagMs < UNKNOWN_LAG_MS ? lagMs : 'an unknown number of'} ms behind, heard ${ageMs} ms ago`,
    )
    .join('; ');
  return { status: late.length === Object.keys(standbys).length ? 'Failed' : 'Degraded', detail };
}
