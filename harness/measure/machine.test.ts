import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { machineText } from '../report/machine-text.ts';
import { nullHistory } from '../testing/handmade.ts';
import { measure } from './measure.ts';
import { viewRun } from './view.ts';

const WALL = '2026-11-28T00:00:00.000Z';

/** A look a second at two processors, of which each second takes the idle, waited and network milliseconds named. */
function looks(seconds: readonly (readonly [idleMs: number, waitedMs: number, networkWaitMs: number])[]): readonly RunEvent[] {
  const sum = (upTo: number, of: 0 | 1 | 2): number => seconds.slice(0, upTo).reduce((total, second) => total + second[of], 0);
  return [...seconds, null].map((_, index) => ({
    atMs: 1 + index * 1000,
    wall: WALL,
    kind: 'machine',
    processorsMs: 9e6 + index * 2000,
    idleMs: 5e6 + sum(index, 0),
    stolenMs: 1e5 + index * 20,
    waitedMs: 4e5 + sum(index, 1),
    networkWaitsMs: [8e4 + sum(index, 2), 7e4 + index * 0.5],
  }));
}

function measured(seconds: Parameters<typeof looks>[0], change: (of: readonly RunEvent[]) => readonly RunEvent[] = (of) => of) {
  const edit = (events: readonly RunEvent[]): readonly RunEvent[] =>
    [...events, ...change(looks(seconds))].toSorted((a, b) => a.atMs - b.atMs);
  return measure(viewRun(nullHistory({ loadEndMs: 6000, edit }))).machine ?? null;
}

describe('how busy the machine was', () => {
  it('is told for the time of the load, in shares', () => {
    const machine = measured([
      [200, 800, 1],
      [200, 900, 1],
      [200, 880, 620],
      [200, 880, 1],
      [200, 880, 1],
    ]);
    expect(machine?.busy).to.be.closeTo(0.9, 0.01);
    expect(machine?.stolen).to.be.closeTo(0.01, 0.001);
    expect(machine?.networkWait?.median).to.be.closeTo(0.001, 1e-6);
    expect(machine?.networkWait?.max).to.be.closeTo(0.62, 1e-6);
    expect(machineText({ machine })).to.match(
      /waited for a processor 0\.1 % of the time, 62 % of the worst second; .*connections may have failed for that alone.* play it again/,
    );
  });

  it('says nothing of connections where the kernel had its processor', () => {
    const machine = measured([
      [0, 1000, 2],
      [0, 1000, 30],
      [0, 1000, 2],
    ]);
    expect(machineText({ machine })).to.include('3.0 % of the worst second').and.not.include('connections');
  });

  it('says that the network threads were not seen, where they were not', () => {
    const machine = { busy: 1, stolen: 0, waited: { median: 0.9, max: 1 }, networkWait: null };
    expect(machineText({ machine })).to.include(
      "how long the kernel's network threads waited for a processor is not known: this kernel does not show it",
    );
  });

  it('counts the thread that waited longest, not how many processors there are', () => {
    const many = (events: readonly RunEvent[]): readonly RunEvent[] =>
      events.map((event) => (event.kind === 'machine' ? { ...event, networkWaitsMs: Array(64).fill((event.atMs / 1000) * 10) } : event));
    expect(
      measured(
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        many,
      )?.networkWait?.max,
    ).to.be.closeTo(0.01, 1e-6);
  });

  it('is not told where a counter falls: that is no record of a kernel', () => {
    const fall = (key: 'processorsMs' | 'stolenMs' | 'waitedMs') => (events: readonly RunEvent[]) =>
      events.map((event) => (event.kind === 'machine' && event.atMs > 2000 && event.atMs < 3000 ? { ...event, [key]: 1 } : event));
    for (const key of ['processorsMs', 'stolenMs', 'waitedMs'] as const)
      expect(
        measured(
          [
            [0, 5, 5],
            [0, 5, 5],
            [0, 5, 5],
          ],
          fall(key),
        ),
        key,
      ).to.equal(null);
  });

  it('is not told of a run that was not watched, or seen once', () => {
    expect(measured([])).to.equal(null);
    expect(machineText({ machine: null })).to.equal(null);
  });
});
