import { done, refused, wait, type Plan } from './follow-plan.ts';
import { isRunning } from './pair-records.ts';
import {
  agentsOf,
  behindText,
  isLockedAsCopy,
  isOneCluster,
  isTold,
  lockInWords,
  lockOn,
  serves,
  type PairSeen,
  type PairSide,
} from './pair-side.ts';

/** What is to become of a pair of clusters, of which one is kept as a copy of the other by fdbdr. Each names the cluster that it is about (`PairSeen.own`). */
export type PairChange =
  /** It becomes the copy; `erase`: what is there may go. */
  | { readonly kind: 'start'; readonly erase: boolean }
  /** The copy takes over, nothing is lost, and the other one becomes the copy. */
  | { readonly kind: 'switch'; readonly maxLagSeconds: number }
  /** The copy goes on alone, without what it has not got. */
  | { readonly kind: 'abort'; readonly acceptLossSeconds: number | 'any'; readonly wallMs: number };

export type PairStep =
  | { readonly kind: 'erase' }
  | { readonly kind: 'start' }
  | { readonly kind: 'abort' }
  /** `again`: one that was begun and not ended. */
  | { readonly kind: 'switch'; readonly again: boolean }
  /** A lock that fdbdr has left, by its UID. */
  | { readonly kind: 'unlock'; readonly side: 'own' | 'other'; readonly uid: string };

/** `outage`: the other cluster does not answer. `nobody-switches`: what a switch left stands still, and no fdbdr is still at it. */
export type PairHeld = 'outage' | 'nobody-switches';

/** `once`: only after it has been so without a break. */
export type PairPlan = Plan<PairStep> & { readonly once?: PairHeld };

/**
 * The next step of a change, by what both clusters say now. How far it has come stands in the clusters, in the records and locks of fdbdr, and nowhere else: whoever was interrupted, or somebody else, goes
 * on by asking again.
 */
export function planPairChange(change: PairChange, seen: PairSeen): PairPlan {
  const { own, other } = seen;
  if (own.status === null || own.record === null) return wait(`${own.name} does not answer`);
  if (!serves(own)) return wait(`${own.name} does not serve`);
  const lock = lockOn(own);
  if (lock.kind === 'unknown') return wait(`${own.name} does not tell whether it is locked`);
  if (lock.kind === 'foreign') return refused(`${lockInWords(own.name, lock.uid)}; what it stands for has to end first`);
  const now: Now = { ...seen, state: own.record.state, uid: own.record.uid ?? '', isLocked: lock.kind === 'fdbdr' };
  if (change.kind === 'abort') return abort(now, change);
  if (other.status === null || other.record === null) return wait(`${other.name} does not answer`);
  if (!serves(other)) return wait(`${other.name} does not serve`);
  const isOne = isOneCluster(own, other);
  if (isOne === true) return refused(`both cluster files name one cluster, with the same processes: there is no pair`);
  if (isOne === null) return wait('the clusters do not tell of their processes');
  const otherLock = lockOn(other);
  if (otherLock.kind === 'unknown') return wait(`${other.name} does not tell whether it is locked`);
  if (otherLock.kind === 'foreign') return refused(`${lockInWords(other.name, otherLock.uid)}; what it stands for has to end first`);
  const both: Both = { ...now, otherState: other.record.state, otherLockUid: otherLock.kind === 'fdbdr' ? otherLock.uid : null };
  return change.kind === 'start' ? start(both, change.erase) : switchOver(both, change.maxLagSeconds);
}

interface Now extends PairSeen {
  /** Of `own` as a copy. */
  readonly state: NonNullable<PairSide['record']>['state'];
  readonly uid: string;
  /** Under fdbdr's lock. */
  readonly isLocked: boolean;
}

interface Both extends Now {
  /** Of `other` as a copy of `own`. */
  readonly otherState: Now['state'];
  /** Null: not locked. */
  readonly otherLockUid: string | null;
}

function start({ own, other, state, isLocked, otherState, otherLockUid }: Both, erase: boolean): PairPlan {
  if (otherLockUid !== null)
    return refused(
      isLocked
        ? `both are locked by fdbdr: a switch is half done; finish it with pair switch`
        : `${other.name} is locked by fdbdr (its copy of ${own.name}): ${own.name} is the primary`,
    );
  if (isRunning(otherState)) return refused(`fdbdr writes into ${other.name}: ${own.name} is what it copies`);
  if (isRunning(state) && !isLocked) return refused(unlockedCopy(own, other));
  if (state === 'half-aborted') return refused(`a copy in ${own.name} was half aborted: pair abort ${own.name} ends that first`);
  const agents = agentsOf(other, own);
  if (agents === null) return wait('the clusters do not tell of their agents');
  if (agents === 0) return refused(noAgents(other, own));
  if (state === 'complete') return done(`${own.name} is a complete copy of ${other.name}`);
  if (isRunning(state)) return wait(`fdbdr copies ${other.name} to ${own.name}`);
  if (own.record?.isEmpty === true) return { kind: 'do', step: { kind: 'start' } };
  if (erase) return { kind: 'do', step: { kind: 'erase' } };
  return refused(
    `${own.name} has data, which would be lost, and with it what was acknowledged there and never came to ${other.name}: if it may be, --erase=${own.name}`,
  );
}

function switchOver(now: Both, maxLagSeconds: number): PairPlan {
  const { own, other, state, isLocked, otherState, otherLockUid } = now;
  if (!isLocked && otherLockUid !== null && isRunning(otherState)) return done(`${own.name} is the primary, ${other.name} its copy`);
  if (!isLocked && isRunning(state)) return refused(unlockedCopy(own, other));
  if (!isLocked && otherLockUid !== null && otherState === 'stopped')
    return refused(
      `${own.name} is the primary already; the copy in ${other.name} has stopped, and it goes on without it: pair start ${other.name} --erase=${other.name}`,
    );
  if (!isLocked) return refused(`${own.name} is no copy of ${other.name}: pair start ${own.name} makes it one`);
  if (otherLockUid !== null && state === 'stopped') return halfSwitched(now, otherLockUid);
  if (state === 'stopped')
    return refused(`the copy in ${own.name} has stopped, ${other.name} goes on without it: pair start ${own.name} --erase=${own.name}`);
  if (state !== 'complete') return refused(`${own.name} is not a complete copy of ${other.name} yet`);
  if (otherLockUid !== null) return agentsOf(other, own) === 0 ? refused(noAgents(other, own)) : again(true);
  const missing = agentsOf(other, own) === 0 ? noAgents(other, own) : agentsOf(own, other) === 0 ? noAgents(own, other) : null;
  if (missing !== null) return refused(missing);
  if (agentsOf(other, own) === null || agentsOf(own, other) === null) return wait('the clusters do not tell of their agents');
  if (!isTold(other, own)) return wait('the agents have not told of this copy yet, as they do every 30 s or so');
  return judgeLag(now, maxLagSeconds) ?? again(false);
}

/**
 * Both are locked, so nobody has written since; `own` was a copy once, and is none that goes on. Which of them was the primary fdbdr writes nowhere, and one may still be at it: only what is right whichever it was is done. A switch wants a complete
 * copy: where the other one has just begun, it is the old primary. A switch ends with a stopped copy: where the other one is none, `own` is that, and the other one, which was the primary, has everything. Where both are, that one is the
 * copy whose lock is the one under which it was seen as the copy (before each switch that is noted): nobody has written there since, and the other one is the last that took writes. Versions decide nothing: of two locks that
 * each are older than the end of the other's copy either may be the later.
 */
function halfSwitched({ own, other, uid, otherState }: Both, otherLockUid: string): PairPlan {
  if (otherState === 'submitted' || otherState === 'copying') return { kind: 'do', step: { kind: 'unlock', side: 'own', uid } };
  if (isRunning(otherState))
    return refused(
      `a switch is half done, and ${other.name} is the one that still copies: pair switch ${other.name} makes that the primary, and nothing is lost; then switch back`,
    );
  if (otherState !== 'stopped') return { kind: 'do', step: { kind: 'unlock', side: 'other', uid: otherLockUid }, once: 'nobody-switches' };
  if (isLockedAsCopy(own) !== isLockedAsCopy(other)) {
    const step: PairStep = isLockedAsCopy(own)
      ? { kind: 'unlock', side: 'other', uid: otherLockUid }
      : { kind: 'unlock', side: 'own', uid };
    return { kind: 'do', step, once: 'nobody-switches' };
  }
  return refused(
    `a switch was killed where fdbdr cannot go on, and which of the two was the primary stands nowhere (a switch by coditect-dr notes it, fdbdr alone does not). Whoever knows ends the lock of that one, when no fdbdr runs any more: fdbcli --exec "unlock UID", with ${otherLockUid} for ${other.name} or ${uid} for ${own.name}`,
  );
}

function judgeLag({ own, other, lag }: Both, maxLagSeconds: number): PairPlan | null {
  const behind = behindText(own.name, lag);
  if (lag === null || lag.seconds === null) return wait(behind);
  if (lag.paused) return refused(`the agents are paused (fdbdr resume -s ${other.name} -d ${own.name})`);
  if (lag.seconds <= maxLagSeconds) return null;
  return refused(`${behind}, more than the ${maxLagSeconds} s that are allowed: nobody could write for about so long`);
}

const again = (isAgain: boolean): PairPlan => ({ kind: 'do', step: { kind: 'switch', again: isAgain } });

function abort(now: Now, change: PairChange & { readonly kind: 'abort' }): PairPlan {
  const { own, other, state, uid, isLocked } = now;
  if (!isLocked && !isRunning(state)) return done(`${own.name} is not locked, and fdbdr writes nothing into it`);
  if (state === 'submitted' || state === 'copying')
    return refused(`${own.name} is not a complete copy: what is there is a part, of no one time, and nothing to go on with`);
  const otherLock = lockOn(other);
  if (other.status !== null && serves(other) && otherLock.kind === 'none')
    return refused(`${other.name} serves: two clusters would take writes. pair switch ${own.name} loses nothing`);
  if (other.status !== null && serves(other) && otherLock.kind === 'fdbdr')
    return refused(`both answer and are locked by fdbdr: a switch is half done; pair switch ${own.name} finishes it, and nothing is lost`);
  const isFenced = serves(other) && otherLock.kind === 'foreign';
  const dissent = whyNotConsented(now, change);
  if (dissent !== null) return refused(dissent);
  const step: PairStep = isRunning(state) ? { kind: 'abort' } : { kind: 'unlock', side: 'own', uid };
  return isFenced ? { kind: 'do', step } : { kind: 'do', step, once: 'outage' };
}

/** What may be lost at most: everything since the moment up to which the copy had all when its lag was seen last. Null: nobody knows. */
export function lossAtMost({ own, lag }: PairSeen, wallMs: number): number | null {
  if (lag !== null && lag.seconds !== null) return lag.seconds;
  const note = own.record?.lagSeen ?? null;
  // One from the future: the clocks of two machines differ, and its age is not known.
  if (note === null || note.uid !== own.record?.uid || note.wallMs > wallMs) return null;
  return note.seconds + (wallMs - note.wallMs) / 1000;
}

function whyNotConsented(now: Now, { acceptLossSeconds: accepted, wallMs }: PairChange & { readonly kind: 'abort' }): string | null {
  if (accepted === 'any') return null;
  const most = lossAtMost(now, wallMs);
  if (most === null)
    return `how much ${now.own.name} has not got is not known, as nobody has noted its lag (pair status does): only --accept-data-loss=any goes on`;
  if (most <= accepted) return null;
  const least = Math.ceil(most * 10) / 10;
  return `up to ${least} s of writes may be lost (the lag seen last, and its age): more than the ${accepted} s that were accepted. --accept-data-loss=${Math.ceil(most + 60)} goes on`;
}

function unlockedCopy(own: PairSide, other: PairSide): string {
  return `fdbdr writes into ${own.name}, and somebody has taken its lock away: what others wrote there since makes it no copy of ${other.name} any more. fdbdr abort -s ${other.name} -d ${own.name}, then pair start ${own.name} --erase=${own.name}`;
}

function noAgents(from: PairSide, to: PairSide): string {
  return `no agent that copies from ${from.name} to ${to.name} has told of itself: start dr_agent with the cluster file of ${from.name} as -s and that of ${to.name} as -d`;
}
