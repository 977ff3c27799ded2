import { z } from 'zod';
import { EngineError } from '../../platform/errors.ts';
import { parseJson } from '../../platform/https-client.ts';
import { runProgram } from '../../platform/run-program.ts';
import { tlsArgs, type Fdbcli } from '../fdbcli.ts';
import { afterPrefix, type KeySpace } from '../key-space.ts';

/** FoundationDB's own backup, as far as we use it: it only logs what is changed in a key space, into a folder of this machine. */
export interface Fdbbackup {
  readonly program: string;
  readonly clusterFile: string;
  readonly tls?: Fdbcli['tls'];
  /** Of the backup: one for each key space. */
  readonly tag: string;
  /** Absolute; its `backup_agent` makes a folder in it. */
  readonly folder: string;
}

export interface CaptureStatus {
  /** `starting`: it is ordered, and nothing is logged yet. */
  readonly state: 'none' | 'starting' | 'running';
  /** Where it writes; null where there is none. */
  readonly url: string | null;
  /** All files of versions before this one were written. */
  readonly logEnd: number | null;
}

/** A cluster that recovers keeps it waiting. */
const LIMIT_MS = 20_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** @throws EngineError database-unavailable */
export async function captureStatus(backup: Fdbbackup, signal: AbortSignal): Promise<CaptureStatus> {
  return readStatus((await run(backup, ['status', '--json'], signal)).output);
}

/** What `fdbbackup status --json` says. @throws EngineError database-unavailable where that is no status */
export function readStatus(text: string): CaptureStatus {
  let status: Partial<Stated>;
  try {
    status = JSON.parse(text) as Partial<Stated>;
  } catch (error) {
    throw new EngineError('database-unavailable', 'fdbbackup gave no status', error);
  }
  if (status.SchemaVersion?.startsWith('1.') !== true)
    throw new EngineError('database-unavailable', `fdbbackup gave a status of version ${String(status.SchemaVersion)}`);
  const { Status: state, DestinationURL: url, LatestLogEnd: logEnd } = status;
  if (state?.Running !== true) return { state: 'none', url: null, logEnd: null };
  return { state: state.Name === 'Submitted' ? 'starting' : 'running', url: url ?? null, logEnd: logEnd?.Version ?? null };
}

/** How many agents a cluster's status document tells of. They report every 40 s; one that has ended is told for about as long. */
export function runningAgents(status: string): number {
  const told = agentsShape.safeParse(parseJson(Buffer.from(status)));
  return told.success ? told.data.cluster.layers.backup.instances_running : 0;
}

const agentsShape = z.object({
  cluster: z.object({ layers: z.object({ backup: z.object({ instances_running: z.number() }) }) }),
});

interface Stated {
  readonly SchemaVersion: string;
  readonly Status: { readonly Name: string; readonly Running: boolean };
  readonly DestinationURL: string;
  readonly LatestLogEnd: { readonly Version: number };
}

/**
 * Logs what is changed in the data of the key space, and its fence, from a moment after this on: `captureStatus` says when. No snapshot is made: backups of ours are what the log continues.
 * @throws EngineError database-unavailable
 */
export async function startCapture(backup: Fdbbackup, keys: KeySpace, signal: AbortSignal): Promise<void> {
  const words = ['start', '-d', `file://${backup.folder}`, '-z', '--incremental'];
  // The prefix is of letters, digits and few signs: nothing in it is an escape of fdbbackup's.
  const range = (prefix: Buffer, end: Buffer): readonly string[] => ['-k', `${prefix.toString()} ${end.toString()}`];
  await run(backup, [...words, ...range(keys.data, afterPrefix(keys.data)), ...range(keys.fence, afterPrefix(keys.fence))], signal);
}

/** Ends it; also what is logged and was not written yet is deleted in the database. */
export async function abortCapture(backup: Fdbbackup, signal: AbortSignal): Promise<void> {
  await run(backup, ['abort'], signal);
}

/** How somebody ends it by hand. */
export function abortWords({ clusterFile, tls, tag }: Fdbbackup): string {
  return ['fdbbackup', 'abort', '-C', clusterFile, '-t', tag, ...tlsArgs(tls)].join(' ');
}

async function run(
  { program, clusterFile, tls, tag }: Fdbbackup,
  [verb, ...words]: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly output: string }> {
  const args = [verb!, '-C', clusterFile, '-t', tag, ...words, ...tlsArgs(tls)];
  const { code, said, output } = await runProgram(
    { program, args, input: '', timeoutMs: LIMIT_MS, maxOutputBytes: MAX_OUTPUT_BYTES },
    signal,
  );
  if (code !== 0) throw new EngineError('database-unavailable', `fdbbackup ${verb}: ${said}`);
  return { output };
}
