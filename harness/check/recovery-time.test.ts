import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { failover, SCENARIO, type Asked } from '../testing/handmade.ts';
import { partitionEvents } from '../testing/handmade-fault.ts';
import { editOf, outcomeOf, judged, withScenario } from '../testing/judged.ts';

describe('judge', () => {
  describe('recovery time', () => {
    it('fails when the lower bound is above the objective', () => {
      const result = judged({ scenario: withScenario({ targets: { ...SCENARIO.targets, recoveryTimeMs: 1900 } }) });
      expect(outcomeOf(result, 'recovery-time')).to.equal('fail');
      expect(result.verdict.outcome).to.equal('fail');
    });
    it('is undecided when the objective lies within the bounds', () => {
      const result = judged({ scenario: withScenario({ targets: { ...SCENARIO.targets, recoveryTimeMs: 1995 } }) });
      expect(outcomeOf(result, 'recovery-time')).to.equal('inconclusive');
    });
    it('says "more than" when service was not back before the load ended', () => {
      const never = (op: Asked) => (op.intendedMs < 2000 ? failover(op) : { ...failover({ ...op, intendedMs: 3000 }) });
      const result = judged({ answer: never });
      expect(result.measurement.recovery).to.deep.include({ state: 'censored' });
      expect(outcomeOf(result, 'recovery-time')).to.equal('fail');
    });
    it('fails where one outage was certainly too long, whatever a later one, or one with wider bounds, leaves open', () => {
      const scenario = withScenario({ targets: { ...SCENARIO.targets, recoveryTimeMs: 1900 } });
      const lateAtTheEnd = judged({
        scenario,
        answer: (op) => (op.intendedMs > 6970 ? { ...failover(op), latencyMs: 400 } : failover(op)),
      });
      expect(lateAtTheEnd.measurement.recovery.state).to.equal('censored');
      expect(outcomeOf(lateAtTheEnd, 'recovery-time')).to.equal('fail');
      expect(lateAtTheEnd.verdict.reason).to.match(/^recovery-time: \S+ was back after 1\.9\d+ s to 2\.\d+ s/);
    });
    it('is undecided when a censored time is still below the objective', () => {
      const never = (op: Asked) => (op.intendedMs < 2000 ? failover(op) : { ...failover({ ...op, intendedMs: 3000 }) });
      const result = judged({ answer: never, scenario: withScenario({ targets: { ...SCENARIO.targets, recoveryTimeMs: 60_000 } }) });
      expect(outcomeOf(result, 'recovery-time')).to.equal('inconclusive');
    });
    it('is undecided when service was back only once the fault had been healed, although the method had awaited it before', () => {
      const untilHealed = (op: Asked) =>
        op.intendedMs < 2000 || op.intendedMs >= 4100
          ? { ...failover({ ...op, intendedMs: 1000 }) }
          : failover({ ...op, intendedMs: 3000 });
      const of = (method = SCENARIO.method, durationMs: number | null = null) =>
        judged({
          edit: editOf('fault-planned', (event) => ({ ...event, durationMs })),
          answer: untilHealed,
          fault: { t0Ms: 2000, t1Ms: [2002, 2006], healedMs: 4000 },
          scenario: withScenario({ method, expect: { ...SCENARIO.expect, failover: 'allowed' } }),
        });
      expect(outcomeOf(of(), 'recovery-time')).to.equal('inconclusive');
      expect(of().verdict.reason).to.match(/not before isolation was healed/);
      const minutes = of(SCENARIO.method, 300_000);
      expect(outcomeOf(minutes, 'recovery-time'), 'a manifest that would have let it go on').to.equal('inconclusive');
      const over = of(SCENARIO.method, 1990);
      expect(outcomeOf(over, 'recovery-time'), 'it was over by itself, as the manifest says').to.equal('pass');
      const [inject, , heal] = SCENARIO.method;
      const healedFirst = [inject!, heal!, { do: 'await-recovery', atMostMs: 5000 }] as const;
      expect(outcomeOf(of(healedFirst), 'recovery-time'), 'it is to come back when the region does').to.equal('pass');
    });
    it('is undecided when service went a second time under the fault and was back only once that had been healed, however short that was', () => {
      const twice = (op: Asked) =>
        (op.intendedMs >= 2000 && op.intendedMs < 3500) || (op.intendedMs >= 5000 && op.intendedMs < 6050)
          ? failover({ ...op, intendedMs: 3000 })
          : failover({ ...op, intendedMs: 1000 });
      const of = (healedMs: number) =>
        judged({
          answer: twice,
          fault: { t0Ms: 2000, t1Ms: [2002, 2006], healedMs },
          scenario: withScenario({ expect: { ...SCENARIO.expect, failover: 'allowed' } }),
        });
      expect(outcomeOf(of(6000), 'recovery-time')).to.equal('inconclusive');
      expect(outcomeOf(of(6500), 'recovery-time'), 'it was back before').to.equal('pass');
    });
    it('does not hold against it what was under way when the fault was healed, and was bad only by what came then', () => {
      // The machine stands still at the heal: what was asked before, and what is asked then, is answered late.
      const stalled = (fromMs: number) => (op: Asked) =>
        op.intendedMs >= fromMs && op.intendedMs < 6100 ? { ...failover(op), latencyMs: 6400 - op.intendedMs } : failover(op);
      const fault = { t0Ms: 2000, t1Ms: [2002, 2006], healedMs: 5990 } as const;
      expect(outcomeOf(judged({ answer: stalled(5980), fault }), 'recovery-time')).to.equal('pass');
      expect(outcomeOf(judged({ answer: stalled(5700), fault }), 'recovery-time'), 'late before it was healed').to.equal('inconclusive');
    });
    it('does not hold against a fault what came when another had been healed just before it, by the same method', () => {
      const first = partitionEvents({ fault: 'first', t0Ms: 1200, t1Ms: [1202, 1206], healedMs: 5000 });
      const of = (healingMs: number, awayMs: number) =>
        judged({
          // As long as the heals last.
          edit: (events) =>
            [
              ...events.map((event) => (event.kind === 'phase' && event.phase === 'heal' ? { ...event, atMs: healingMs } : event)),
              ...first,
            ].toSorted((a, b) => a.atMs - b.atMs),
          answer: (op) => (op.intendedMs >= awayMs && op.intendedMs < 6100 ? failover({ ...op, intendedMs: 3000 }) : failover(op)),
          scenario: withScenario({ expect: { ...SCENARIO.expect, failover: 'allowed' } }),
        });
      expect(outcomeOf(of(4990, 5500), 'recovery-time'), 'after the first heal').to.equal('pass');
      expect(outcomeOf(of(4990, 4600), 'recovery-time'), 'before it').to.equal('inconclusive');
      expect(outcomeOf(of(5990, 5500), 'recovery-time'), 'one that was healed long before').to.equal('inconclusive');
    });
    it('is judged on the worst vantage', () => {
      const slowOutside = (op: Asked) =>
        failover(op.vantage === 'outside' && op.intendedMs < 5500 && op.intendedMs >= 2000 ? { ...op, intendedMs: 3000 } : op);
      const result = judged({ answer: slowOutside });
      expect(result.measurement.recovery).to.deep.include({ vantage: 'outside' });
      expect(outcomeOf(result, 'recovery-time')).to.equal('fail');
    });
    it('counts what was under way when a second fault came to that one', () => {
      // The first one does nothing to the service; a write that is due 1 ms before the second one never comes back.
      const first = partitionEvents({ fault: 'first', t0Ms: 1200, t1Ms: [1202, 1206], healedMs: 6500 });
      const late = (op: Asked) =>
        op.intendedMs > 1960 && op.intendedMs < 2000 ? { ...failover(op), outcome: 'unknown' as const, latencyMs: 900 } : failover(op);
      const edit = (events: readonly RunEvent[]) => [...events, ...first].toSorted((a, b) => a.atMs - b.atMs);
      const { vantages } = judged({ answer: late, edit }).measurement;
      const recoveries = vantages.flatMap((one) => one.recovery.map(({ fault, recovery }) => `${fault} ${recovery.state}`));
      expect(recoveries).to.deep.equal(['first no-outage', 'isolation recovered', 'first no-outage', 'isolation recovered']);
    });
    it('counts an outage from the fault under which it began, also when a second fault comes meanwhile', () => {
      const second = partitionEvents({ fault: 'second', t0Ms: 2600, t1Ms: [2602, 2606], healedMs: 6500 });
      const edit = (events: readonly RunEvent[]) => [...events, ...second].toSorted((a, b) => a.atMs - b.atMs);
      const { recovery } = judged({ edit }).measurement;
      expect(recovery).to.deep.include({ state: 'recovered', fault: 'isolation' });
      expect(recovery.state === 'recovered' && recovery.upperMs).to.be.closeTo(2004, 4);
    });
    it('counts an outage whose operations had no answer yet from the fault under which they were late already', () => {
      // Nothing is refused: the first answer that does not come is known as such a second later, when the next fault is there.
      const hang = (op: Asked) => (op.intendedMs >= 2000 && op.intendedMs < 4000 ? { ...failover(op), latencyMs: 1000 } : failover(op));
      const second = partitionEvents({ fault: 'second', t0Ms: 2600, t1Ms: [2602, 2606], healedMs: 6500 });
      const edit = (events: readonly RunEvent[]) => [...events, ...second].toSorted((a, b) => a.atMs - b.atMs);
      const { recovery } = judged({ answer: hang, edit }).measurement;
      expect(recovery).to.deep.include({ state: 'recovered', fault: 'isolation' });
      expect(recovery.state === 'recovered' && recovery.upperMs).to.be.closeTo(2004, 4);
    });
    it('counts an outage between the order of a second fault and its effect', () => {
      const second = partitionEvents({ fault: 'second', t0Ms: 1900, t1Ms: [6002, 6006], healedMs: 6500 });
      const edit = (events: readonly RunEvent[]) =>
        [...events.filter((event) => !('fault' in event)), ...first, ...second].toSorted((a, b) => a.atMs - b.atMs);
      const first = partitionEvents({ fault: 'first', t0Ms: 1500, t1Ms: [1502, 1506], healedMs: 6400 });
      const { recovery } = judged({ edit }).measurement;
      expect(recovery).to.deep.include({ state: 'recovered', fault: 'first' });
    });
    it('does not know better than its clients when a fault began that was long under way', () => {
      // Asked for at 2 s; the probes saw its effect at 3 s, on other links than those that the clients needed.
      const fault = { t0Ms: 2000, t1Ms: [3000, 3010], healedMs: 6000 } as const;
      const of = (recoveryTimeMs: number) =>
        judged({ fault, scenario: withScenario({ targets: { ...SCENARIO.targets, recoveryTimeMs } }) });
      expect(outcomeOf(of(1500), 'recovery-time')).to.equal('inconclusive');
      expect(outcomeOf(of(2500), 'recovery-time')).to.equal('pass');
      expect(outcomeOf(of(900), 'recovery-time')).to.equal('fail');
    });
    it('takes good operations that do not last for no recovery', () => {
      const flicker = (op: Asked) =>
        op.intendedMs >= 2500 && op.intendedMs < 2600 ? { ...failover({ ...op, intendedMs: 1000 }) } : failover(op);
      const { recovery } = judged({ answer: flicker }).measurement;
      expect(recovery.state === 'recovered' ? recovery.lowerMs : 0).to.be.above(1900);
    });
    it('counts an outage that comes later under the same fault by itself, and judges the worst', () => {
      const later = (op: Asked) =>
        op.intendedMs >= 5000 && op.intendedMs < 5400 ? { ...failover(op), outcome: 'failed' as const } : failover(op);
      const { recovery } = judged({ answer: later }).measurement;
      expect(recovery.state === 'recovered' ? recovery.upperMs : 0).to.be.closeTo(2004, 4);
      const only = (op: Asked) =>
        op.intendedMs >= 5000 && op.intendedMs < 5400
          ? { ...failover(op), outcome: 'failed' as const }
          : failover({ ...op, intendedMs: 1000 });
      const alone = judged({ answer: only }).measurement.recovery;
      expect(alone.state === 'recovered' ? alone.upperMs : 0).to.be.within(380, 450);
    });
    it('takes slow answers for no service', () => {
      const slow = (op: Asked) => (op.intendedMs >= 4000 && op.intendedMs < 4500 ? { ...failover(op), latencyMs: 400 } : failover(op));
      const { recovery } = judged({ answer: slow }).measurement;
      expect(recovery.state === 'recovered' ? recovery.lowerMs : 0).to.be.above(2400);
    });
  });
});
