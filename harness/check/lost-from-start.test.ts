import { expect } from 'chai';
import type { Scenario } from '../scenario/scenario.ts';
import { toResultDocument } from '../report/result.ts';
import { failover, SCENARIO } from '../testing/handmade.ts';
import { judged, objections, outcomeOf } from '../testing/judged.ts';

/** A failover after which what was acknowledged between two instants of before is gone. */
function losing([fromMs, toMs]: readonly [number, number], targets: Partial<Scenario['targets']>) {
  const scenario: Scenario = {
    ...SCENARIO,
    replication: 'async',
    expect: { ...SCENARIO.expect, loss: 'allowed' },
    targets: { ...SCENARIO.targets, recoveryPointMs: null, lostWrites: null, ...targets },
  };
  return judged({
    scenario,
    answer: (op) =>
      op.intendedMs >= fromMs && op.intendedMs < toMs && op.op !== 'get' ? { ...failover(op), applied: false } : failover(op),
  });
}

describe('a loss of everything', () => {
  it('is within no objective, which it would be only because the run was short', () => {
    const tail = losing([1800, 2000], { recoveryPointMs: 5000 });
    expect(objections(tail).filter((check) => check !== 'engine-claims')).to.deep.equal([]);
    const all = losing([0, 2000], { recoveryPointMs: 5000 });
    expect(outcomeOf(all, 'recovery-point')).to.equal('inconclusive');
    expect(outcomeOf(all, 'lost-writes')).to.equal('inconclusive');
    expect(toResultDocument(all).targets.find(({ name }) => name === 'recovery-point')?.text).to.match(/^> 1\.\d+ s$/);
    expect(outcomeOf(losing([0, 2000], { recoveryPointMs: 1000 }), 'recovery-point'), 'at least that much').to.equal('fail');
  });

  it('is no number of writes either', () => {
    expect(outcomeOf(losing([1800, 2000], { lostWrites: 200 }), 'lost-writes')).to.equal('pass');
    expect(outcomeOf(losing([0, 2000], { lostWrites: 200 }), 'lost-writes')).to.equal('inconclusive');
    expect(outcomeOf(losing([0, 2000], { lostWrites: 20 }), 'lost-writes')).to.equal('fail');
  });
});
