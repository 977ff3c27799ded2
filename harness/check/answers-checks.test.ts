import { expect } from 'chai';
import { failover, SCENARIO, type Asked } from '../testing/handmade.ts';
import { editOf, outcomeOf, judged, withScenario } from '../testing/judged.ts';

describe('judge', () => {
  describe('who answers', () => {
    /** What began right before the old region was cut off has its answer when the new one serves. */
    const late = (op: Asked) =>
      op.vantage === 'outside' && op.intendedMs > 1975 && op.intendedMs < 2000 ? { ...failover(op), latencyMs: 2600 } : failover(op);

    it('fails when the old region acknowledges operations that began after the new one did', () => {
      const result = judged({
        answer: (op) => (op.intendedMs > 4500 && op.vantage === 'outside' ? { ...failover({ ...op, intendedMs: 1000 }) } : failover(op)),
      });
      expect(outcomeOf(result, 'single-primary')).to.equal('fail');
    });
    it('allows an acknowledgement of the old region for what began before the new one took over', () => {
      expect(outcomeOf(judged({ answer: late }), 'single-primary')).to.equal('pass');
    });
    it('fails where that was due before, and left only when the new one had taken over: the client was late, or had to find the service first', () => {
      for (const told of [{ dnsMs: 2100 }, { lateMs: 2100, awakeMs: 1980 }, { dnsMs: 1100, lateMs: 1000 }]) {
        const edit = editOf('op', (op) => (op.completedMs - op.intendedMs === 2600 ? { ...op, ...told } : op));
        expect(outcomeOf(judged({ answer: late, edit }), 'single-primary'), JSON.stringify(told)).to.equal('fail');
      }
    });
    it('fails when two regions claim one epoch', () => {
      expect(outcomeOf(judged({ answer: (op) => ({ ...failover(op), epoch: 1 }) }), 'single-primary')).to.equal('fail');
    });
    it('fails under an epoch that another had come after: who took over with a lower one could take over again and again', () => {
      const of = (before: number, after: number) =>
        judged({ answer: (op) => ({ ...failover(op), epoch: failover(op).region === 'us-central1' ? before : after }) });
      expect(outcomeOf(of(5, 6), 'single-primary')).to.equal('pass');
      const lower = of(5, 3);
      expect(outcomeOf(lower, 'single-primary')).to.equal('fail');
      expect(lower.verdict.reason).to.match(
        /us-east1 acknowledged \d+ operation\(s\) under epoch 3 that began after us-central1 had begun to acknowledge under epoch 5/,
      );
      const back = judged({ answer: (op) => ({ ...failover(op), region: 'us-central1', epoch: op.intendedMs < 4000 ? 2 : 1 }) });
      expect(outcomeOf(back, 'single-primary'), 'in the same region').to.equal('fail');
    });
    it('counts a return under a higher epoch as a second failover, not as split brain', () => {
      const back = (op: Asked) => (op.intendedMs < 5500 ? failover(op) : { ...failover({ ...op, intendedMs: 1000 }), epoch: 3 });
      const result = judged({ answer: back });
      expect(outcomeOf(result, 'single-primary')).to.equal('pass');
      expect(outcomeOf(result, 'expected-failover')).to.equal('fail');
    });
    it('fails a failover where none is expected', () => {
      const scenario = withScenario({ expect: { ...SCENARIO.expect, failover: 'none' } });
      expect(outcomeOf(judged({ scenario }), 'expected-failover')).to.equal('fail');
    });
  });

  describe('reads', () => {
    it('fails on a read of an older value than one acknowledged before', () => {
      const result = judged({
        answer: (op) => ({ ...failover(op), ...(op.op === 'get' && op.intendedMs > 5000 ? { read: 'outside/5' } : {}) }),
        edit: (events) => events,
      });
      expect(outcomeOf(result, 'fresh-reads')).to.equal('fail');
    });
    it('fails on one that was due before the newer value was there, and sent when it was', () => {
      // Late by its client: sent when two more writes of that register had been acknowledged.
      const isLate = (op: Asked): boolean => op.op === 'get' && op.intendedMs > 5000 && op.intendedMs < 5200;
      const answer = (op: Asked) => (isLate(op) ? { ...failover(op), latencyMs: 905 } : failover(op));
      const of = (change: { readonly lateMs?: number }) => {
        const values = new Map<string, string[]>();
        const edit = editOf('op', (op) => {
          const before = values.get(op.key) ?? [];
          if (op.op === 'put') values.set(op.key, [...before, op.value ?? '']);
          const isAsked = op.op === 'get' && op.completedMs - op.intendedMs === 905;
          return isAsked ? { ...op, value: before.at(-2) ?? null, ...change } : op;
        });
        return outcomeOf(judged({ answer, edit }), 'fresh-reads');
      };
      expect(of({}), 'it may have been answered at once').to.equal('pass');
      expect(of({ lateMs: 900 })).to.equal('fail');
    });
    it('fails on a value whose write was refused, also where no order of all operations is looked for', () => {
      const scenario = withScenario({ replication: 'async', expect: { ...SCENARIO.expect, loss: 'allowed' } });
      const refused = new Map<string, string>();
      const answer = (op: Asked) => {
        if (op.op === 'put' && op.intendedMs >= 2000 && op.intendedMs < 4000) refused.set(op.key, `${op.vantage}/${op.seq}`);
        const read = refused.get(op.key);
        return {
          ...failover(op),
          ...(op.op === 'get' && op.intendedMs > 4000 && op.intendedMs < 4100 && read !== undefined ? { read } : {}),
        };
      };
      expect(outcomeOf(judged({ scenario, answer }), 'fresh-reads')).to.equal('fail');
    });
    it('fails on an absent register that was written, and on a value that nobody wrote', () => {
      for (const read of [null, 'outside/999999']) {
        const result = judged({ answer: (op) => ({ ...failover(op), ...(op.op === 'get' && op.intendedMs > 5000 ? { read } : {}) }) });
        expect(outcomeOf(result, 'fresh-reads')).to.equal('fail');
      }
    });
  });
});
