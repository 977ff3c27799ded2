import { ANY_LOSS_SECONDS, estimateLossSeconds } from './loss.ts';
import { announced, awaitApproval, enter, stay, write, type Moved } from './moves.ts';
import { undo } from './planned.ts';
import { asGoodAs, judgeSealing, wholeHolder } from './sealing.ts';
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
    const estimate = estimateLossSeconds(facts, journal.from, to, setting);
    // Async: the gate judged the standby that it expected to be promoted, and that one may not have answered.
    const accepted = journal.acceptedLossSeconds ?? (journal.mode === 'async' ? setting.rpoMs / 1000 : 0);
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
function waitFor(run: Run, why: string, region: string | null, { facts, setting }: { facts: Facts; setting: Setting }): Moved {
  if (run.awaiting !== null) return stay(run);
  const estimatedLossSeconds = region === null ? null : estimateLossSeconds(facts, run.journal.from, region, setting);
  return awaitApproval(run, { blocker: 'loss', reason: why, estimatedLossSeconds });
}

/** Another member may still answer with a longer log; nothing is lost by waiting for it until the fence is certain. */
function everybodyAsked(run: Run, setting: Setting, enough: boolean): boolean {
  const { journal, failures } = run;
  const asked = (region: string): boolean =>
    region === journal.from || (failures[region] ?? 0) > 0 || journal.sealed.some((log) => log.region === region);
  return enough || setting.regions.every(asked);
}

/** Twice in vain: the next one with as good a log, else the same again; a planned run has no other. Where only something that is left behind is in the way, people have to approve that. */
export function promoteFailed(run: Run, event: Extract<Event, { kind: 'promote-failed' }>, facts: Facts, setting: Setting): Moved {
  const { journal } = run;
  const lease = facts.lease?.lease;
  const taken = lease !== undefined && lease.epoch === journal.epoch && lease.holder !== null;
  // It holds the lease already and was only slow, or it may still answer the second time.
  if (journal.step !== 'PROMOTE' || event.region !== journal.to || taken || (run.failures[event.region] ?? 0) < 2) return stay(run);
  if (journal.course === 'undo') return stay(run);
  if (journal.course === 'planned') return undo(run, `${event.region} could not be promoted: ${event.why}`, facts);
  const candidates = asGoodAs(event.region, run, setting);
  const failed = [...new Set([...journal.failed, event.region])];
  const next = candidates.find((region) => !failed.includes(region));
  // It is asked again and again all the same: what it lacks may come yet. Whoever has just as much has the same copy, and lacks the same.
  if (event.lacks === true && (next === undefined || candidates.includes(event.region)))
    return waitFor(run, event.why, event.region, { facts, setting });
  const told = { runId: journal.runId, region: event.region, why: event.why, next: next ?? event.region };
  const change = next === undefined ? { failed: [], to: candidates[0] ?? event.region } : { failed, to: next };
  return announced(write({ ...run, failures: {} }, { ...journal, ...change }, facts), 'promote_failed', told);
}
