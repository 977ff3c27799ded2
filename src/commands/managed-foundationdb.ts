import type { EngineConfig } from '../config/config.ts';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { clientSettings, forPrograms } from '../foundationdb/client.ts';
import { needClusterFile } from '../foundationdb/cluster-file.ts';
import type { Fdbcli } from '../foundationdb/fdbcli.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { runProgram } from '../platform/run-program.ts';
import { Controllers } from './controllers.ts';
import type { Tell } from './ordering.ts';

const RESUME_MS = 20_000;
const AGAIN_MS = 500;
const VERSION_MS = 10_000;

/** @throws EngineError bad-request where the system has another database */
export function needFoundationdb({ database }: EngineConfig): FoundationdbConfig {
  if (database.kind !== 'foundationdb') throw new EngineError('bad-request', 'the database of this system is not FoundationDB');
  return database;
}

/**
 * How the cluster of this configuration is managed, with a program that is tried first: what waits for its answers would else wait for none.
 * @throws EngineError bad-request where it cannot be used, bad-config where the cluster file is not there
 */
export async function managedWith(fdbcli: string, config: FoundationdbConfig, folder: string, signal: AbortSignal): Promise<Fdbcli> {
  await needProgram('fdbcli', fdbcli, signal);
  const settings = clientSettings(config, folder);
  needClusterFile(settings.clusterFile);
  return { program: fdbcli, ...forPrograms(settings) };
}

/** @throws EngineError bad-request where it cannot be used */
export async function needProgram(option: 'fdbcli' | 'fdbdr', program: string, signal: AbortSignal): Promise<void> {
  const { code, said } = await runProgram({ program, args: ['--version'], input: '', timeoutMs: VERSION_MS }, signal);
  signal.throwIfAborted();
  if (code !== 0)
    throw new EngineError(
      'bad-request',
      `--${option}: ${program} cannot be used: ${said}; install the FoundationDB client package of the version of your servers (foundationdb-clients), or name the program with --${option}=FILE`,
    );
}

/** A region whose gateway commits, as it does to tell its status; null: none that answers. */
export async function whoCommits(controllers: Controllers): Promise<string | null> {
  const regions = Object.entries(controllers.config.regions);
  const answers = await Promise.all(
    regions.map(async ([region, { database }]) => [region, await controllers.get(database, '/v1/status')] as const),
  );
  return answers.find(([, status]) => status !== undefined)?.[0] ?? null;
}

/** Why nothing of FoundationDB is changed then: a failover could begin in the middle of it. */
export const NOBODY_LEADS =
  'no controller that leads answers, so nobody can be kept from failing over meanwhile; is the arbiter reachable?';

/** Null: no run of the leader is. */
export function whatIsUnderWay({ run }: ControllerStatus): string | null {
  return run === undefined ? null : `${run.tier} ${run.runId} is under way (${run.step})`;
}

/** What the pauses of orders that change FoundationDB are for, as they write it: two of them never work at once. */
const ORDERED = /^FoundationDB(: (add|prefer|drop|set-up|pair start|pair switch|pair abort) | is to go on in )/;

export const isPauseOfOrder = (why: string): boolean => ORDERED.test(why);

export interface Resuming {
  readonly by: string;
  /** What the order's own pause says; one of somebody else, made meanwhile, is theirs to end. */
  readonly pausedFor: string;
  readonly why: string;
}

/** Ends an order's pause, with a time of its own, until somebody says yes or no: whoever was interrupted leaves no pause behind. */
export async function resume(loaded: LoadedConfig, { by, pausedFor, why }: Resuming, tell: Tell): Promise<void> {
  const signal = AbortSignal.timeout(RESUME_MS);
  const controllers = new Controllers(loaded, signal);
  const end = () => controllers.endPause({ by, why: why.slice(0, 1000), of: { why: pausedFor } });
  try {
    let ended = await end();
    while (ended.kind === 'undecided' && !signal.aborted) {
      await systemClock.sleep(AGAIN_MS, signal).catch(() => undefined);
      ended = await end();
    }
    if (ended.kind === 'ok') return;
    const held = (await controllers.leader())?.answer.paused;
    if (held !== undefined && held.why !== pausedFor) tell('still paused', `${held.by} has paused failovers meanwhile (${held.why})`);
    else if (held !== undefined || ended.kind === 'undecided') tell('still paused', `${ended.why}; coditect-dr resume ends the pause`);
  } finally {
    controllers.close();
  }
}
