import type { RunEvent } from '../history/event.ts';
import { lostOfBulk } from '../measure/bulk.ts';
import { measure } from '../measure/measure.ts';
import { viewRun } from '../measure/view.ts';
import { recomputeEffects } from './effects.ts';
import { finding, type Case, type Check } from './check.ts';
import { worst, type Finding, type RunResult, type Verdict } from './verdict.ts';

/**
 * Events → verdict. Pure: `gameday run` and `gameday judge` both end here, so a recorded run judges the same anywhere.
 * Throws HarnessError (broken-record) when the events are no run.
 */
export function judge(record: readonly RunEvent[], checks: readonly Check[]): RunResult {
  const { events, contradictions } = recomputeEffects(record);
  const view = viewRun(events);
  const measurement = measure(view);
  const { started, scenario } = view;
  return {
    runId: started.runId,
    startedWall: events[0]?.wall ?? '',
    scenario,
    scenarioFile: started.scenarioFile,
    measurement,
    verdict: verdictOf({ view, scenario, measurement, contradictions }, checks),
    events,
  };
}

/** Assumptions first: where one does not hold, targets are not judged, but what must never happen still fails. */
export function verdictOf(of: Case, checks: readonly Check[]): Verdict {
  const assumptions = checks.filter((check) => check.kind === 'assumption').flatMap((check) => run(check, of));
  const broken = assumptions.find((one) => one.outcome === 'inconclusive' || one.outcome === 'fail');
  const others = checks.filter((check) => check.kind !== 'assumption');
  const judged = others.flatMap((check) =>
    check.kind === 'target' && broken !== undefined ? notJudged(check, of, broken) : run(check, of),
  );
  const findings = [...assumptions, ...judged];
  const outcome = worst(findings.map((one) => one.outcome));
  const decisive = findings.find((one) => one.outcome === outcome && outcome !== 'pass');
  return { outcome, reason: decisive === undefined ? passReason(of) : `${decisive.check}: ${decisive.message}`, findings };
}

const OWN_API = 'not judged: the service has an API of its own, which does not tell';

/** A check that cannot be made says so; it never says pass. */
function run(check: Check, of: Case): readonly Finding[] {
  if (check.needsEngine === true && of.view.started.ledger === 'templates') return [finding(check.name, 'skipped', OWN_API)];
  try {
    const findings = check.judge(of);
    return findings.length > 0 ? findings : [finding(check.name, 'inconclusive', 'the check found nothing to say')];
  } catch (error) {
    return [finding(check.name, 'inconclusive', `the check broke: ${error instanceof Error ? error.message : String(error)}`)];
  }
}

/** What the target would have said is kept, but does not count. */
function notJudged(check: Check, of: Case, broken: Finding): readonly Finding[] {
  return run(check, of).map((one) =>
    one.outcome === 'skipped'
      ? one
      : { ...one, outcome: 'inconclusive', message: `not judged, because of ${broken.check} (${one.message})` },
  );
}

function passReason({ scenario, measurement }: Case): string {
  const { recovery, writes } = measurement;
  const bulk = lostOfBulk(measurement);
  const kept = `${writes.lost.length} of ${writes.acknowledged} acknowledged writes lost${bulk === 0 ? '' : `, and ${bulk} of the bulk load`}`;
  if (recovery.state === 'recovered') {
    return `service was back after ${(recovery.lowerMs / 1000).toFixed(2)}–${(recovery.upperMs / 1000).toFixed(2)} s; ${kept}`;
  }
  return scenario.expect.outage === 'none' || recovery.state === 'no-outage' ? `no outage observed; ${kept}` : kept;
}
