import { systemClock } from '../platform/clock.ts';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { clientSettings, forPrograms, openCluster, type ClientSettings } from './client.ts';
import { fdbcli, readByFdbcli, statusByFdbcli, type Fdbcli, type FdbcliResult } from './fdbcli.ts';
import { fdbdr } from './fdbdr.ts';
import { unlockUid } from './lock.ts';
import { ERASE, noteLag, parseLag, parseRecords, PROVE_WRITABLE, READ_RECORDS, type LagSeen } from './pair-records.ts';
import type { PairStep } from './pair-plan.ts';
import { lockOn, type LagTold, type PairSeen, type PairSide } from './pair-side.ts';

/** Of a cluster that is away; else 0.1 to 0.3 s, and 4.3 s of one that has lost a data centre (measured). */
export const LOOK_MS = 8000;
const WRITE_MS = 20_000;
/** Its copy of what was written last, and the start of the other direction: 0.6 to 3 s, measured. */
const SWITCH_MS = 60_000;
const COMMAND_MS = 60_000;
const UNLOCK_MS = 10_000;

/** One of the two, with what it is managed by. */
export interface Member {
  readonly name: string;
  readonly cli: Fdbcli;
  readonly client: ClientSettings;
}

/** The one that the configuration calls so. */
export function memberOf(foundationdb: FoundationdbConfig, folder: string, name: string, program: string): Member {
  const client = clientSettings({ ...foundationdb, cluster_file: foundationdb.pair?.[name] ?? '' }, folder);
  return { name, client, cli: { program, ...forPrograms(client) } };
}

export interface Pair {
  readonly fdbdr: string;
  /** Whom the order names. */
  readonly own: Member;
  readonly other: Member;
}

/** What both say now. Each is asked by itself: one that is away takes its time, and nothing of the other. */
export async function lookAtPair(pair: Pair, signal: AbortSignal): Promise<PairSeen> {
  const [own, other] = await Promise.all([lookAt(pair.own, signal), lookAt(pair.other, signal)]);
  return { own, other, lag: await lagOf(pair, { own, other }, signal) };
}

/** The same look the other way round: the lag is of one direction. */
export async function turnLook(turned: Pair, { own, other }: PairSeen, signal: AbortSignal): Promise<PairSeen> {
  return { own: other, other: own, lag: await lagOf(turned, { own: other, other: own }, signal) };
}

/** One of them. */
export async function lookAt({ name, cli }: Member, signal: AbortSignal): Promise<PairSide> {
  const [status, output] = await Promise.all([statusByFdbcli(cli, LOOK_MS, signal), readByFdbcli(cli, READ_RECORDS, LOOK_MS, signal)]);
  return { name, status, record: output === null ? null : parseRecords(output) };
}

async function lagOf(
  { fdbdr: program, own, other }: Pair,
  seen: Pick<PairSeen, 'own' | 'other'>,
  signal: AbortSignal,
): Promise<LagTold | null> {
  if (seen.own.record?.state !== 'complete' || seen.other.status === null || seen.other.record === null) return null;
  const askedMs = systemClock.wall().getTime();
  const result = await fdbdr({ program, source: other.cli, destination: own.cli }, 'status', { timeoutMs: LOOK_MS }, signal);
  const lag = result.kind === 'done' ? parseLag(result.said) : null;
  return lag === null ? null : { ...lag, askedMs };
}

/** Makes one step. What came of it the next look tells. */
export async function act(pair: Pair, step: PairStep, signal: AbortSignal): Promise<FdbcliResult> {
  const { own, other } = pair;
  const run = (command: 'start' | 'switch' | 'abort', timeoutMs: number, ...more: readonly string[]): Promise<FdbcliResult> =>
    fdbdr({ program: pair.fdbdr, source: other.cli, destination: own.cli }, command, { more, timeoutMs }, signal);
  if (step.kind === 'start') return await run('start', COMMAND_MS);
  if (step.kind === 'switch' && !(await noteSeen(own, await lookAtPair(pair, signal), signal)) && !step.again)
    return {
      kind: 'unknown',
      said: `that ${own.name} is the copy could not be noted there, without which a switch that is killed could not be undone`,
    };
  if (step.kind === 'switch') return await run('switch', SWITCH_MS, ...(step.again ? ['-f'] : []));
  if (step.kind === 'abort') return await run('abort', COMMAND_MS, '--dstonly');
  if (step.kind === 'erase') return await fdbcli(own.cli, ERASE, WRITE_MS, signal);
  return await unlock(step.side === 'own' ? own : other, step.uid);
}

/** Compares and clears: a lock that is not fdbdr's any more stays. */
async function unlock({ name, client }: Member, uid: string): Promise<FdbcliResult> {
  const db = openCluster(client);
  try {
    const outcome = await unlockUid(db, uid, UNLOCK_MS);
    if (outcome.kind !== 'done') return { kind: 'unknown', said: `${name} was not unlocked: ${outcome.message}` };
    const { value } = outcome;
    if (value.kind === 'foreign') return { kind: 'refused', said: `${name} is locked under ${value.uid} by now, which is not fdbdr's` };
    return { kind: 'done', said: 'unlocked' };
  } finally {
    db.close();
  }
}

/**
 * Notes in the copy how far behind it was, for an abort, and under which lock it was the copy, for a switch that is killed; told whether it was. Only what is a complete copy under fdbdr's lock is noted.
 */
export async function noteSeen({ cli }: Member, { own, lag }: PairSeen, signal: AbortSignal): Promise<boolean> {
  const { uid = null, lock = null } = own.record ?? {};
  if (lag === null || lag.seconds === null || uid === null || lockOn(own).kind !== 'fdbdr') return false;
  const seen: LagSeen = { wallMs: lag.askedMs, seconds: lag.seconds, uid, lock };
  return (await fdbcli(cli, noteLag(seen), WRITE_MS, signal)).kind === 'done';
}

/** A commit that a lock refuses. */
export async function provesWritable({ cli }: Member, signal: AbortSignal): Promise<FdbcliResult> {
  return await fdbcli(cli, PROVE_WRITABLE, WRITE_MS, signal);
}
