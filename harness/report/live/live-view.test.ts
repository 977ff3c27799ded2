import { expect } from 'chai';
import type { EventBody, RunEvent } from '../../history/event.ts';
import { sampleRun } from '../../testing/sample-run.ts';
import { frame } from './frame.ts';
import { advance, NOTHING_YET, type LiveState } from './live-state.ts';
import { liveView, redraw } from './live-view.ts';

const at = (atMs: number, body: EventBody): RunEvent => ({ atMs, wall: '', ...body });

function op(atMs: number, outcome: 'ok' | 'failed' | 'unknown'): RunEvent {
  return at(atMs, {
    kind: 'op',
    vantage: 'client-outside',
    seq: atMs,
    op: 'put',
    key: 'k',
    value: 'v',
    intendedMs: atMs - 5,
    completedMs: atMs,
    outcome,
    dnsMs: 0,
    address: '10.77.1.10',
    claimedEpoch: 3,
  });
}

const EVENTS: readonly RunEvent[] = [
  ...sampleRun().events.filter((event) => event.atMs <= 10_200),
  ...Array.from({ length: 8 }, (_, index) => op(8000 + index * 250, 'ok')),
  ...Array.from({ length: 9 }, (_, index) => op(10_000 + index * 250, index % 3 === 2 ? 'unknown' : 'failed')),
  op(12_300, 'ok'),
];

const after = (events: readonly RunEvent[]): LiveState => events.reduce(advance, NOTHING_YET);

describe('the live view', () => {
  it('shows phase, the clock since the fault, who serves, and what each vantage got', () => {
    const text = frame(after(EVENTS), 12_400, { columns: 100, rows: 0, color: false }).join('\n');
    expect(text).to.contain('region-isolation  inject  0:12.4');
    expect(text).to.contain('fault isolate-primary (NetworkChaos partition): in effect, 2.40 s ago');
    expect(text).to.contain('served by us-central1, epoch 3; 1 of 1 vantages are served');
    expect(text).to.contain('▇▇▇▇▇▇▇▇✕✕?✕✕?✕✕?▇');
    expect(text).to.contain('client-outside is served again after 2.31 s');
  });

  it('tells an outage once, though what was asked in it is answered late, between what is served again', () => {
    const late = (atMs: number): RunEvent => Object.assign(op(atMs, 'ok'), { intendedMs: atMs - 1020 });
    const backlog = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? late(12_310 + index * 10) : op(12_310 + index * 10, 'ok')));
    const { story, vantages } = after([...EVENTS, ...backlog]);
    expect(story.filter(({ text }) => text.includes('is served again')).map(({ text }) => text)).to.deep.equal([
      'client-outside is served again after 2.31 s',
    ]);
    expect(vantages[0]?.longestOutMs).to.be.closeTo(2305, 1);
  });

  it('fits any terminal: no columns, few columns, few rows', () => {
    for (const columns of [0, 1, 2, 10, 20, 38, 80, 200]) {
      for (const rows of [0, 1, 2, 5, 24]) {
        const lines = frame(after(EVENTS), 12_400, { columns, rows, color: false });
        for (const line of lines) expect(line.length).to.be.lessThan(columns > 0 ? columns : 80);
        if (rows > 1) expect(lines.length).to.be.lessThan(rows);
      }
    }
  });

  it('writes plain lines where there is no terminal, each once and without escapes', () => {
    const written: string[] = [];
    const view = liveView({ write: (text) => written.push(text) }, {}, () => 0);
    EVENTS.forEach((event) => view.onEvent(event));
    view.close();
    expect(written.join('')).to.not.contain('\u001b');
    expect(written).to.include('    10.00 s  phase inject\n');
    expect(new Set(written).size).to.equal(written.length);
  });

  it('uses no colour when NO_COLOR is set, and plain lines in CI', () => {
    const drawn = (environment: Readonly<Record<string, string>>): string => {
      const written: string[] = [];
      const view = liveView({ isTTY: true, write: (text) => written.push(text), getWindowSize: () => [80, 24] }, environment, () => 12_400);
      EVENTS.forEach((event) => view.onEvent(event));
      view.close();
      view.close();
      return written.join('');
    };
    expect(drawn({})).to.contain('\u001b[32m').and.contain('\u001b[?2026h');
    expect(drawn({ NO_COLOR: '1' }))
      .to.contain('\u001b[?2026h')
      .and.not.contain('\u001b[32m');
    expect(drawn({ CI: 'true' })).to.not.contain('\u001b');
    expect(drawn({ TERM: 'dumb' })).to.not.contain('\u001b');
  });

  it('goes back over lines that a narrower terminal has wrapped', () => {
    expect(redraw([], ['a'], 80)).to.not.contain('A\r');
    expect(redraw(['x'.repeat(79), 'y'], ['a'], 80)).to.contain('\u001b[2A');
    expect(redraw(['x'.repeat(79), 'y'], ['a'], 40)).to.contain('\u001b[3A');
  });
});
