import { ANY_LOSS_SECONDS, estimateLossSeconds, isSetBack } from './loss.ts';
import { announced, awaitApproval, enter, stay, write, type Moved } from './moves.ts';
import { undo } from './planned.ts';
import { asGoodAs, bestOfRest, judgeSealing, richerThan, wholeHolder, wholeOfRest } from './sealing.ts';
import { isFresh } from './setting.ts';
import type { Event, Facts, Run, Setting } from './state.ts';
import { isFenced, recordIsOver } from './wanted.ts';

/** Whom to promote, once enough is sealed; else who has to approve what. */
export function afterSealing(run: Run, facts: Facts, setting: Setting): Moved {
  if (!run.frozen) return stay(run);
  const { journal } = run;
  const sealing = judgeSealing(run, setting);
  if (sealing.kind === 'short') {
    // Another answer may make it enough: people are asked when everybody was. Where nobody is sealed, nobody tells of direct leases.
    const asked = everybodyAsked(run, setting, false) && (isFenced(run, facts, setting) || recordIsOver(run, facts, setting));
    return asked ? waitFor(run, sealing.why, sealing.best, { facts, setting }) : stay(run);
  }
  let [to] = sealing.candidates;
  const fenced = isFenced(run, facts, setting);
  if (to === undefined || !everybodyAsked(run, setting, sealing.complete && fenced)) return stay(run);
  if (!sealing.complete) {
    if (!fenced) return stay(run);
    const estimate = lossOf(run, to, facts, setting);
    // Async: the gate judged the standby that it expected to be promoted, and that one may not have answered.
    const accepted = acceptedLoss(run, setting) ?? 0;
    if (accepted !== ANY_LOSS_SECONDS && (estimate === null || estimate > accepted)) {
      const whole = journal.tier === 'automatic' ? wholeHolder(run) : null;
      if (whole === null) return waitFor(run, `${to} may lack more than the ${accepted} s that were accepted`, to, { facts, setting });
      // Nobody ordered to leave it: serving again where nothing is lost is better than serving nowhere until somebody approves a loss.
      to = whole;
    }
  }
  const fencedBy = run.fenced === null ? journal.fencedBy : ('holder' as const);
  const { target } = journal;
  const behind = target !== null && target !== to ? [{ action: 'target_behind', details: { target, instead: to } }] : [];
  const moved = enter({ ...run, journal: { ...journal, to, fencedBy } }, 'PROMOTE', facts);
  return { ...moved, announce: [...behind, ...moved.announce] };
}

/** People are asked once. */
function waitFor(
  run: Run,
  why: string,
  region: string | null,
  { facts, setting }: { facts: Facts; setting: Setting },
  instead?: string,
): Moved {
  if (run.awaiting !== null) return stay(run);
  const estimatedLossSeconds = region === null ? null : lossOf(run, region, facts, setting);
  return awaitApproval(run, { blocker: 'loss', reason: why, estimatedLossSeconds, ...(instead === undefined ? {} : { instead }) });
}

/** By whoever typed it, else the objective of an asynchronous system; null: nobody accepted any. */
function acceptedLoss({ journal }: Run, { rpoMs }: Setting): number | null {
  return journal.acceptedLossSeconds ?? (journal.mode === 'async' ? rpoMs / 1000 : null);
}

/** What was sealed counts, not what was there before. */
function lossOf({ journal }: Run, region: string, facts: Facts, setting: Setting): number | null {
  const sealed = journal.sealed.find((log) => log.region === region);
  return sealed !== undefined && isSetBack(facts, journal.from, sealed) ? null : estimateLossSeconds(facts, journal.from, region, setting);
}

/** Another member may still answer with a longer log; nothing is lost by waiting for it until the fence is certain. */
function everybodyAsked(run: Run, setting: Setting, enough: boolean): boolean {
  const { journal, failures } = run;
  const asked = (region: string): boolean =>
    region === journal.from || (failures[region] ?? 0) > 0 || journal.sealed.some((log) => log.region === region);
  return enough || setting.regions.every(asked);
}

/**
 * Twice in vain: the next one with as good a log, else the same again; a planned run has no other. Where only something that is left behind is in the way, or nobody else has as much, people have to
 * approve what may be lost: until then all who have it are asked again and again, since one of them may be back.
 */
export function promoteFailed(run: Run, event: Extract<Event, { kind: 'promote-failed' }>, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const { region, why } = event;
  const lease = facts.lease?.lease;
  const taken = lease !== undefined && lease.epoch === journal.epoch && lease.holder !== null;
  // It holds the lease already and was only slow, or it may still answer the second time.
  if (journal.step !== 'PROMOTE' || region !== journal.to || taken || (run.failures[region] ?? 0) < 2) return stay(run);
  if (journal.course === 'undo') return stay(run);
  if (journal.course === 'planned') return undo(run, `${region} could not be promoted: ${why}`, facts);
  const candidates = asGoodAs(region, run, setting);
  const failed = [...new Set([...journal.failed, region])];
  const next = candidates.find((other) => !failed.includes(other)) ?? wholeOfRest(run, failed, setting) ?? undefined;
  // What it lacks may come yet. Whoever has just as much has the same copy, and lacks the same.
  if (event.lacks === true && (next === undefined || candidates.includes(region))) return waitFor(run, why, region, { facts, setting });
  const turnTo = (to: string, passed: readonly string[], awaiting: Run['awaiting']): Moved => {
    const { state } = write(run, { ...journal, failed: [...passed], to }, facts);
    const told = { runId: journal.runId, region, why, next: to };
    // What people are asked of one does not hold for the next.
    const kept = to === region || awaiting?.instead !== undefined ? awaiting : null;
    return announced({ state: { ...(state as Run), awaiting: kept }, announce: [] }, 'promote_failed', told);
  };
  if (next !== undefined) return turnTo(next, failed, run.awaiting);
  const lesser = bestOfRest(run, failed, setting);
  if (lesser !== null && isAccepted(lesser, run, facts, setting)) return turnTo(lesser, failed, null);
  // Those first that were chosen before: one that is back would never be asked where this one stays dead, though it had more than was needed.
  const again = failed.find((other) => other !== region) ?? region;
  if (lesser === null) return turnTo(again, [], run.awaiting);
  const reason = `${region}: ${why}; ${lesser}, who is next, may lack acknowledged writes`;
  const waiting = waitFor(run, reason, lesser, { facts, setting }, lesser);
  if (again === region) return waiting;
  const turned = turnTo(again, [], (waiting.state as Run).awaiting);
  return { ...turned, announce: [...waiting.announce, ...turned.announce] };
}

/**
 * Whether `lesser` may be promoted without asking anybody: of those who have more nobody even answers, and what may be lost was accepted before, or is within the objective of an asynchronous system.
 */
function isAccepted(lesser: string, run: Run, facts: Facts, setting: Setting): boolean {
  const { from, to } = run.journal;
  const accepted = acceptedLoss(run, setting);
  // The old primary itself is not well: whoever answers for it was not promoted either.
  const richer = [to ?? '', ...richerThan(lesser, run).filter((region) => region !== from)];
  if (accepted === null || richer.some((region) => isFresh(facts.databases.get(region), facts.nowMs, setting.policy))) return false;
  if (accepted === ANY_LOSS_SECONDS) return true;
  const estimate = lossOf(run, lesser, facts, setting);
  return estimate !== null && estimate <= accepted;
}
