import { expect } from 'chai';
import { CHECKS } from '../registry.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { at, failover, nullHistory, type Asked, type Handmade } from '../testing/handmade.ts';
import { judge } from './judge.ts';
import { judged, objections, editOf } from '../testing/judged.ts';

/** Histories that look like a pass and are none. Each names the check that must say so. */
/** What the check says of a service of which nothing fails, where these answers take 900 ms. */
function brownOut(late: (intendedMs: number) => boolean, change: Partial<Handmade> = {}, brownOutMs: number | null = null) {
  const answer = ({ intendedMs }: Asked) =>
    ({ outcome: 'ok', latencyMs: late(intendedMs) ? 900 : 5, region: 'us-central1', epoch: 1 }) as const;
  const played = nullHistory({ answer, loadEndMs: 12_000, ...change });
  const stated = played.map((event) => {
    if (event.kind !== 'run-started') return event;
    const scenario = event.scenario as Scenario;
    return { ...event, scenario: { ...scenario, targets: { ...scenario.targets, brownOutMs } } };
  });
  const found = judge(stated, CHECKS).verdict.findings.filter((one) => one.check === 'brown-out');
  return found.find((one) => one.outcome !== 'pass') ?? found[0] ?? { outcome: 'none', message: 'nobody asked' };
}

describe('histories that look like a pass', () => {
  describe('operations missing from the record', () => {
    it('one acknowledged write that is lost, and whose line was dropped', () => {
      let dropped = '';
      const result = judged({
        answer: (op) => {
          const chosen = op.vantage === 'outside' && op.op === 'put' && !op.key.startsWith('reg/') && op.intendedMs === 1503;
          if (chosen) dropped = op.key;
          return chosen ? { ...failover(op), applied: false } : failover(op);
        },
        edit: (events) => events.filter((event) => event.kind !== 'op' || event.key !== dropped),
      });
      expect(dropped).to.not.equal('');
      expect(objections(result)).to.include('whole-record');
      expect(result.verdict.outcome).to.equal('inconclusive');
    });
    it('all clients fell silent right after the recovery', () => {
      const result = judged({ edit: editOf('op', (op) => (op.intendedMs > 4700 ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('a client that is not judged died silently, and with it the witness in its region', () => {
      const vantages = ['us-central1', 'us-east1', 'outside'];
      expect(judged({ vantages }).verdict.outcome).to.equal('pass');
      const result = judged({ vantages, edit: editOf('op', (op) => (op.vantage === 'us-central1' && op.intendedMs > 2500 ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('a client that is not judged never said a word', () => {
      const vantages = ['us-central1', 'us-east1', 'outside'];
      const result = judged({ vantages, edit: editOf('op', (op) => (op.vantage === 'us-central1' ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
      const told = result.verdict.findings.filter((one) => one.check === 'enough-traffic').map((one) => one.message);
      expect(told).to.deep.equal(['us-central1, a witness, never sent anything']);
    });
    it('a fifth of the schedule was never sent', () => {
      const skipped = (op: { readonly vantage: string; readonly intendedMs: number }): boolean =>
        op.vantage === 'outside' && Math.floor(op.intendedMs / 20) % 5 === 0 && op.intendedMs > 1000;
      const renumbered = new Map<string, number>();
      const result = judged({
        edit: editOf('op', (op) => {
          if (skipped(op)) return null;
          const seq = renumbered.get(op.vantage) ?? 0;
          renumbered.set(op.vantage, seq + 1);
          return { ...op, seq };
        }),
      });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('one region was never read back', () => {
      const status = { kind: 'engine-status', region: 'europe-west1', program: 'db', ok: true, body: {} } as const;
      const result = judged({
        edit: (events) => [
          ...events.filter((event) => event.kind !== 'readback' || event.region !== 'europe-west1').slice(0, -1),
          at(8300, status),
          ...events.slice(-1),
        ],
      });
      expect(objections(result)).to.include('replicas-converged');
    });
  });

  describe('service that is not back', () => {
    it('outages that each fit the objective, but together do not', () => {
      const flapping = (op: Asked) =>
        op.intendedMs >= 4400 && op.intendedMs < 5900 ? { ...failover(op), outcome: 'failed' as const } : failover(op);
      const result = judged({ answer: flapping });
      expect(new Set(objections(result))).to.deep.equal(new Set(['stayed-back']));
      expect(result.verdict.outcome).to.equal('fail');
    });
    it('where no outage may be: answers that all come too late until the end', () => {
      expect(brownOut((ms) => ms >= 3000, { loadEndMs: 7000 }).outcome).to.equal('fail');
    });
    it('where no outage may be: answers that all come too late for five seconds, and then in time again', () => {
      const { outcome, message } = brownOut((ms) => ms >= 3000 && ms < 8000);
      expect(outcome, message).to.equal('fail');
      expect(message).to.match(/us-east1: answers came too late for 4\.9\d+ to 5\.\d+ s .*the limit is 2\.000 s \(by default\)/);
    });
    it('where no outage may be: every other answer comes too late for five seconds', () => {
      expect(brownOut((ms) => ms >= 3000 && ms < 8000 && Math.floor(ms / 20) % 2 === 0).outcome).to.equal('fail');
    });
    it('where no outage may be: too late again and again, each time for less than the limit', () => {
      expect(brownOut((ms) => ms >= 3000 && ms < 13_000 && ms % 2000 < 1400, { loadEndMs: 15_000 }).outcome).to.equal('fail');
    });
    it('where no outage may be: too late for longer than the limit that the scenario states', () => {
      const late = (ms: number) => ms >= 3000 && ms < 3600;
      expect(brownOut(late).outcome).to.equal('pass');
      expect(brownOut(late, {}, 500).outcome).to.equal('fail');
    });
    it('where no outage may be: what was late while the client stood still is nobody else’s, and proves nothing either', () => {
      const late = (ms: number) => ms >= 3000 && ms < 3400;
      const awake = brownOut(late, {}, 100);
      expect(awake.outcome, awake.message).to.equal('fail');
      const edit = editOf('op', (op) => (late(op.intendedMs) ? { ...op, completedMs: 3405, lateMs: 3400 - op.intendedMs } : op));
      const slept = brownOut(late, { edit }, 100);
      expect(slept.outcome, slept.message).to.equal('inconclusive');
      expect(brownOut(late, { edit }).outcome).to.equal('pass');
    });
  });

  it('a second region that acknowledges from an address that nobody knows', () => {
    const result = judged({
      edit: editOf('op', (op) =>
        op.vantage === 'outside' && op.intendedMs > 5000 && op.op === 'put' ? { ...op, address: '10.77.66.66', claimedEpoch: 7 } : op,
      ),
    });
    expect(objections(result)).to.include('single-primary');
  });
});
