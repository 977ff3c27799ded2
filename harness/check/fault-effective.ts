import { eventsOf } from '../measure/view.ts';
import { finding, type Check } from './check.ts';
import { faultSteps, isOfStep, neverPlanned } from './experiments.ts';
import { amissBefore, amissDuring } from './moments.ts';

/** A fault without effect proves nothing: every fault, injected or armed, must have been seen to bite, and not before it was asked for. */
export const faultEffective: Check = {
  name: 'fault-effective',
  kind: 'assumption',
  question: 'Did every fault take effect, as independent probes saw it?',
  judge: ({ view, scenario, contradictions }) => {
    const asked = faultSteps(scenario);
    if (asked.length === 0) return [finding('fault-effective', 'skipped', 'the scenario injects no fault')];
    const effects = eventsOf(view.events, 'fault-effect');
    const plans = eventsOf(view.events, 'fault-planned');
    const injections = eventsOf(view.events, 'fault-injected');
    const experiments = asked.map((step) => ({ step, planned: plans.filter((plan) => isOfStep(plan.fault, step.fault)) }));
    const unplanned = experiments.filter(({ planned }) => planned.length === 0);
    const findings = unplanned.map(({ step }) => finding('fault-effective', 'inconclusive', neverPlanned(step)));
    const judged = experiments
      .flatMap(({ planned }) => planned)
      .map((plan) => {
        const { fault } = plan;
        if (plan.sources.length === 0)
          return finding('fault-effective', 'inconclusive', `${fault}: the manifest selects nothing`, [plan.lineNumber]);
        const injected = injections.find((event) => event.fault === fault);
        if (injected === undefined) return finding('fault-effective', 'inconclusive', `${fault} was never injected`, [plan.lineNumber]);
        if (plan.expected.kind === 'unseen')
          return finding('fault-effective', 'inconclusive', `${fault}: nobody could see whether ${plan.expected.what} took effect`, [
            plan.lineNumber,
            injected.lineNumber,
          ]);
        const during = effects.filter((event) => event.fault === fault && event.moment === 'during');
        const before = effects.find((event) => event.fault === fault && event.moment === 'before' && !event.confirmed);
        const lines = [plan.lineNumber, ...during.map((event) => event.lineNumber)];
        if (before !== undefined) {
          const message = `${fault}: the state before it was not as it should be: asked ${before.asked}, measured ${before.measured}`;
          return finding('fault-effective', 'inconclusive', message, [before.lineNumber]);
        }
        const amiss = amissBefore(view, fault, injected.requestedMs) ?? amissDuring(view, fault, injected.requestedMs);
        if (amiss !== undefined) return finding('fault-effective', 'inconclusive', `${fault}: ${amiss}`, lines);
        if (during.length === 0) return finding('fault-effective', 'inconclusive', `${fault}: nobody looked for its effect`, lines);
        const without = during.find((event) => !event.confirmed);
        if (without !== undefined) {
          return finding('fault-effective', 'inconclusive', `${fault}: asked ${without.asked}, measured ${without.measured}`, lines);
        }
        if (during.every((event) => event.betweenMs === undefined)) {
          return finding('fault-effective', 'inconclusive', `${fault}: its effect was seen, but not when it began`, lines);
        }
        if (during.some((event) => event.betweenMs !== undefined && event.betweenMs[1] < injected.requestedMs)) {
          return finding('fault-effective', 'inconclusive', `${fault}: its effect was there before anybody asked for it`, lines);
        }
        return finding('fault-effective', 'pass', `${fault}: asked ${during[0]?.asked}, measured ${during[0]?.measured}`, lines);
      });
    const untrue = contradictions.map(({ fault, line, message }) =>
      finding('fault-effective', 'inconclusive', `${fault}: ${message}`, [line]),
    );
    return [...findings, ...untrue, ...judged];
  },
};
