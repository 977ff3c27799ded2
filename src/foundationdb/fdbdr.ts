import { runProgram } from '../platform/run-program.ts';
import { tlsArgs, type Fdbcli, type FdbcliResult } from './fdbcli.ts';

/** Two clusters and the programs of FoundationDB to manage them. */
export interface Fdbdr {
  readonly program: string;
  readonly source: Fdbcli;
  readonly destination: Fdbcli;
}

export type FdbdrCommand = 'start' | 'status' | 'switch' | 'abort';

/**
 * Runs one command of `fdbdr`, which has no limit of its own and waits for ever where a cluster is away (`status`) or the other direction has no agents (`switch`): it is killed after `timeoutMs`, and what it was to
 * change may be half changed. Never rejects. What came of it is read back.
 */
export async function fdbdr(
  { program, source, destination }: Fdbdr,
  command: FdbdrCommand,
  { more = [], timeoutMs }: { readonly more?: readonly string[]; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<FdbcliResult> {
  const args = [command, '-s', source.clusterFile, '-d', destination.clusterFile, ...more, ...tlsArgs(source.tls)];
  const { code, said } = await runProgram({ program, args, input: '', timeoutMs }, signal);
  if (code === null) return { kind: 'unknown', said };
  return { kind: code === 0 ? 'done' : 'refused', said };
}
