import type { LoadedConfig } from '../config/load.ts';
import { clientSettings, forPrograms, needClusterFile } from '../foundationdb/client.ts';
import type { Member, Pair } from '../foundationdb/pair.ts';
import { EngineError } from '../platform/errors.ts';
import { needFoundationdb, needProgram } from './managed-foundationdb.ts';

/** The programs of FoundationDB that a pair is managed with. */
export interface PairPrograms {
  readonly fdbcli: string;
  readonly fdbdr: string;
}

/** Both clusters of the configuration; `own` is the one that is named, or the first. `served`: which of them the gateways use. @throws EngineError bad-request, bad-config */
export async function pairOf(
  { config, folder }: LoadedConfig,
  cluster: string | null,
  programs: PairPrograms,
  signal: AbortSignal,
): Promise<{ readonly pair: Pair; readonly served: string }> {
  const foundationdb = needFoundationdb(config);
  const names = Object.keys(foundationdb.pair ?? {});
  if (names.length !== 2) throw new EngineError('bad-request', 'the configuration names no pair of clusters (database.pair)');
  if (cluster !== null && !names.includes(cluster))
    throw new EngineError('bad-request', `${cluster} is not a cluster of the pair; there are ${names.join(', ')}`);
  await Promise.all([needProgram('fdbcli', programs.fdbcli, signal), needProgram('fdbdr', programs.fdbdr, signal)]);
  const member = (name: string): Member => {
    const client = clientSettings({ ...foundationdb, cluster_file: foundationdb.pair?.[name] ?? '' }, folder);
    needClusterFile(client.clusterFile);
    return { name, client, cli: { program: programs.fdbcli, ...forPrograms(client) } };
  };
  const own = cluster ?? (names[0] as string);
  const other = names.find((name) => name !== own) as string;
  const served = names.find((name) => foundationdb.pair?.[name] === foundationdb.cluster_file) ?? own;
  return { pair: { fdbdr: programs.fdbdr, own: member(own), other: member(other) }, served };
}
