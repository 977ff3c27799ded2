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

  it('half of what was asked for is not what was asked for, and a program that is left with thrice as much is another dose too', () => {
    const isDose = (share: number, still: number) => judge([...samples('a', still, 40), ...samples('b', still, 40)], {}, share).confirmed;
    const doses: readonly (readonly [number, readonly number[], readonly number[]])[] = [
      [0.2, [6, 8, 14], [1, 4, 5, 15]],
      [0.4, [12, 16, 22], [8, 11, 23]],
      [0.5, [15, 20, 26], [10, 14, 27]],
      [0.9, [32, 36, 40], [28, 31]],
      [1023 / 1024, [36, 40], [35]],
    ];
    for (const [share, right, wrong] of doses)
      for (const still of [...right, ...wrong]) expect(isDose(share, still), `${still} of 40 for ${share}`).to.equal(right.includes(still));
  });

  it('cannot be told where another fault holds the same program still', () => {
    for (const moment of ['before', 'during', 'before-heal'] as const) {
      const still = moment === 'before' ? 0 : 36;
      const of = (elsewhere: readonly string[]) =>
        judge([...samples('a', still, 40), ...samples('b', still, 40)], { moment, elsewhere }, 0.9);
      expect(of([]).confirmed, moment).to.equal(true);
      expect(of(['other']).confirmed, moment).to.equal(false);
      expect(of(['other']).measured).to.match(/other holds some of it still as well/);
    }
  });

  describe('right before the heal', () => {
    const had = [...at(50, 'a', 'T', 'T'), ...at(50, 'b', 'T')];
    const last = (states: readonly ProcessState[]) => judge(states, { moment: 'before-heal', had });
    it('the same processes must still stand still', () => {
      expect(last([...at(200, 'a', 'T', 'T'), ...at(200, 'b', 'T')])).to.deep.include({ confirmed: true });
      expect(last([...at(200, 'a', 'T', 'S'), ...at(200, 'b', 'T')]).measured).to.match(/a: still runs|a: runs: process 2/);
    });
    it('a program that was replaced is not the one that stood still', () => {
      const other = last([...at(200, 'a', 'T', 'T'), { atMs: 200, pod: 'b', pid: 77, state: 'T' }]);
      expect(other.confirmed).to.equal(false);
      expect(other.measured).to.match(/b: its processes are others: 77, and were 1/);
    });
    it('a share must still be one', () => {
      const share = (still: number) =>
        judge([...samples('a', still, 40), ...samples('b', 36, 40)], { moment: 'before-heal' }, 0.9).confirmed;
      expect([share(36), share(0)]).to.deep.equal([true, false]);
    });
  });

  it('a share is healed when none of as many samples as showed it stands still', () => {
    const after = (a: readonly ProcessState[]) => judge([...a, ...samples('b', 0, 40)], { moment: 'after-heal' }, 0.9);
    expect(after(samples('a', 0, 40)).confirmed).to.equal(true);
    expect(after(samples('a', 0, 1)).confirmed, 'one look').to.equal(false);
    expect(after([...samples('a', 0, 20), ...at(130, 'a', 'T'), ...at(131, 'a', 'S')]).confirmed).to.equal(false);
    const still = [...at(90, 'a', 'T'), ...samples('a', 0, 40)];
    expect(after(still), 'it may take a moment').to.deep.include({ confirmed: true, betweenMs: [100, 100] });
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
