import { openCluster, type ClientSettings } from './client.ts';
import { fdbcli, readByFdbcli, statusByFdbcli, type Fdbcli, type FdbcliResult } from './fdbcli.ts';
import { fdbdr } from './fdbdr.ts';
import { unlockUid } from './lock.ts';
import { ERASE, noteLag, parseLag, parseRecords, PROVE_WRITABLE, READ_RECORDS, type Lag, type LagSeen } from './pair-records.ts';
import type { PairStep } from './pair-plan.ts';
import type { PairSeen, PairSide } from './pair-side.ts';

/** Of a cluster that is away; else 0.1 to 0.3 s, and 4.3 s of one that has lost a data centre (measured). */
const LOOK_MS = 8000;
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

async function lookAt({ name, cli }: Member, signal: AbortSignal): Promise<PairSide> {
  const [status, output] = await Promise.all([statusByFdbcli(cli, LOOK_MS, signal), readByFdbcli(cli, READ_RECORDS, LOOK_MS, signal)]);
  return { name, status, record: output === null ? null : parseRecords(output) };
}

async function lagOf(
  { fdbdr: program, own, other }: Pair,
  seen: Pick<PairSeen, 'own' | 'other'>,
  signal: AbortSignal,
): Promise<Lag | null> {
  if (seen.own.record?.state !== 'complete' || seen.other.status === null || seen.other.record === null) return null;
  const result = await fdbdr({ program, source: other.cli, destination: own.cli }, 'status', { timeoutMs: LOOK_MS }, signal);
  return result.kind === 'done' ? parseLag(result.said) : null;
}

/** Makes one step. What came of it the next look tells. */
export async function act(pair: Pair, step: PairStep, signal: AbortSignal): Promise<FdbcliResult> {
  const { own, other } = pair;
  const run = (command: 'start' | 'switch' | 'abort', timeoutMs: number, ...more: readonly string[]): Promise<FdbcliResult> =>
    fdbdr({ program: pair.fdbdr, source: other.cli, destination: own.cli }, command, { more, timeoutMs }, signal);
  if (step.kind === 'start') return await run('start', COMMAND_MS);
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

/** Notes the lag in the copy, for an abort; told whether it was. */
export async function note({ cli }: Member, lag: LagSeen, signal: AbortSignal): Promise<boolean> {
  return (await fdbcli(cli, noteLag(lag), WRITE_MS, signal)).kind === 'done';
}

/** A commit that a lock refuses. */
export async function provesWritable({ cli }: Member, signal: AbortSignal): Promise<FdbcliResult> {
  return await fdbcli(cli, PROVE_WRITABLE, WRITE_MS, signal);
}
