import { expect } from 'chai';
import { toResultDocument } from '../report/result.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { breakdown } from './breakdown.ts';
import { askedScenarios, FAILOVER_SCENARIOS, playedRun, unaskedScenarios, type PlayedRun } from './failover.ts';
import { brokenPromise, failoverHolds, failoverTable, failoverVerdict } from './failover-table.ts';
import { load } from '../commands/scenarios.ts';
import { loadSet } from '../commands/sets.ts';

const SAMPLE = playedRun('scenarios/region-loss.yaml', toResultDocument(sampleRun({})), 1.5);
const good = (change: Partial<PlayedRun> = {}): PlayedRun => ({
  ...SAMPLE,
  revision: '0123456789ab',
  scenario: 'region-loss',
  replication: 'sync',
  expectFailover: 'one',
  expectLoss: 'none',
  verdict: { outcome: 'pass', reason: '' },
  lost: 0,
  splitBrain: 0,
  moves: 1,
  checks: { lostWrites: 'pass', singlePrimary: 'pass', expectedFailover: 'pass' },
  ...change,
});

describe('the failover bench', () => {
  it('holds only where every run passed, often enough, with every promise kept', () => {
    const holds = (runs: readonly PlayedRun[], repeat: number) => failoverHolds(runs, { scenarios: ['region-loss'], repeat });
    const second = (change: Partial<PlayedRun> = {}) => good({ runId: 'second', ...change });
    expect(holds([good(), second()], 2)).to.equal(true);
    expect(holds([], 1)).to.equal(false);
    expect(holds([good()], 2)).to.equal(false);
    expect(holds([good(), second({ verdict: { outcome: 'inconclusive', reason: 'late' } })], 2)).to.equal(false);
    expect(holds([good({ lost: 1 })], 1)).to.equal(false);
  });

  it('does not hold where a scenario was never played, a run counts twice, or runs are of several revisions, and says so', () => {
    const asked = { scenarios: ['region-loss', 'one-way-deaf'], repeat: 1 };
    const deaf = good({ scenario: 'one-way-deaf' });
    expect(failoverHolds([good(), deaf], asked)).to.equal(true);
    expect(failoverHolds([good()], asked)).to.equal(false);
    expect(failoverTable([good()], [], asked)).to.contain('- one-way-deaf: 0 of 1 runs');
    expect(failoverHolds([good(), good()], { scenarios: ['region-loss'], repeat: 2 })).to.equal(false);
    expect(failoverHolds([good(), { ...deaf, revision: 'of yesterday' }], asked)).to.equal(false);
    expect(failoverTable([good(), { ...deaf, revision: 'of yesterday' }], [], asked)).to.contain('of 2 revisions');
    const nowhere = { revision: 'unknown' } as const;
    expect(failoverHolds([good(nowhere), { ...deaf, ...nowhere }], asked), 'unknown is not one').to.equal(false);
    expect(failoverHolds([good(), { ...deaf, machine: '96 × other' }], asked), 'two machines').to.equal(false);
    expect(failoverTable([good(), { ...deaf, machine: '96 × other' }], [], asked)).to.contain('of 2 machines');
  });

  it('has failed where a run speaks against it, and is undecided in pieces or where a run proves nothing', () => {
    const asked = { scenarios: ['region-loss'], repeat: 2 };
    const verdict = (...runs: readonly PlayedRun[]) => failoverVerdict(runs, asked);
    const second = (change: Partial<PlayedRun> = {}) => good({ runId: 'second', ...change });
    expect(verdict(good(), second())).to.equal('pass');
    expect(verdict(), 'none yet').to.equal('inconclusive');
    expect(verdict(good()), 'in pieces').to.equal('inconclusive');
    const late = { outcome: 'inconclusive', reason: 'late' } as const;
    expect(verdict(good(), second({ verdict: late, checks: { ...good().checks, lostWrites: 'inconclusive' } }))).to.equal('inconclusive');
    expect(verdict(second({ verdict: { outcome: 'fail', reason: 'late' } })), 'in pieces, and one failed').to.equal('fail');
    expect(verdict(good(), second({ lost: 1 })), 'a promise that its scenario did not judge').to.equal('fail');
  });

  it('of some of its scenarios says that it is not the whole one, whether it holds or not', () => {
    const asked = { scenarios: ['region-loss'], repeat: 1, unasked: unaskedScenarios(['region-loss']) };
    expect(failoverHolds([good()], asked)).to.equal(true);
    const table = failoverTable([good()], [], asked);
    expect(table).to.match(/Not the whole bench[^]*- not asked for: frozen-primary, one-way, .*flapping\n/);
    expect(failoverTable([good()], [], { ...asked, unasked: unaskedScenarios([]) })).not.to.contain('Not the whole bench');
    const played = good({ scenario: 'one-way-mute', file: 'scenarios/one-way.yaml' });
    expect(failoverTable([good(), played], [], asked), 'by another call').to.match(/- not asked for: frozen-primary, switchover,/);
  });

  it('asks for every variant of a scenario', function () {
    this.timeout(30_000);
    expect(askedScenarios(['one-way', 'region-loss'])).to.deep.equal(['region-loss', 'one-way-mute', 'one-way-deaf']);
  });

  it('takes no pass for a promise that was not judged, or that the scenario does not make', () => {
    const checks = good().checks;
    expect(brokenPromise(good())).to.equal(null);
    expect(brokenPromise(good({ lost: null }))).to.match(/lost writes: unknown/);
    expect(brokenPromise(good({ checks: { ...checks, lostWrites: 'none' } }))).to.match(/lost writes/);
    expect(brokenPromise(good({ checks: { ...checks, singlePrimary: 'inconclusive' } }))).to.match(/split brain/);
    expect(brokenPromise(good({ splitBrain: 1 }))).to.match(/split brain/);
    expect(brokenPromise(good({ expectFailover: 'allowed' }))).to.match(/any number/);
    expect(brokenPromise(good({ moves: 2 }))).to.match(/2 moves/);
    expect(brokenPromise(good({ moves: 2, expectFailover: 'ordered' })), 'there and back').to.equal(null);
    expect(brokenPromise(good({ replication: 'async', lost: 7 })), 'async promises no more than its objective').to.equal(null);
  });

  it('holds the writes since the backup against no scenario that comes back from one', () => {
    const restored = { expectLoss: 'allowed', expectFailover: 'allowed', lost: 614, moves: 0 };
    expect(brokenPromise(good(restored))).to.equal(null);
    const checks = { ...good().checks, lostWrites: 'fail' } as const;
    expect(brokenPromise(good({ ...restored, checks })), 'above the objective').to.match(/lost writes: 614/);
    expect(brokenPromise(good({ ...restored, splitBrain: 1 }))).to.match(/split brain/);
    expect(brokenPromise(good({ ...restored, expectLoss: 'none' }))).to.match(/lost writes: 614/);
  });

  it('plays scenarios that are there, and each of them declares what it must not lose and how often it may move', function () {
    this.timeout(30_000);
    for (const name of FAILOVER_SCENARIOS) {
      for (const { scenario } of load([`scenarios/${name}.yaml`])) {
        expect(scenario.expect.failover, name).to.not.equal('allowed');
        if (scenario.replication === 'sync') expect(scenario.targets.lostWrites, name).to.equal(0);
      }
    }
    // Of the set, all but what no line of the failover's list asks for.
    const left = loadSet('failover').filter(({ file }) => !FAILOVER_SCENARIOS.some((name) => file.endsWith(`${name}.yaml`)));
    expect(left.map(({ scenario }) => scenario.name)).to.deep.equal(['paused', 'successor-killed']);
  });

  it('breaks the time down by what was seen, and leaves open what was not', () => {
    const run = toResultDocument(sampleRun({}));
    const [fault] = run.faults;
    if (fault === undefined) return expect.fail('the sample has no fault');
    const points = { t1Effect: 1000, t3Detected: 1600, t4Decided: 1900, t5Writable: 2600, t6FirstGood: 2400, t7Sustained: 3100 };
    const claim = (atMs: number, action: string, pod = 'dr-controller-us-east1') => ({ atMs, pod, action, detail: '' });
    const engineClaims = [
      claim(300, 'epoch_acquired'),
      claim(1930, 'epoch_acquired'),
      claim(1950, 'sealed'),
      claim(1960, 'sealed', 'db-us-east1'),
      claim(1970, 'sealed'),
      claim(2500, 'fence_confirmed'),
      claim(2700, 'sealed'),
    ];
    const seen: ResultDocument = { ...run, faults: [{ ...fault, points: { ...fault.points, ...points } }], engineClaims };
    const expected = { detect: 600, decide: 300, acquire: 30, fence: 570, catchUp: 40, promote: 100, firstSuccess: 500 };
    expect(breakdown(seen)).to.include(expected);
    expect(breakdown({ ...seen, engineClaims: [] })).to.include({ acquire: null, fence: null, promote: null, detect: 600 });
  });

  it('shows what did not pass, with the load it was measured under', () => {
    const table = failoverTable([good(), good({ lost: 3, load: 9 })], [], { scenarios: ['region-loss'], repeat: 1 });
    expect(table).to.contain('| region-loss | 2 | 2 | 1 |').and.contain('load 9.0').and.contain('lost writes: 3').and.contain('2.1 min');
  });
});
