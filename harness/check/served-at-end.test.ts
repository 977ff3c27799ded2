import { expect } from 'chai';
import { CHECKS } from '../registry.ts';
import { failover, nullHistory, SCENARIO, type Asked } from '../testing/handmade.ts';
import { judged, objections, outcomeOf, withScenario } from '../testing/judged.ts';
import { judge } from './judge.ts';

const TARGETS = { recoveryTimeMs: null, recoveryPointMs: 0, lostWrites: 0, writePauseMs: null };

/** Where the service moves, but this client is never led to it. */
const never = (vantage: string) => (op: Asked) =>
  failover(op.vantage === vantage && op.intendedMs >= 4000 ? { ...op, intendedMs: 3000 } : op);

describe('served-at-end', () => {
  it('fails where a client that must recover was never served again, whatever the targets ask', () => {
    const scenario = withScenario({ targets: TARGETS });
    expect(objections(judged({ scenario }))).to.deep.equal([]);
    expect(objections(judged({ scenario, answer: never('outside') }))).to.deep.equal(['served-at-end']);
    const allowed = withScenario({ targets: TARGETS, expect: { ...SCENARIO.expect, outage: 'allowed' } });
    expect(objections(judged({ scenario: allowed, answer: never('outside') }))).to.deep.equal(['served-at-end']);
    const other = withScenario({ targets: TARGETS, expect: { ...SCENARIO.expect, mustRecover: ['us-east1'] } });
    expect(objections(judged({ scenario: other, answer: never('outside') })), 'one that need not recover').to.deep.equal([]);
  });

  it('tells of a client that need not recover and was never served again, long after every fault was healed', () => {
    const vantages = ['us-east1', 'outside', 'us-central1'];
    const told = (loadEndMs: number, scenario = withScenario({})) => {
      const result = judged({ vantages, loadEndMs, scenario, answer: never('us-central1') });
      expect(objections(result)).to.deep.equal([]);
      return result.verdict.findings.filter((one) => one.check === 'served-at-end' && one.outcome === 'warn').map((one) => one.message);
    };
    expect(told(12_000).join('; ')).to.match(
      /^us-central1, which need not recover, was not served for \d+\.\d+ s .* healed \d\.\d+ s before$/,
    );
    expect(told(12_000, withScenario({ targets: TARGETS }))).to.have.length(1);
    expect(told(7000), 'who knows, so soon').to.deep.equal([]);
  });

  it('fails where nothing was injected, and an order ended the service', () => {
    const plain = { ...SCENARIO, name: 'order', method: [{ do: 'observe', forMs: 3000 }] as const, targets: TARGETS };
    const scenario = { ...plain, expect: { ...SCENARIO.expect, failover: 'none', outage: 'allowed' } as const };
    const stops = (op: Asked) => failover({ ...op, intendedMs: op.intendedMs < 3000 ? 1000 : 3000 });
    expect(objections(judge(nullHistory({ scenario }), CHECKS))).to.deep.equal([]);
    expect(objections(judge(nullHistory({ scenario, answer: stops }), CHECKS))).to.include('served-at-end');
  });

  it('waits for no longer than the load does where a window of sustained service is long', () => {
    const workload = { ...SCENARIO.workload, sustained: { operations: 10, forMs: 4000 } };
    const scenario = withScenario({ targets: TARGETS, workload });
    expect(outcomeOf(judged({ scenario, loadEndMs: 9000, answer: never('outside') }), 'served-at-end')).to.equal('fail');
    expect(outcomeOf(judged({ scenario, loadEndMs: 9000 }), 'served-at-end')).to.equal('pass');
  });

  it('takes a slow answer at the very end for what it is, and leaves to others what they judge', () => {
    const slow = (op: Asked) => ({ ...failover(op), ...(op.intendedMs > 6900 ? { latencyMs: 400 } : {}) });
    expect(outcomeOf(judged({ scenario: withScenario({ targets: TARGETS }), answer: slow }), 'served-at-end')).to.equal('pass');
    expect(outcomeOf(judged(), 'served-at-end')).to.equal('skipped');
    expect(outcomeOf(judge(nullHistory(), CHECKS), 'served-at-end')).to.equal('skipped');
  });

  describe('in the midst of sustained service', () => {
    // As scenarios have it by default.
    const workload = { ...SCENARIO.workload, sustained: { operations: 25, forMs: 500 } };
    const of = (refuses: (op: Asked) => boolean, loadEndMs = 11_800, change = {}) =>
      judged({
        loadEndMs,
        scenario: withScenario({ workload, ...change }),
        answer: (op) => (op.intendedMs >= 4000 && refuses(op) ? { ...failover(op), outcome: 'failed', latencyMs: 300 } : failover(op)),
      });
    const isLost = (op: Asked): boolean => op.op === 'get' && op.key === 'reg/us-east1/1';

    it('fails where one key can never be read again, by anybody or by one of them, though each is served well in between', () => {
      for (const refuses of [isLost, (op: Asked) => isLost(op) && op.vantage === 'outside']) {
        const result = of(refuses);
        expect(result.measurement.recovery.state).to.equal('recovered');
        expect(objections(result)).to.deep.equal(['served-at-end']);
      }
      expect(of(isLost).verdict.reason).to.match(/get reg\/us-east1\/1: never served again from 2\.\d+ s on, \d+ times in the midst/);
    });
    it('fails where nothing can be deleted any more, and windows of sustained service are shorter than the time between two deletes', () => {
      const change = { workload: { ...workload, sustained: { operations: 10, forMs: 200 } } };
      const result = of(({ op }) => op === 'delete', 9900, change);
      expect(result.verdict.reason).to.match(/^served-at-end: delete: never served again/);
    });
    it('fails where what is asked for one key is late each time, and no outage may be: all that together is a moment', () => {
      const late = (op: Asked) => ({ outcome: 'ok', latencyMs: isLost(op) ? 600 : 5, region: 'us-central1', epoch: 1 }) as const;
      const found = judge(nullHistory({ answer: late, loadEndMs: 7100 }), CHECKS);
      expect(outcomeOf(found, 'brown-out')).to.equal('pass');
      expect(objections(found)).to.deep.equal(['served-at-end']);
    });
    it('takes accidents for what they are, also where they always hit the same thing but the last time', () => {
      expect(objections(of((op) => isLost(op) && op.intendedMs < 10_000))).to.deep.equal([]);
      expect(objections(of((op) => op.seq % 97 === 0 && op.intendedMs < 10_500))).to.deep.equal([]);
    });
  });
});
