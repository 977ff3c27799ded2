import type { DatabaseStatus } from '../server/control-messages.ts';
import type { Seen } from './cluster-monitor.ts';
import { isWhole } from './cluster-view.ts';

/** A status older than so many of the monitor's periods says nothing of now. */
const PERIODS_THAT_COUNT = 3;
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
 * system is whole again. Only for two regions is there a lag; in `three_datacenter` a commit is in all of them.
 */
export function replicaStatus({ seen, dataCenters, region, nowMs, periodMs }: Replicas): DatabaseStatus['standbys'] {
  const ageMs = seen.askedAtMs === null ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.round(nowMs - seen.askedAtMs));
  const isFresh = ageMs <= PERIODS_THAT_COUNT * periodMs;
  const lagSeconds = seen.view.usableRegions === 2 ? (seen.lag?.seconds ?? null) : 0;
  return Object.fromEntries(
    Object.entries(dataCenters)
      .filter(([other]) => other !== region)
      .map(([other, dc]) => {
        const inSync = isFresh && lagSeconds !== null && isWhole(seen.view, dc) === true;
        const lagMs = lagSeconds === null ? ageMs : Math.round(lagSeconds * 1000);
        return [other, { matchIndex: 0, lagEntries: inSync ? 0 : SOME, lagMs, ageMs, inSync }];
      }),
  );
}
