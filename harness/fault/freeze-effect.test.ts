import { expect } from 'chai';
import type { ProcessState } from '../history/event.ts';
import { judgeFreeze, type FreezeEvidence } from './freeze-effect.ts';

const at = (atMs: number, pod: string, ...states: readonly string[]): readonly ProcessState[] =>
  states.map((state, index) => ({ atMs, pod, pid: index + 1, state }));
const judge = (states: readonly ProcessState[], over: Partial<FreezeEvidence> = {}, share = 1) =>
  judgeFreeze({
    fault: 'f',
    moment: 'during',
    expected: { kind: 'processes-frozen', pods: ['a', 'b'], share },
    states,
    requestedMs: 100,
    ...over,
  });
const samples = (pod: string, still: number, of: number): readonly ProcessState[] =>
  Array.from({ length: of }, (_, n) => at(100 + n, pod, n < still ? 'T' : 'S')).flat();

describe('effect of standing still', () => {
  it('is confirmed when every process of every pod is stopped, with the interval', () => {
    const effect = judge([...at(101, 'a', 'T', 'T'), ...at(101, 'b', 'S'), ...at(104, 'a', 'T', 'T'), ...at(104, 'b', 'T')]);
    expect(effect).to.deep.include({ confirmed: true, betweenMs: [100, 104], skewMs: 3 });
  });

  const refused: readonly (readonly [string, readonly ProcessState[], RegExp])[] = [
    ['a process that runs', [...at(101, 'a', 'T', 'R'), ...at(101, 'b', 'T')], /a: still runs: process 2 \(R\)/],
    ['one that went on by itself', [...at(101, 'a', 'T'), ...at(101, 'b', 'T'), ...at(102, 'b', 'S')], /b: still runs/],
    ['a pod of which nothing was seen', at(101, 'a', 'T'), /b: no process runs in it/],
  ];
  for (const [what, states, says] of refused)
    it(`is not confirmed by ${what}`, () => {
      const effect = judge(states);
      expect(effect.confirmed).to.equal(false);
      expect(effect.measured).to.match(says);
    });

  it('a share of the time is counted over all samples', () => {
    expect(judge([...samples('a', 36, 40), ...samples('b', 33, 40)], {}, 0.9).confirmed).to.equal(true);
    expect(judge([...samples('a', 36, 40), ...samples('b', 20, 40)], {}, 0.9).measured).to.match(/b: stands still 50 % of the time/);
    expect(judge([...samples('a', 36, 40), ...samples('b', 0, 40)], {}, 0.9).confirmed).to.equal(false);
  });

  it('before and after nothing may stand still', () => {
    for (const moment of ['before', 'after-heal'] as const) {
      expect(judge([...at(1, 'a', 'S'), ...at(1, 'b', 'R')], { moment }).confirmed).to.equal(true);
      expect(judge([...at(1, 'a', 'S'), ...at(1, 'b', 'T')], { moment }).measured).to.match(/b: stands still: process 1/);
    }
    expect(
      judge([...at(1, 'a', 'T'), ...at(1, 'b', 'S'), ...at(3, 'a', 'S'), ...at(3, 'b', 'S')], { moment: 'after-heal', requestedMs: 0 }),
    ).to.deep.include({
      confirmed: true,
      betweenMs: [0, 3],
    });
  });
});
