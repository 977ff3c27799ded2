import { expect } from 'chai';
import type { EventBody, RunEvent } from '../history/event.ts';
import { bulkValue, recordedEntries } from '../measure/bulk-values.ts';
import { CHECKS } from '../registry.ts';
import type { Scenario, Step } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO, stateAt } from '../testing/handmade.ts';
import { judge } from './judge.ts';
import type { FindingOutcome } from './verdict.ts';
import { CREATE, RESTORE, ID, outcome } from '../testing/backup-case.ts';

describe('checks of restored copies', () => {
  describe('backup-matches', () => {
    it('fails a copy that lacks a write, although the engine calls it good', () => {
      const copy = (events: readonly RunEvent[]) => {
        const store = stateAt(events, 1840);
        store.delete([...store.keys()][3]!);
        return store;
      };
      expect(outcome('backup-matches', { copy, restored: { answer: { checked: 'root', ok: true } } })).to.equal('fail');
    });
    it('fails a copy that is older than its backup, or younger', () => {
      expect(outcome('backup-matches', { copy: (events) => stateAt(events, 1500) })).to.equal('fail');
      expect(outcome('backup-matches', { copy: (events) => stateAt(events, 1990) })).to.equal('fail');
    });
    it('says nothing of a copy that nobody could read, of none, and of an empty one of an empty system', () => {
      expect(outcome('backup-matches', { copy: () => null })).to.equal('inconclusive');
      expect(outcome('backup-matches', { method: [CREATE, ...SCENARIO.method] })).to.equal('inconclusive');
      expect(outcome('backup-matches', { restored: { name: 'other' } })).to.equal('inconclusive');
    });
    it('says nothing of a copy of which nobody knows how new it had to be', () => {
      const step: Step = { ...RESTORE, args: ['latest'] };
      const of = (change: object): FindingOutcome =>
        outcome('backup-matches', {
          method: [CREATE, ...SCENARIO.method, { ...step, ...change }],
          restored: { args: ['restore', 'latest'], answer: { backupId: ID } },
          more: [[1700, { kind: 'mark', name: 'then', timeMs: 1_700_000_001_700 }]],
        });
      expect(of({})).to.equal('inconclusive');
      expect(of({ since: 'then' })).to.equal('pass');
    });
    it('of a restore to a time allows what the scenario allows it to lack, and nothing of after', () => {
      const step = { ...RESTORE, args: ['latest', '--to-time', '@before'], mayLackMs: 200 };
      const mark: readonly [number, EventBody] = [1900, { kind: 'mark', name: 'before', timeMs: 1_700_000_001_900 }];
      const restored = { args: ['restore', 'latest', '--to-time', new Date(1_700_000_001_900).toISOString()] };
      const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
      const of = (atMs: number, change: Partial<typeof RESTORE> = {}): FindingOutcome =>
        outcome('backup-matches', {
          method: [CREATE, ...SCENARIO.method, { ...step, ...change }],
          more: [early, mark],
          restored,
          copy: (events) => stateAt(events, atMs),
        });
      expect(of(1850)).to.equal('pass');
      expect(of(1600)).to.equal('fail');
      expect(of(1960)).to.equal('fail');
      expect(of(1600, { since: 'early' }), 'a mark asks for more, never for less').to.equal('fail');
      expect(of(1600, { since: 'early', mayLackMs: 0 }), 'where it alone says how much').to.equal('pass');
    });
    it('of a restore to a time has all of the backup that it is made from, whatever it may lack of the log', () => {
      const mark: readonly [number, EventBody] = [1900, { kind: 'mark', name: 'before', timeMs: 1_700_000_001_900 }];
      const of = (atMs: number, from: string): FindingOutcome =>
        outcome('backup-matches', {
          method: [CREATE, ...SCENARIO.method, { ...RESTORE, args: [from, '--to-time', '@before'], mayLackMs: 1000 }],
          more: [mark],
          restored: { args: ['restore', from, '--to-time', new Date(1_700_000_001_900).toISOString()], answer: { backupId: ID } },
          copy: (events) => stateAt(events, atMs),
        });
      for (const from of [ID, 'latest']) {
        expect(of(1850, from)).to.equal('pass');
        expect(of(1600, from), 'the backup was begun at 1.8 s').to.equal('fail');
      }
    });
  });

  it('a copy of another backup than the one that a restore of the latest names is neither that one nor a proof of it', () => {
    const step: Step = { ...RESTORE, args: ['latest'], since: 'early' };
    const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
    const of = (check: string, atMs: number): FindingOutcome =>
      outcome(check, {
        method: [CREATE, ...SCENARIO.method, step],
        targets: { backupAgeMs: 500 },
        restored: { args: ['restore', 'latest'], answer: { backupId: ID } },
        more: [early],
        copy: (events) => stateAt(events, atMs),
      });
    expect(of('backup-matches', 1840)).to.equal('pass');
    expect(of('backup-age', 1840)).to.equal('pass');
    expect(of('backup-matches', 1500)).to.equal('fail');
    expect(of('backup-age', 1500)).to.equal('inconclusive');
  });

  it('a mark asks for more than the backup has of itself, never for less', () => {
    const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
    const method = [CREATE, ...SCENARIO.method, { ...RESTORE, since: 'early' }];
    expect(outcome('backup-matches', { method, more: [early], copy: (events) => stateAt(events, 1500) })).to.equal('fail');
  });

  describe('a bulk load', () => {
    const step: Step = { do: 'bulk', name: 'many', perSecond: 100, forMs: 1000, valueBytes: 100, mayFail: 0.1 };
    const metrics = {
      iterations: { count: 100, rate: 100 },
      http_reqs: { count: 100 },
      http_req_failed: { value: 0.05, passes: 5, fails: 95 },
    };
    const load: readonly [number, EventBody] = [
      6050,
      { kind: 'bulk', name: 'many', startedMs: 0, endedMs: 1000, exitCode: 0, summary: { metrics } },
    ];
    const entries = (count: number): [string, string][] =>
      Array.from({ length: count }, (_, index) => {
        const key = `bulk/many/${index}`;
        return [key, recordedEntries(new Map([[key, bulkValue(key, 100)]]))[key]!] as const;
      }).map(([key, value]) => [key, value]);
    const of = (check: string, inCopy: number): FindingOutcome =>
      outcome(check, {
        method: [step, { ...CREATE }, ...SCENARIO.method, RESTORE],
        more: [load],
        copy: (events) => new Map([...stateAt(events, 1840), ...entries(inCopy)]),
      });
    // The backup began at 1800 ms: by then all requests of the first 800 ms had ended, and five of all failed.
    it('is in a copy as far as it had certainly been acknowledged', () => {
      expect(of('backup-matches', 75)).to.equal('pass');
      expect(of('backup-matches', 74)).to.equal('inconclusive');
      expect(of('backup-matches', 0)).to.equal('inconclusive');
    });
    it('is lost when the region that serves has less of it than was acknowledged', () => {
      expect(of('lost-writes', 75)).to.equal('fail');
      const kept = (
        count: number,
        allowed: Partial<Scenario> = {},
        told: Partial<EventBody> = {},
        check = 'lost-writes',
      ): FindingOutcome => {
        const events = failoverHistory({
          scenario: { ...SCENARIO, backup: null, method: [step, ...SCENARIO.method], ...allowed },
          copy: (store) => entries(count).forEach(([key, value]) => store.set(key, value)),
          edit: (plain) => [...plain, at(load[0], { ...load[1], ...told } as EventBody)].toSorted((a, b) => a.atMs - b.atMs),
        });
        return judge(events, CHECKS).verdict.findings.find((one) => one.check === check)!.outcome;
      };
      expect(kept(95)).to.equal('pass');
      expect(kept(94)).to.equal('fail');
      const numbered = (from: number, to: number) => ({ acknowledged: Array.from({ length: to - from }, (_, n) => from + n) });
      expect(kept(100, {}, numbered(5, 100))).to.equal('pass');
      expect(kept(95, {}, numbered(5, 100)), 'five that came without an answer do not stand for five that were acknowledged').to.equal(
        'fail',
      );
      expect(kept(95, {}, numbered(0, 94)), 'k6 counted one more than it named').to.equal('pass');
      expect(kept(95, {}, numbered(5, 99)), 'four that it named are gone, whoever took their place').to.equal('fail');
      expect(kept(0, {}, { ...numbered(0, 50), summary: null }), 'k6 was killed before it counted').to.equal('fail');
      const allowed = (lostWrites: number | null, recoveryPointMs: number | null = null): Partial<Scenario> => ({
        expect: { ...SCENARIO.expect, loss: 'allowed' },
        targets: { ...SCENARIO.targets, lostWrites, recoveryPointMs },
      });
      expect(kept(93, allowed(2))).to.equal('pass');
      expect(kept(92, allowed(2)), 'three, of which the clients that measure know none').to.equal('fail');
      expect(kept(92, allowed(null)), 'nothing says how many').to.equal('inconclusive');
      expect(kept(95, allowed(null, 1000))).to.equal('pass');
      expect(kept(0, allowed(null, 1000)), 'no recovery point knows when they were written').to.equal('inconclusive');
      expect(kept(93, allowed(2, 0), {}, 'recovery-point'), 'nor where a number of them may be lost').to.equal('inconclusive');
      expect(kept(95, allowed(2, 0), {}, 'recovery-point')).to.equal('pass');
    });
  });

  it('bulk-load: what was dropped, failed beyond its share, or is nowhere, is no load', () => {
    const step: Step = { do: 'bulk', name: 'many', perSecond: 10, forMs: 2000, valueBytes: 100, mayFail: 0.1 };
    const load = (metrics: object, exitCode: number | null = 0): FindingOutcome =>
      outcome('bulk-load', {
        method: [CREATE, step, RESTORE],
        more: [[5000, { kind: 'bulk', name: 'many', startedMs: 1500, endedMs: 3500, exitCode, summary: { metrics } }]],
      });
    const iterations = { count: 20, rate: 10 };
    expect(load({ iterations, http_reqs: { count: 20 }, http_req_failed: { value: 0.05, fails: 19 } })).to.equal('pass');
    expect(load({ iterations, http_reqs: { count: 20 } }), 'nobody says which were answered').to.equal('inconclusive');
    expect(load({ iterations, http_reqs: { count: 20 }, http_req_failed: { value: 0, fails: 0 } })).to.equal('inconclusive');
    expect(load({ iterations })).to.equal('inconclusive'); // the script broke before each request: no rate, so no threshold is crossed
    expect(load({ iterations, dropped_iterations: { count: 1 } })).to.equal('fail');
    expect(load({ iterations, http_req_failed: { value: 0.2 } })).to.equal('fail');
    expect(load({ iterations, http_req_failed: { value: 0, thresholds: { 'rate<=0': true } } }, 99)).to.equal('fail');
    const single: Step = { ...step, perSecond: 1, forMs: 1000 };
    const event: EventBody = { kind: 'bulk', name: 'many', startedMs: 1500, endedMs: 2500, exitCode: 0, summary: { metrics: {} } };
    expect(outcome('bulk-load', { method: [CREATE, single, RESTORE], more: [[5000, event]] }), 'nothing sent').to.equal('inconclusive');
    expect(load({ iterations: { count: 5 } })).to.equal('inconclusive');
    expect(load({ iterations }, 1)).to.equal('inconclusive');
    const late = (endedMs: number): FindingOutcome => {
      const metrics = { iterations, http_reqs: { count: 20 }, http_req_failed: { value: 0.05, fails: 19 } };
      const told: EventBody = { kind: 'bulk', name: 'many', startedMs: 100, endedMs, exitCode: 0, summary: { metrics } };
      return outcome('bulk-load', { method: [CREATE, step, RESTORE], more: [[endedMs, told]] });
    };
    expect(late(8000)).to.equal('pass');
    expect(late(8150), 'k6 may have begun when what it was to load was over').to.equal('inconclusive');
    expect(outcome('bulk-load', { method: [CREATE, step, RESTORE] })).to.equal('inconclusive');
    const round = (atMs: number, failed: number): readonly [number, EventBody] => {
      const metrics = { iterations, http_reqs: { count: 20 }, http_req_failed: { value: failed / 20, fails: 20 - failed } };
      return [atMs, { kind: 'bulk', name: 'many', startedMs: atMs - 2000, endedMs: atMs, exitCode: 0, summary: { metrics } }];
    };
    const rounds = (failed: number): FindingOutcome =>
      outcome('bulk-load', { method: [CREATE, step, step, RESTORE], more: [round(3000, 1), round(5500, failed)] });
    expect(rounds(1)).to.equal('pass');
    expect(rounds(20), 'the second round of a repeated group failed').to.equal('fail');
    expect(outcome('bulk-load', { method: [CREATE, step, step, RESTORE], more: [round(3000, 1)] }), 'never ended').to.equal('inconclusive');
  });
});
