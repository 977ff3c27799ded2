import { runProgram, type ProgramResult } from '../platform/run-program.ts';
import { parseStatus, type ClusterStatus } from './status-json.ts';

export interface Fdbcli {
  /** The program; FoundationDB's own, of the cluster's version. */
  readonly program: string;
  readonly clusterFile: string;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

export type FdbcliResult =
  | { readonly kind: 'done'; readonly said: string }
  /** It said no: nothing was changed. */
  | { readonly kind: 'refused'; readonly said: string }
  /** It did not finish: what it was to change may have been changed. Read back. */
  | { readonly kind: 'unknown'; readonly said: string };

/** More than fdbcli's own limit, so that its answer comes before our end of it. */
const GRACE_MS = 2000;
/** A status has about 5 kB a process. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** Words with which fdbcli ends although it exits with 0: the change was not made. */
const NOT_DONE = /^(ERROR:|The database is unavailable|Configuration failed|Type `|Usage:|Could not )/im;

/**
 * Runs one command of `fdbcli`. Its exit code is not enough: it is 0 for some commands that changed nothing, so that whoever changes something reads it back (`status json`), and an
 * empty answer is none (three of three seen in the middle of a failover). Never rejects.
 */
export async function fdbcli(cli: Fdbcli, command: string, timeoutMs: number, signal: AbortSignal): Promise<FdbcliResult> {
  const { code, said } = await run(cli, command, timeoutMs, signal);
  return judgeAnswer(code, said);
}

/** The cluster's status; null where there is none: fdbcli gave up, or printed half of one. */
export async function statusByFdbcli(cli: Fdbcli, timeoutMs: number, signal: AbortSignal): Promise<ClusterStatus | null> {
  return parseStatus((await run(cli, 'status json', timeoutMs, signal)).output);
}

/** What reads print, to be read by a program; null where fdbcli did not end well. Keys of users may be in it: its words prove nothing. */
export async function readByFdbcli(cli: Fdbcli, commands: string, timeoutMs: number, signal: AbortSignal): Promise<string | null> {
  const { code, output } = await run(cli, commands, timeoutMs, signal);
  return code === 0 ? output : null;
}

async function run({ program, clusterFile, tls }: Fdbcli, command: string, timeoutMs: number, signal: AbortSignal): Promise<ProgramResult> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const args = ['-C', clusterFile, ...tlsArgs(tls), '--timeout', String(seconds), '--exec', command];
  return await runProgram({ program, args, input: '', timeoutMs: seconds * 1000 + GRACE_MS, maxOutputBytes: MAX_OUTPUT_BYTES }, signal);
}

/** What an exit code and an output mean. */
export function judgeAnswer(code: number | null, said: string): FdbcliResult {
  if (code === null) return { kind: 'unknown', said };
  // Its time-out: exit code 1 and an empty output or this line.
  if (/Specified timeout reached|timed out/i.test(said)) return { kind: 'unknown', said };
  if (code === 0) return NOT_DONE.test(said) ? { kind: 'refused', said } : { kind: 'done', said };
  return /^exit code \d+$/.test(said) ? { kind: 'unknown', said } : { kind: 'refused', said };
}

/** How somebody types it for this cluster; a command follows as `--exec "…"`. */
export function fdbcliWords({ clusterFile, tls }: Pick<Fdbcli, 'clusterFile' | 'tls'>): string {
  return ['fdbcli', '-C', clusterFile, ...tlsArgs(tls)].map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word}'`)).join(' ');
}

/** Of every program of FoundationDB. */
export function tlsArgs(tls: Fdbcli['tls']): readonly string[] {
  if (tls === undefined) return [];
  return ['--tls_certificate_file', tls.cert, '--tls_key_file', tls.key, '--tls_ca_file', tls.ca];
}
