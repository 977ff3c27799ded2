import { expect } from 'chai';
import { enoughToExclude, enoughToProve, judgeLosses } from '../fault/loss-effect.ts';
import type { Beacon, EventBody, FaultEffect, RunEvent } from '../history/event.ts';
import { afterProbe, EMPTY_HISTORY } from '../platform/local/reach/link-history.ts';
import { at } from '../testing/handmade.ts';
import { editOf, judged, objections } from '../testing/judged.ts';

const FAULT = 'isolation';
const PODS = ['api-us-central1', 'api-us-east1'];
const SHARE = 0.25;
const [FROM, TO] = PODS as [string, string];
const LOSSY = [{ from: FROM, to: TO, families: [4, 6] }] as const;
const expected = { kind: 'links-lossy', pods: PODS, lossy: LOSSY, share: SHARE } as const;
const [T0_MS, HEALED_MS] = [2000, 6000];

/** Every fourth is lost, or none. */
const counted = (count: number, lossy: boolean, fromMs: number, [from, to] = [FROM, TO]): readonly Beacon[] =>
  ([4, 6] as const).map((family) => {
    let history = EMPTY_HISTORY;
    for (let seq = 0; seq < count; seq++) {
      const beforeMs = fromMs + seq;
      history = afterProbe(history, { beforeMs, afterMs: beforeMs + 0.5, arrived: !lossy || seq % 4 !== 0 });
    }
    return { from, to, family, ...history };
  });

/** The record of a loss in the place of the cut, told as if it had all been there. */
function recorded(over: Partial<Record<FaultEffect['moment'], boolean | null>> = {}): (events: readonly RunEvent[]) => readonly RunEvent[] {
  const planned = {
    kind: 'fault-planned',
    fault: FAULT,
    manifestFile: 'loss.yaml',
    manifestSha256: '0'.repeat(64),
    manifestKind: 'NetworkChaos',
    action: 'loss',
    mode: 'all',
    seed: 1,
    sources: [{ pod: FROM, region: 'us-central1' }],
    targets: [],
    expected,
    notes: [],
  } as const satisfies EventBody;
  const cells = [
    { from: FROM, to: TO },
    { from: TO, to: FROM },
  ].flatMap((link) => ([4, 6] as const).map((family) => ({ ...link, family, sent: 3, received: 3 })));
  const before = counted(enoughToExclude(SHARE, 2), false, 1500);
  const seen = (atMs: number, moment: FaultEffect['moment'], sinceMs: number, requestedMs: number): readonly RunEvent[] => {
    const lasts = moment === 'during' || moment === 'before-heal';
    const count = lasts ? enoughToProve(SHARE, 2) : enoughToExclude(SHARE, 2);
    const outside = moment === 'during' ? counted(count, false, sinceMs, [TO, FROM]) : [];
    const honest = [...counted(count, lasts, sinceMs), ...outside];
    const effect = judgeLosses({
      fault: FAULT,
      moment,
      expected,
      cells: moment === 'before-heal' ? [] : cells,
      sample: honest,
      sinceMs,
      spanning: [],
      before,
      elsewhere: [],
      requestedMs,
    });
    expect(effect.confirmed, effect.measured).to.equal(true);
    const told = over[moment];
    if (told === null) return [];
    const sample = told === undefined ? honest : counted(count, told, sinceMs);
    const swept = moment === 'before-heal' ? [] : [at(atMs, { kind: 'reachability', moment, fault: FAULT, cells })];
    return [...swept, at(atMs, { ...effect, evidence: { kind: 'losses', sample, spanning: [], sinceMs } })];
  };
  return (events) =>
    [
      ...events.filter((event) => !('fault' in event)),
      at(1400, planned),
      ...seen(1999, 'before', 1500, T0_MS),
      at(2004, { kind: 'fault-injected', fault: FAULT, requestedMs: T0_MS, acknowledgedMs: T0_MS + 1 }),
      ...seen(2400, 'during', 2005, T0_MS),
      ...seen(5999, 'before-heal', 5000, T0_MS),
      at(6004, { kind: 'fault-healed', fault: FAULT, requestedMs: HEALED_MS, acknowledgedMs: HEALED_MS + 4 }),
      ...seen(6400, 'after-heal', 6005, HEALED_MS),
    ].toSorted((a, b) => a.atMs - b.atMs);
}

describe('the record of a loss', () => {
  it('is believed where its counts say so', () => {
    const result = judged({ edit: recorded() });
    expect(objections(result).filter((check) => check.startsWith('fault-'))).to.deep.equal([]);
  });
  const lies: readonly (readonly [string, Parameters<typeof recorded>[0], string])[] = [
    ['says that it was there, and counted none', { during: false }, 'fault-effective'],
    ['says that there was none before, and counted as much', { before: true }, 'fault-effective'],
    ['holds no counts of before', { before: null }, 'fault-effective'],
    ['says that it lasted, and counted none before the heal', { 'before-heal': false }, 'fault-healed'],
    ['has no count of right before the heal', { 'before-heal': null }, 'fault-healed'],
    ['says that it was healed, and counted as much as before', { 'after-heal': true }, 'fault-healed'],
  ];
  for (const [what, over, check] of lies)
    it(`proves nothing where it ${what}`, () => {
      const result = judged({ edit: recorded(over) });
      expect(result.verdict.outcome).to.equal('inconclusive');
      expect(objections(result)).to.include(check);
    });
  it('proves nothing without its sweeps', () => {
    const edit = (events: readonly RunEvent[]): readonly RunEvent[] => editOf('reachability', () => null)(recorded()(events));
    expect(objections(judged({ edit }))).to.include('fault-effective');
  });
});
