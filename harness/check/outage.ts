import { clientAway } from '../measure/client-away.ts';
import { outagesUnder } from '../measure/fault-outages.ts';
import { mayHaveBeenGood } from '../measure/outages.ts';
import { ownDoing } from '../measure/own-doing.ts';
import { isGood } from '../measure/service.ts';
import { faultWindow, type Operation } from '../measure/view.ts';
import type { Workload } from '../scenario/scenario.ts';
import { finding, seconds, type Case, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

/** Late operations of one outage that are no accident; at a period of 20 ms, a tenth of a second of them. */
const LATE = 5;

/** A recovery from nothing is no recovery: an outage that was expected must have been seen. One that was not expected is a failure (no-outage). */
export const outageSeen: Check = {
  name: 'outage-seen',
  kind: 'assumption',
  question: 'Was the outage that the scenario expects really there?',
  judge: (of) => {
    const { scenario, measurement } = of;
    if (scenario.expect.outage !== 'expected') return [finding('outage-seen', 'skipped', 'the scenario expects no outage')];
    const { recovery } = measurement;
    if (recovery.state === 'no-outage') {
      const message = 'an outage was expected, but no vantage that is judged saw one: the recovery time would be that of nothing';
      return [finding('outage-seen', 'inconclusive', message)];
    }
    if (recovery.state === 'not-measured') return [finding('outage-seen', 'inconclusive', recovery.reason)];
    if (!isMoreThanNoise(of))
      return [
        finding(
          'outage-seen',
          'inconclusive',
          `no operation failed under a fault, and fewer than ${LATE} of an outage were late: a busy machine has that too`,
        ),
      ];
    const bad = measurement.vantages.filter((one) => one.mustRecover).map((one) => `${one.vantage} ${one.failed + one.unknown + one.slow}`);
    return [finding('outage-seen', 'pass', `bad operations: ${bad.join(', ')}`)];
  },
};

/** Whether a judged vantage had an outage under a fault that neither a late answer or two nor its own client, standing still, explains. */
function isMoreThanNoise({ view, scenario }: Case): boolean {
  return view.faults.some((fault) => {
    const window = faultWindow(view, fault);
    if (window === null) return false;
    return scenario.expect.mustRecover.some((vantage) => {
      const sent = view.byVantage.get(vantage) ?? [];
      const away = clientAway(sent, scenario.workload.periodMs);
      const bad = sent.filter((op) => isBad(op, away(op.intendedMs, op.completedMs), scenario.workload));
      return (outagesUnder(view, window, vantage) ?? []).some(({ firstBad, lastBad }) => {
        const during = bad.filter(({ intendedMs }) => intendedMs >= firstBad.intendedMs && intendedMs <= lastBad.intendedMs);
        return during.length >= LATE || during.some(({ outcome }) => outcome !== 'ok');
      });
    });
  });
}

/**
 * Not only for a client that stood still meanwhile (`awayMs`): one that did is late itself, lets time limits pass, and has then more to send than it can at a time. Where it cannot because nobody
 * answers, what it has sent says so.
 */
function isBad(op: Operation, awayMs: number, workload: Workload): boolean {
  return !isGood(op, workload) && op.reason !== 'dropped' && !mayHaveBeenGood(op, awayMs, workload);
}

/** Where no outage may be, no judged vantage may see a failed operation; slow ones are told here and judged by `brown-out`. */
export const noOutage: Check = {
  name: 'no-outage',
  kind: 'target',
  question: 'Did the service go on where the scenario allows no outage?',
  judge: (of) => {
    if (of.scenario.expect.outage !== 'none') return [finding('no-outage', 'skipped', 'the scenario allows an outage')];
    return of.scenario.expect.mustRecover.map((vantage) => judgeVantage(of, vantage));
  },
};

function judgeVantage({ view, scenario, measurement }: Case, vantage: string): Finding {
  const since = view.steadyMs ?? 0;
  const operations = (view.byVantage.get(vantage) ?? []).filter((op) => op.intendedMs >= since);
  const failed = operations.filter((op) => op.outcome !== 'ok');
  const slow = measurement.vantages.find((one) => one.vantage === vantage)?.slow ?? 0;
  const lines = failed.slice(0, 20).map((op) => op.line);
  if (operations.length === 0) return finding('no-outage', 'inconclusive', `${vantage} sent nothing`);
  if (failed.length > 0) {
    const reasons = [...new Set(failed.map((op) => op.reason ?? op.outcome))].slice(0, 5).join(', ');
    const told = `${vantage}: ${failed.length} of ${operations.length} operations failed (${reasons})`;
    const byItself = ownDoing(operations, scenario.workload);
    return failed.every(byItself)
      ? finding('no-outage', 'inconclusive', `${told}, while the client itself stood still: who knows whether there was service`, lines)
      : finding('no-outage', 'fail', told, lines);
  }
  const pause = measurement.writePause;
  const longest = pause === null ? '' : `; longest write pause of any vantage ${seconds(pause.pauseMs)}`;
  return finding('no-outage', 'pass', `${vantage}: none of ${operations.length} operations failed, ${slow} were slow${longest}`);
}
