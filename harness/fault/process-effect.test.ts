import { expect } from 'chai';
import type { PodProcess } from '../history/event.ts';
import { judgeProcesses, type ProcessEvidence } from './process-effect.ts';

const running = (pod: string, pid: number, startedTicks = 1): PodProcess => ({ pod, pid, startedTicks, command: 'node', state: 'S' });
const change = (pod: string, what: 'exited' | 'started', pid: number, atMs: number) =>
  ({ kind: 'pod', pod, region: 'r', change: what, pid, atMs }) as const;

const judge = (over: Partial<ProcessEvidence>, afterwards: 'held' | 'replaced' | 'restarted' = 'held') =>
  judgeProcesses({
    fault: 'f',
    moment: 'during',
    expected: { kind: 'processes-gone', pods: ['a', 'b'], afterwards },
    before: [running('a', 1), running('a', 2), running('b', 3)],
    now: [],
    changes: [change('a', 'exited', 1, 105), change('b', 'exited', 3, 108)],
    requestedMs: 100,
    ...over,
  });

describe('effect on processes', () => {
  it('is confirmed when the kernel has none of them and their parent saw them exit', () => {
    expect(judge({})).to.deep.include({ confirmed: true, betweenMs: [100, 105], skewMs: 3 });
    expect(judge({ now: [running('a', 9, 7)] }, 'replaced').confirmed).to.equal(true);
  });

  it('has not begun while the kernel still had all of them, whenever it was asked for, nor after the first of them had gone', () => {
    expect(judge({ requestedMs: 20, lastThereMs: 98 })).to.deep.include({ betweenMs: [98, 105] });
    expect(judge({ lastThereMs: 98 }), 'looked at before the request').to.deep.include({ betweenMs: [100, 105] });
    expect(judge({ lastThereMs: 900 }), 'a record that contradicts itself').to.deep.include({ betweenMs: [100, 105] });
  });

  const refused: readonly (readonly [string, Partial<ProcessEvidence>, RegExp])[] = [
    ['a process that is still there', { now: [running('a', 2)] }, /a: still there: process 2 \(node\)/],
    ['a process that started while held', { now: [running('b', 9)] }, /b: started while it should be held: process 9/],
    ['an exit that nobody saw', { changes: [change('a', 'exited', 1, 105)] }, /b: its processes are gone, but nobody saw them exit/],
    ['an exit before the injection', { changes: [change('a', 'exited', 1, 105), change('b', 'exited', 3, 99)] }, /b: .*nobody saw/],
    ['the exit of another process', { changes: [change('a', 'exited', 1, 105), change('b', 'exited', 77, 108)] }, /b: .*nobody saw/],
    ['a pod in which nothing ran before', { before: [running('a', 1)] }, /b: no process ran in it before/],
  ];
  for (const [what, over, says] of refused)
    it(`is not confirmed by ${what}`, () => {
      const effect = judge(over);
      expect(effect.confirmed).to.equal(false);
      expect(effect.measured).to.match(says);
    });

  it('a container that ended by itself was not killed, however well that fits the time; how one ended that nobody tells is no objection', () => {
    const ended = (how: Partial<ProcessEvidence['changes'][number]>) =>
      judge({ changes: [{ ...change('a', 'exited', 1, 105), ...how }, change('b', 'exited', 3, 108)] }, 'restarted');
    for (const killed of [{ exitCode: null, signal: 'SIGKILL' }, { exitCode: 137, signal: null }, { exitCode: null, signal: null }, {}])
      expect(ended(killed).confirmed, JSON.stringify(killed)).to.equal(true);
    for (const [how, told] of [
      [{ exitCode: 1, signal: null }, /a: it ended by itself \(exit code 1\)/],
      [{ exitCode: 0, signal: null }, /a: it ended by itself \(exit code 0\)/],
      [{ exitCode: null, signal: 'SIGSEGV' }, /a: it ended by itself \(SIGSEGV\)/],
    ] as const) {
      expect(ended(how).confirmed, JSON.stringify(how)).to.equal(false);
      expect(ended(how).measured).to.match(told);
    }
  });

  it('a reused pid is another process', () => {
    expect(judge({ now: [running('a', 1, 50)] }, 'replaced').confirmed).to.equal(true);
  });

  it('before: the pods must run; after the heal: again', () => {
    expect(judge({ moment: 'before', now: [running('a', 1), running('b', 3)] }).confirmed).to.equal(true);
    expect(judge({ moment: 'before', now: [running('a', 1)] }).measured).to.match(/b: no process runs in it/);
    const back = {
      moment: 'after-heal',
      requestedMs: 500,
      changes: [change('a', 'started', 11, 520), change('b', 'started', 12, 530)],
    } as const;
    expect(judge({ ...back, now: [running('a', 11), running('b', 12)] })).to.deep.include({
      confirmed: true,
      betweenMs: [500, 530],
      skewMs: 10,
    });
    expect(judge({ ...back, now: [running('a', 11)] }).confirmed).to.equal(false);
  });
});
