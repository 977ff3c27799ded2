import { expect } from 'chai';
import type { Scenario } from '../scenario/scenario.ts';
import { toResultDocument } from '../report/result.ts';
import { failover, SCENARIO, type Answered, type Asked } from '../testing/handmade.ts';
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

describe('how far back the lost writes of several losses went', () => {
  // us-central1 until 2 s, us-east1 from 4 s on, from 9.5 s on europe-west1.
  const moved = (op: Asked): Answered => {
    if (op.intendedMs < 9000) return failover(op);
    if (op.intendedMs < 9500) return { ...failover(op), outcome: 'failed', latencyMs: 300 };
    return { ...failover(op), region: 'europe-west1', epoch: 3 };
  };
  const pointOf = (...gone: readonly (readonly [number, number])[]) => {
    const isGone = ({ op, intendedMs: ms }: Asked): boolean => op !== 'get' && gone.some(([fromMs, toMs]) => ms >= fromMs && ms < toMs);
    const answer = (op: Asked): Answered => (isGone(op) ? { ...moved(op), applied: false } : moved(op));
    const scenario: Scenario = {
      ...SCENARIO,
      replication: 'async',
      expect: { ...SCENARIO.expect, failover: 'allowed', loss: 'allowed' },
      targets: { ...SCENARIO.targets, recoveryPointMs: 1000, lostWrites: null },
    };
    return judged({ scenario, loadEndMs: 12_000, answer });
  };

  it('is that of the worst, where something of between them is there', () => {
    const twice = pointOf([1800, 2000], [8600, 9000]);
    expect(twice.measurement.writes.recoveryPointMs).to.be.within(380, 460);
    expect(outcomeOf(twice, 'recovery-point')).to.equal('pass');
    expect(pointOf([1500, 2000], [8800, 9000]).measurement.writes.recoveryPointMs).to.be.within(480, 560);
  });

  it('is that of all together, where all that was written between them is lost as well', () => {
    const back = pointOf([1800, 9000]);
    expect(back.measurement.writes.recoveryPointMs).to.be.within(7180, 7240);
    expect(outcomeOf(back, 'recovery-point')).to.equal('fail');
  });
});

describe('writes of registers that are lost with the end of a reign', () => {
  const scenario: Scenario = {
    ...SCENARIO,
    replication: 'async',
    expect: { ...SCENARIO.expect, loss: 'allowed' },
    targets: { ...SCENARIO.targets, recoveryPointMs: 5000, lostWrites: null },
  };
  const isChange = ({ op, intendedMs: ms }: Asked): boolean => op !== 'get' && ms >= 1700 && ms < 2000;

  it('are counted, also where the register was written anew before anybody read it', () => {
    const gone: string[] = [];
    const answer = (op: Asked): Answered => {
      if (!isChange(op)) return failover(op);
      if (op.op === 'put') gone.push(`${op.vantage}/${op.seq}`);
      return { ...failover(op), applied: false };
    };
    const result = judged({ scenario, answer });
    const lost = result.measurement.writes.lost.flatMap(({ op, value }) => (op === 'put' ? [value] : []));
    // The very first may have been over before anything else was lost.
    expect(lost.length).to.be.within(gone.length - 1, gone.length);
    expect(gone).to.include.members(lost);
    expect(outcomeOf(result, 'no-holes')).to.equal('pass');
  });

  it('are a hole where what they came after is lost, and a later reign was seen to have them', () => {
    // Of the end of the first reign all is lost but its registers, which are read in the second before they are written anew.
    const answer = (op: Asked): Answered =>
      isChange(op) && !op.key.startsWith('reg/') ? { ...failover(op), applied: false } : failover(op);
    const result = judged({ scenario, answer });
    expect(outcomeOf(result, 'no-holes')).to.equal('fail');
    expect(result.verdict.reason).to.match(
      /^no-holes: \d+ hole\(s\): put \S+ is lost, but put reg\/\S+, which us-central1 acknowledged later, is there/,
    );
  });

  it('so they are where what was deleted after them stays deleted', () => {
    const answer = (op: Asked): Answered => (isChange(op) && op.op === 'put' ? { ...failover(op), applied: false } : failover(op));
    const result = judged({ scenario, answer });
    expect(outcomeOf(result, 'no-holes')).to.equal('fail');
    expect(result.verdict.reason).to.match(
      /^no-holes: \d+ hole\(s\): put \S+ is lost, but delete \S+, which us-central1 acknowledged later, is there/,
    );
    // Of a delete whose put is lost too nobody knows whether it was done.
    const both = (op: Asked): Answered => (isChange(op) ? { ...failover(op), applied: false } : failover(op));
    expect(outcomeOf(judged({ scenario, answer: both }), 'no-holes')).to.equal('pass');
  });
});
