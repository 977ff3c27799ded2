import { expect } from 'chai';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { followPlan, type Plan, type PlanFollowed } from './follow-plan.ts';

const NEVER = new AbortController().signal;
const HOUR_MS = 3_600_000;

interface Played {
  readonly followed: PlanFollowed;
  readonly made: readonly { readonly step: string; readonly ms: number }[];
  readonly waited: readonly string[];
}

/** @param plan by what was made so far, and when */
async function play(plan: (made: Played['made'], ms: number) => Plan<string>): Promise<Played> {
  const clock = new SteppedClock();
  const made: { step: string; ms: number }[] = [];
  const waited: string[] = [];
  const following = followPlan(
    {
      plan: () => plan(made, clock.monotonicMs()),
      clock,
      patienceMs: HOUR_MS,
      status: () => Promise.resolve(null),
      act: (step) => {
        made.push({ step, ms: clock.monotonicMs() });
        return Promise.resolve({ kind: 'done', said: '' });
      },
      inWords: (step) => `step ${step}`,
      onWait: (why) => waited.push(why),
    },
    NEVER,
  );
  await clock.until(2 * HOUR_MS);
  return { followed: await following, made, waited };
}

describe('a plan that is followed', () => {
  it('does not make a step again and again that the status never shows: it says what was done, and that it is not seen', async () => {
    const { followed, made, waited } = await play(() => ({ kind: 'do', step: 'a' }));
    expect(made).to.deep.equal([0, 20_000, 40_000].map((ms) => ({ step: 'a', ms })));
    expect(followed.kind).to.equal('undecided');
    expect(followed.why).to.match(/^step a: .* said 3 times that this is done, and the status does not show it/);
    expect(waited.slice(0, 1)).to.deep.equal(['until the status shows what was done: step a']);
  });

  it('makes it no less where something is waited for in between, as each change makes FoundationDB recover', async () => {
    const { followed, made } = await play((_, ms) => (ms % 2000 === 0 ? { kind: 'do', step: 'a' } : { kind: 'wait', why: 'recovery' }));
    expect(made).to.have.lengthOf(3);
    expect(followed.kind).to.equal('undecided');
  });

  it('makes the next step at once, and waits for a status that is late', async () => {
    const { followed, made } = await play((soFar, ms) => {
      if (soFar.length === 0) return { kind: 'do', step: 'a' };
      if (ms < 15_000) return { kind: 'do', step: 'a' };
      return soFar.length === 1 ? { kind: 'do', step: 'b' } : { kind: 'done', why: 'all there' };
    });
    expect(made).to.deep.equal([
      { step: 'a', ms: 0 },
      { step: 'b', ms: 15_000 },
    ]);
    expect(followed).to.deep.equal({ kind: 'done', why: 'all there' });
  });
});
