import type { Database } from 'foundationdb';
import type { EngineConfig } from '../config/config.ts';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { UNKNOWN_LAG_ENTRIES, UNKNOWN_LAG_MS } from '../replication/lag.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { memberOf, type Pair } from './pair.ts';
import { pairPrograms } from './pair-programs.ts';
import type { PairWatch } from './pair-watch.ts';

/** The other cluster of a pair, open. */
export interface OtherCluster {
  readonly name: string;
  readonly db: Database;
}

/** A pair of which each region serves from its own cluster, as one region's gateway sees it. */
export interface PairHome {
  readonly other: OtherCluster;
  /** `own` is this region's. */
  readonly members: Pair;
  /** Cluster of each region. */
  readonly homes: Readonly<Record<string, string>>;
}

/** Null where all regions use one cluster, whatever is copied from it. */
export function pairHomeOf(
  { region }: Pick<EngineConfig, 'region'>,
  foundationdb: FoundationdbConfig,
  folder: string,
  other: OtherCluster | null,
): PairHome | null {
  const { pair_homes: homes } = foundationdb;
  const own = homes?.[region];
  if (homes === undefined || own === undefined || other === null) return null;
  const { fdbcli, fdbdr } = pairPrograms(foundationdb);
  const member = (name: string) => memberOf(foundationdb, folder, name, fdbcli);
  return { other, homes, members: { fdbdr, own: member(own), other: member(other.name) } };
}

const NOTHING = { matchIndex: 0, lagEntries: 0, lagMs: 0, ageMs: 0, inSync: true };

/** How the other regions are for the one that serves: those of its own cluster have the same database, the others a copy as far as it has come. */
export function homeStandbys(
  { homes }: Pick<PairHome, 'homes'>,
  watch: Pick<PairWatch, 'lagMs' | 'copyRuns' | 'seen'>,
  { region, rpoMs, nowMs }: { readonly region: string; readonly rpoMs: number; readonly nowMs: number },
): DatabaseStatus['standbys'] {
  const known = watch.lagMs();
  const { answeredAtMs } = watch.seen;
  const ageMs = answeredAtMs === null ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.round(nowMs - answeredAtMs));
  const inSync = watch.copyRuns === true && known !== null && known <= rpoMs;
  const lagMs = known === null ? UNKNOWN_LAG_MS : Math.ceil(known);
  const copy = { matchIndex: 0, lagEntries: inSync ? 0 : UNKNOWN_LAG_ENTRIES, lagMs, ageMs, inSync };
  const others = Object.entries(homes).filter(([other]) => other !== region);
  return Object.fromEntries(others.map(([other, name]) => [other, name === homes[region] ? NOTHING : copy]));
}
