import { z } from 'zod';
import type { LoadedConfig } from '../config/load.ts';
import { needClusterFile } from '../foundationdb/cluster-file.ts';
import { memberOf, type Member, type Pair } from '../foundationdb/pair.ts';
import { pairPrograms } from '../foundationdb/pair-programs.ts';
import { EngineError } from '../platform/errors.ts';
import type { Controllers } from './controllers.ts';
import { needFoundationdb, needProgram } from './managed-foundationdb.ts';

/** The programs of FoundationDB that a pair is managed with, where they are not those of the configuration, or in PATH. */
export interface PairPrograms {
  readonly fdbcli?: string;
  readonly fdbdr?: string;
}

/** Both clusters of the configuration; `own` is the one that is named, or the first. @throws EngineError bad-request, bad-config */
export async function pairOf(
  { config, folder }: LoadedConfig,
  cluster: string | null,
  given: PairPrograms,
  signal: AbortSignal,
): Promise<Pair> {
  const foundationdb = needFoundationdb(config);
  const names = Object.keys(foundationdb.pair ?? {});
  if (names.length !== 2) throw new EngineError('bad-request', 'the configuration names no pair of clusters (database.pair)');
  if (cluster !== null && !names.includes(cluster))
    throw new EngineError('bad-request', `${cluster} is not a cluster of the pair; there are ${names.join(', ')}`);
  const configured = pairPrograms(foundationdb);
  const { fdbcli = configured.fdbcli, fdbdr = configured.fdbdr } = given;
  await Promise.all([needProgram('fdbcli', fdbcli, signal), needProgram('fdbdr', fdbdr, signal)]);
  const member = (name: string): Member => {
    const found = memberOf(foundationdb, folder, name, fdbcli);
    needClusterFile(found.client.clusterFile, `database.pair.${name}`);
    return found;
  };
  const own = cluster ?? (names[0] as string);
  const other = names.find((name) => name !== own) as string;
  return { fdbdr, own: member(own), other: member(other) };
}

/** Which of them is used now: that of the region that serves, by its own word, where regions have clusters of their own, else what the configuration names. Null: nobody says so. */
export async function servedCluster({ config }: LoadedConfig, controllers: Controllers): Promise<string | null> {
  const { pair = {}, pair_homes: homes, cluster_file: file } = needFoundationdb(config);
  if (homes === undefined) return Object.keys(pair).find((name) => pair[name] === file) ?? null;
  const answers = await Promise.all(
    Object.entries(config.regions).map(async ([region, { database }]) => {
      const status = roleShape.safeParse(await controllers.get(database, '/v1/status'));
      // One that the arbiter does not reach says that it is the primary until it hears that it is not.
      return status.data?.role === 'primary' && status.data.writable ? region : null;
    }),
  );
  const primaries = answers.filter((region) => region !== null);
  return primaries.length === 1 ? (homes[primaries[0] as string] ?? null) : null;
}

const roleShape = z.object({ role: z.string(), writable: z.boolean() });
