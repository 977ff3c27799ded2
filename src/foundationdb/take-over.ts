import type { Database } from 'foundationdb';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { isLockedCopy, readCopyNow, type CopyNow } from './copy-now.ts';
import { raiseFence } from './fence.ts';
import type { FdbcliResult } from './fdbcli.ts';
import type { KeySpace } from './key-space.ts';
import { changePair, type PairChanged } from './pair-change.ts';
import type { PairHome } from './pair-home.ts';
import type { PairChange, PairStep } from './pair-plan.ts';
import { isRunning } from './pair-records.ts';
import type { PairSeen } from './pair-side.ts';

const OWN_MS = 5000;
/** For so long the old primary's cluster is asked for its last word, which makes it certain that nothing is lost, before the copy goes on alone. */
const LAST_WORD_MS = 3000;
/** fdbdr is 0.05 to 0.2 s behind (measured); a busy machine, or agents that were started again. */
const ARRIVES_MS = 20_000;
/** What was far behind may come for as long as something does: but nobody can write. */
const ARRIVES_AT_MOST_MS = 120_000;
const ARRIVED_EVERY_MS = 50;
/** A fdbdr that somebody else has started, another region's gateway that stands still, may be at a switch that looks half done. */
const HALF_DONE_MS = 10_000;
/** What a killed switch has left is looked at for a minute first. */
const CHANGE_MS = 120_000;
/** Where there is another way, while nobody can write: a planned run has somebody to go back to, a copy that has everything can go on alone. */
const SOON_MS = 12_000;

/** What fdbdr and the clusters are asked and told with. */
export interface PairTools {
  readonly look: (signal: AbortSignal) => Promise<PairSeen>;
  /** Without the other one: it was asked just before, and would take its time again each time. */
  readonly lookAlone: (signal: AbortSignal) => Promise<PairSeen>;
  readonly act: (step: PairStep, signal: AbortSignal) => Promise<FdbcliResult>;
}

export interface TakeOver {
  readonly home: PairHome;
  readonly tools: PairTools;
  readonly own: Database;
  readonly keys: KeySpace;
  readonly clock: Clock;
  readonly log: Log;
  readonly epoch: number;
  readonly runId: string;
  /** Nothing may be lost: a switch or nothing. */
  readonly planned: boolean;
  /** Somebody has accepted by order or approval to lose what does not come here. */
  readonly mayLose: boolean;
  /** Whether this region is still the one that is to take over; asked before each step. */
  readonly isWanted: () => Promise<boolean>;
}

/** What is in the way. `lacks`: the other cluster answers, and what it committed last does not come here. That no time mends: whether to go on without it is for people. */
export interface Hindered {
  readonly kind: 'unavailable' | 'lacks';
  readonly message: string;
}

/** Null: its own cluster takes writes, and nobody else's does. */
export type TookOver = Hindered | null;

/**
 * Makes this region's cluster the primary of its pair, whatever was done of that before, by whomever: all is planned from what the clusters say. The other one is fenced first, in its database, by the epoch: where that
 * can be done nothing of a lower epoch is committed any more, and as soon as the fence itself has come here, so has everything that was acknowledged; then it is a switch, and where none can be made (no agents the other
 * way) the copy goes on alone, and lacks nothing. Where the fence does not come, people are asked. Where that one does not answer, the copy goes on
 * alone, with what it has: how much that may lack was judged before this was asked for (gate, approval), and the old primary's lease is over. Never rejects but with the signal's reason.
 */
export async function takeOver(asked: TakeOver, signal: AbortSignal): Promise<TookOver> {
  const { home, own, keys, epoch, planned } = asked;
  const { own: mine, other } = home.members;
  const now = await readCopyNow(own, keys, OWN_MS, signal);
  if (now === null) return unavailable(`${mine.name} does not answer`);
  if (now.lockUid === null && !isRunning(now.state)) return await whyNotAsItIs(asked, now, signal);
  if (!isLockedCopy(now) && now.lockUid !== null) return unavailable(`${mine.name} is locked under ${now.lockUid}, which is not fdbdr's`);
  const fenced = await raiseFence(home.other.db, keys.fence, epoch, LAST_WORD_MS);
  if (fenced.kind === 'done') {
    if (fenced.value.kind === 'passed') return unavailable(`${other.name} is fenced by epoch ${fenced.value.fence.epoch} already`);
    if (!(await hasArrived(asked, signal)))
      return await goOnWithout(asked, `${mine.name} has not got what ${other.name} committed last, and does not get it`, signal);
    const failed = await change(asked, SWITCH, SOON_MS, signal);
    return failed === null || planned ? failed : await change(asked, ALONE, CHANGE_MS, signal);
  }
  // Locked: a switch is half done, or was.
  if (fenced.kind === 'not-done' && fenced.reason === 'locked') {
    const failed = await change(asked, SWITCH, planned ? SOON_MS : CHANGE_MS, signal);
    return failed === null ? null : await goOnWithout(asked, failed.message, signal);
  }
  if (planned) return unavailable(`${other.name} does not answer, and nothing may be lost`);
  return await change(asked, ALONE, CHANGE_MS, signal);
}

const unavailable = (message: string): Hindered => ({ kind: 'unavailable', message });

/** What the other cluster has, which answers, is left there only where somebody has said so. */
async function goOnWithout(asked: TakeOver, why: string, signal: AbortSignal): Promise<TookOver> {
  // Who is not wanted, or cannot hear it of the arbiter, asks nobody.
  if (asked.planned || !(await asked.isWanted())) return unavailable(why);
  if (asked.mayLose) return await change(asked, ALONE, CHANGE_MS, signal);
  const { own, other } = asked.home.members;
  const mended = `${other.name} answers: nothing is lost where dr_agent runs, with the cluster file of ${other.name} as -s and that of ${own.name} as -d`;
  return { kind: 'lacks', message: `${why}. ${mended}. coditect-dr approve --accept-data-loss=SECONDS goes on without that` };
}

const SWITCH = { kind: 'switch', maxLagSeconds: Infinity } as const;
const ALONE = { kind: 'abort', acceptLossSeconds: 'any', wallMs: 0 } as const;

/** It is no copy. That is right for a primary; one that was left behind by an abort must not come before a database that has gone on. */
async function whyNotAsItIs({ home, keys, epoch }: TakeOver, now: CopyNow, signal: AbortSignal): Promise<TookOver> {
  const { own, other: further } = home.members;
  if (now.fence.servedEpoch === 0 && !now.fence.restored)
    return unavailable(`${own.name} is no copy, and was never served: it has nothing of this system`);
  const other = await readCopyNow(home.other.db, keys, LAST_WORD_MS, signal);
  // A copy of this one has never more than this one, and whoever has locked it otherwise gives it back.
  if (other === null || other.fence.servedEpoch <= now.fence.servedEpoch) return null;
  const served = `${own.name} served last in epoch ${now.fence.servedEpoch}, ${further.name} in ${other.fence.servedEpoch}`;
  return unavailable(`${served}, and that answers: epoch ${epoch} is for a region of ${further.name}`);
}

async function hasArrived({ own, keys, clock, epoch, planned }: TakeOver, signal: AbortSignal): Promise<boolean> {
  const begunMs = clock.monotonicMs();
  let came = { version: 0, atMs: begunMs };
  for (let nowMs = begunMs; nowMs - came.atMs < ARRIVES_MS && nowMs - begunMs < ARRIVES_AT_MOST_MS; nowMs = clock.monotonicMs()) {
    const now = await readCopyNow(own, keys, OWN_MS, signal);
    if (now !== null && now.fence.epoch >= epoch) return true;
    const version = now?.pulse?.version ?? 0;
    if (!planned && version > came.version) came = { version, atMs: nowMs };
    await clock.sleep(ARRIVED_EVERY_MS, signal);
  }
  return false;
}

async function change(asked: TakeOver, wanted: PairChange, patienceMs: number, signal: AbortSignal): Promise<TookOver> {
  const { home, tools, clock, log, runId, epoch } = asked;
  const { members } = home;
  log.info('pair_changing', { epoch, change: wanted.kind, to: members.own.name }, runId);
  const changed = await changePair(
    {
      change: wanted,
      clock,
      patienceMs,
      outageMs: 0,
      status: wanted.kind === 'abort' ? tools.lookAlone : tools.look,
      act: actsOf(asked),
      inWords: (step) => step.kind,
      onWait: (why) => log.info('pair_waiting', { why }, runId),
    },
    signal,
  );
  log.info('pair_changed', { epoch, change: wanted.kind, to: members.own.name, ...told(changed) }, runId);
  return changed.kind === 'done' ? null : unavailable(changed.why);
}

const told = ({ kind, why, acted }: PairChanged): object => ({ result: kind, why, acted });

function actsOf({ tools, isWanted, clock, log, runId }: TakeOver): PairTools['act'] {
  let halfSinceMs: number | null = null;
  return async (step, signal) => {
    if (!(await isWanted())) return { kind: 'refused', said: 'another region is to take over by now' };
    if (step.kind === 'switch' && step.again) {
      halfSinceMs ??= clock.monotonicMs();
      if (clock.monotonicMs() - halfSinceMs < HALF_DONE_MS)
        return { kind: 'unknown', said: 'a switch is half done; whether another fdbdr is at it is waited for' };
    }
    log.info('pair_step', { step: step.kind }, runId);
    return await tools.act(step, signal);
  };
}
