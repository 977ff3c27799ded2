import { expect } from 'chai';
import fc from 'fast-check';
import type { History, PastRun } from '../arbiter/arbiter.ts';
import { acknowledge } from './history.ts';
import { NOBODY_IN_SYNC, watchInSync } from './in-sync.ts';
import type { Effect, SeenStatus } from './state.ts';
import { policy, NOW, CENTRAL, EAST, EUROPE, seen, standby, SWITCH, Walk } from './testing/walk.ts';

describe('history', () => {
  it('tells once that the region which was left is back in sync', () => {
    const lease = { lease: { epoch: 2, holder: EAST, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW };
    const run = { runId: 'r', outcome: 'DONE', from: CENTRAL, rejoinedAt: null } as PastRun;
    const walk = new Walk({ lease, history: { value: { runs: [run], seq: 4 }, revision: 9 } }).tick();
    expect(walk.effects).to.deep.equal([]);
    walk.tick({ inSyncSinceMs: new Map([[CENTRAL, NOW - 500]]) });
    const [effect] = walk.effects;
    expect(effect).to.deep.include({ kind: 'record-history', expected: 9 });
    const before = JSON.stringify(effect);
    expect(JSON.stringify(walk.after(100).effects[0]), 'it stays the same effect as time passes').to.equal(before);
    const value = (effect as Extract<Effect, { kind: 'record-history' }>).value;
    walk.tell({ kind: 'history-recorded', runId: 'r' }, { history: { value, revision: 10 } });
    expect([walk.said, walk.effects]).to.deep.equal([['region_rejoined'], []]);
  });

  it('keeps the last runs only, and acknowledges the last automatic failover once', () => {
    const past = (runId: string, tier: PastRun['tier']): PastRun => ({ runId, tier, outcome: 'DONE', acknowledged: null }) as PastRun;
    const history: History = { runs: [past('a', 'automatic'), past('b', 'switchover')], seq: 0 };
    const once = acknowledge(history, 'anna', 'now');
    expect(once?.runs.map(({ acknowledged }) => acknowledged?.by ?? null)).to.deep.equal(['anna', null]);
    expect(acknowledge(once, 'anna', 'now')).to.equal(null);
    const full = Array.from({ length: policy.historyRuns }, (_, i) => past(`run-${i}`, 'forced'));
    const walk = new Walk({ history: { value: { runs: full, seq: 0 }, revision: 1 } });
    walk
      .tell({ kind: 'operator', request: SWITCH })
      .saved()
      .after(policy.prepareMs + 1)
      .saved();
    expect(walk.facts.history?.value.runs).to.have.length(policy.historyRuns);
    expect(walk.facts.history?.value.runs.at(-1)?.runId).to.equal('run');
  });
});

describe('in sync without a break', () => {
  it('counts from the first sample that says so, for as long as every later one does and none is missing', () => {
    const sample = fc.record({ afterMs: fc.integer({ min: 1, max: 2000 }), inSync: fc.boolean(), answered: fc.boolean() });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), (samples) => {
        let [tracked, nowMs, sinceMs] = [NOBODY_IN_SYNC, 0, null as number | null];
        let last: SeenStatus | undefined;
        let lastIn = false;
        for (const { afterMs, inSync, answered } of samples) {
          nowMs += afterMs;
          if (answered) {
            last = seen(CENTRAL, { role: 'primary', standbys: { [EAST]: standby(0, 0, inSync) } }, nowMs)[1];
            lastIn = inSync;
          }
          const fresh = last !== undefined && nowMs - last.askedAtMs <= 1000;
          sinceMs = fresh && lastIn ? (sinceMs ?? last?.askedAtMs ?? null) : null;
          tracked = watchInSync(tracked, CENTRAL, last, { ms: nowMs, freshMs: 1000 });
          expect(tracked.sinceMs.get(EAST) ?? null).to.equal(sinceMs);
        }
      }),
    );
  });

  it('begins anew with another primary', () => {
    const at = (primary: string) => seen(primary, { role: 'primary', standbys: { [EUROPE]: standby() } }, NOW)[1];
    const first = watchInSync(NOBODY_IN_SYNC, CENTRAL, at(CENTRAL), { ms: NOW, freshMs: 1000 });
    const second = watchInSync(first, EAST, { ...at(EAST), askedAtMs: NOW + 50 }, { ms: NOW + 50, freshMs: 1000 });
    expect([first.sinceMs.get(EUROPE), second.sinceMs.get(EUROPE)]).to.deep.equal([NOW, NOW + 50]);
  });
});
