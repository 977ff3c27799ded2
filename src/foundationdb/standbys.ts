import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { isRecent, type Seen } from './cluster-monitor.ts';
import { canTake } from './cluster-view.ts';

/** What a region that is not whole is told to lack: nobody counts entries here. */
const SOME = 1;

export interface Replicas {
  readonly seen: Seen;
  /** Data centre of each region. */
  readonly dataCenters: Readonly<Record<string, string>>;
  readonly region: string;
  readonly nowMs: number;
  readonly periodMs: number;
}

/**
 * How FoundationDB's copies in the other regions are, in the words of the contract: `inSync` where the data centre has its storage, all data all its copies and the transaction
 * system is whole again; or where it serves and another one is away that was there once (`canTake`). Only for two regions is there a lag; in `three_datacenter` a commit is in all of them.
 */
export function replicaStatus({ seen, dataCenters, region, nowMs, periodMs }: Replicas): DatabaseStatus['standbys'] {
  const ageMs = seen.askedAtMs === null ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.round(nowMs - seen.askedAtMs));
  const isFresh = isRecent(seen, nowMs, periodMs);
  const lagSeconds = seen.view.usableRegions === 2 ? (seen.lag?.seconds ?? null) : 0;
  return Object.fromEntries(
    Object.entries(dataCenters)
      .filter(([other]) => other !== region)
      .map(([other, dc]) => {
        const inSync = isFresh && lagSeconds !== null && canTake(seen.view, dc, seen.awaySinceMs) === true;
        const lagMs = isFresh && lagSeconds !== null ? Math.round(lagSeconds * 1000) : UNKNOWN_LAG_MS;
        return [other, { matchIndex: 0, lagEntries: inSync ? 0 : SOME, lagMs, ageMs, inSync }];
      }),
  );
}

/**
 * The region that the service should be in rather than in this one, whose own data centre is away although FoundationDB serves: the one that FoundationDB itself has moved to, else the first that
 * has storage. `forMs`: for how long that has been seen. Null: this one is as good as any, or nothing is known.
 */
export function betterRegion({ seen, dataCenters, region, nowMs, periodMs }: Replicas): { region: string; forMs: number } | null {
  const { view, awaySinceMs, askedAtMs } = seen;
  const sinceMs = awaySinceMs.get(dataCenters[region] ?? '');
  if (sinceMs === undefined || askedAtMs === null || !isRecent(seen, nowMs, periodMs)) return null;
  const able = Object.entries(dataCenters).filter(([other, dc]) => other !== region && canTake(view, dc, awaySinceMs) === true);
  const [best] = able.find(([, dc]) => dc === view.primaryDc) ?? able[0] ?? [];
  return best === undefined ? null : { region: best, forMs: Math.round(askedAtMs - sinceMs) };
}
