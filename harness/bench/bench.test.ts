import { expect } from 'chai';
import { toResultDocument } from '../report/result.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { knownBadHolds, knownBadRun, knownBadTable, PLAN } from './known-bad.ts';
import { nullRuns, nullTable, nullVerdict } from './null-runs.ts';
import { recoveryHolds, recoveryStatistics, recoveryTable } from './recovery.ts';
import { simulationHolds, simulationTable } from './simulate.ts';
import { leastBusy, soakHolds, soakResult, soakScenario, soakText } from './soak.ts';

const recovered = (upperMs: number) =>
  toResultDocument(
    sampleRun({
      recovery: {
        state: 'recovered',
        lowerMs: upperMs - 30,
        upperMs,
        vantage: 'outside',
        fault: 'f',
        line: 1,
        dnsShareMs: upperMs / 10,
        servedFrom: { lowerMs: upperMs - 38, upperMs: upperMs - 8 },
        firstOperationMs: 8,
        clientAwayMs: 3,
      },
    }),
  );

describe('the simulation bench', () => {
  const run = { seeds: 10, firstSeed: 1, seconds: 2, failovers: 5, acknowledgedWrites: 900, virtualMs: 36_000_000, failures: [] };
  const machine = (seeds: number | null) => ({
    name: 'a veto is ignored',
    seeds,
    invariant: seeds === null ? null : 'no-failover-against-a-veto',
  });
  const figures = (seeds: number | null) => ({ asked: 10, run, proof: { seeds: 100, machines: [machine(3), machine(seeds)] } });

  it('holds only where every wrong machine is found and no seed failed', () => {
    expect(simulationHolds(figures(7))).to.equal(true);
    expect(simulationHolds(figures(null))).to.equal(false);
    expect(simulationHolds({ ...figures(7), run: { ...run, failures: [{ seed: 4, message: 'lost' }] } })).to.equal(false);
    expect(simulationHolds({ asked: 10, run, proof: { seeds: 100, machines: [] } })).to.equal(false);
  });

  it('does not hold where fewer seeds ran than were asked for', () => {
    expect(simulationHolds({ ...figures(7), run: { ...run, seeds: 9 } })).to.equal(false);
    expect(simulationTable({ ...figures(7), run: { ...run, seeds: 9 } })).to.contain('9 of 10 seeds in');
  });

  it('says what it costs and what was not found', () => {
    expect(simulationTable(figures(null)))
      .to.contain('50 in 10 s')
      .and.contain('| a veto is ignored | not found |  |')
      .and.contain('1 of 2 wrong');
  });
});

describe('runs in which nothing is broken', () => {
  const run = (outcome: 'pass' | 'fail' | 'inconclusive') => toResultDocument(sampleRun({ fault: false, outcome, reason: outcome }));
  it('hold only where as many as were asked for passed', () => {
    const verdict = (...outcomes: ('pass' | 'fail' | 'inconclusive')[]) => nullVerdict(nullRuns(2, outcomes.map(run)));
    expect([verdict('pass', 'pass'), verdict('pass'), verdict('pass', 'inconclusive'), verdict('inconclusive', 'fail')]).to.deep.equal([
      'pass',
      'inconclusive',
      'inconclusive',
      'fail',
    ]);
    expect(nullTable(nullRuns(3, [run('pass'), run('fail')])))
      .to.contain('1 of 2 not failed: 1 passed, 0 undecided, 1 failed.')
      .and.contain('Only 2 of the 3');
  });
  it('say that a pause was not measured, not that there was none', () => {
    const pause = (pauseMs: number | null) => ({
      ...run('pass'),
      writePause: pauseMs === null ? null : { vantage: 'outside', fromMs: 0, toMs: pauseMs, pauseMs },
    });
    const told = (...pauses: (number | null)[]): string => nullTable(nullRuns(pauses.length, pauses.map(pause)));
    expect(told(null, null)).to.contain('pauses of writes were not measured').and.not.contain('0 ms');
    expect(told(80, null)).to.contain('longest pause of writes 80 ms (not measured in 1).');
    expect(told(80, 120)).to.contain('longest pause of writes 120 ms.');
  });
});

describe('known-bad engines', () => {
  const run = (planned: (typeof PLAN)[number], outcome: 'pass' | 'fail', checks: readonly string[] = []) => {
    const findings = checks.map((check) => ({ check, outcome: 'fail' as const, message: '', evidence: [] }));
    return knownBadRun(planned, { ...toResultDocument(sampleRun({ outcome })), findings });
  };
  it('count as caught by the check that is meant for them only, and not without the control', () => {
    const right = PLAN.map((one) => run(one, one.caughtBy.length > 0 ? 'fail' : 'pass', one.caughtBy));
    expect(knownBadHolds(right)).to.equal(true);
    expect(knownBadTable(right)).to.contain('6 of 6 known-bad engines caught').and.contain('the control passed 3 of 3');
    expect(knownBadHolds(right.slice(1))).to.equal(false);
    const [first] = PLAN;
    expect(run(first!, 'fail', ['engine-claims']).asItShould).to.equal(false);
    expect(run(first!, 'fail', first!.caughtBy).asItShould).to.equal(true);
    expect(run({ ...first!, caughtBy: [] }, 'fail', ['lost-writes']).asItShould).to.equal(false);
  });
});

describe('statistics of repeated runs', () => {
  it('takes median, p95 and max of the upper bounds, and the width and the DNS share apart', () => {
    const statistics = recoveryStatistics([3000, 2000, 2500, 4000].map(recovered));
    expect(statistics.recoveryMs).to.deep.equal({ n: 4, min: 2000, median: 2500, p95: 4000, p99: 4000, max: 4000 });
    expect(statistics.intervalWidthMs.max).to.equal(30);
    expect(statistics.firstOperationMs.max).to.equal(8);
    expect(statistics.clientAwayMs.max).to.equal(3);
    expect(statistics.dnsShareMs.median).to.equal(250);
    expect(statistics.detectMs.median).to.equal(628);
    expect(recoveryTable(statistics)).to.contain('| recovery time (upper bound, worst vantage) | 4 | 2000 | 2500 | 4000 | 4000 | 4000 |');
  });

  it('never hides a run that was not measured', () => {
    const failed = toResultDocument(
      sampleRun({ recovery: { state: 'not-measured', reason: 'no load' }, outcome: 'fail', reason: 'no load' }),
    );
    const statistics = recoveryStatistics([recovered(2000), failed]);
    expect([statistics.runs, statistics.passed, statistics.recoveryMs.n]).to.deep.equal([2, 1, 1]);
    expect(recoveryHolds(statistics, 2)).to.equal(false);
    expect(recoveryHolds(recoveryStatistics([recovered(2000)]), 1)).to.equal(true);
    expect(recoveryHolds(recoveryStatistics([recovered(2000)]), 2), 'one of two was never played').to.equal(false);
    expect(recoveryHolds(recoveryStatistics([]), 1)).to.equal(false);
    expect(recoveryTable(statistics)).to.contain('1 of 2 runs passed.').and.contain('no load');
  });

  it('a soak does not hold when the engine failed over or fenced itself although clients never noticed', () => {
    const quiet = {
      ...toResultDocument(sampleRun({ fault: false })),
      engineClaims: [{ atMs: 500, pod: 'p', action: 'epoch_acquired', detail: '' }],
    };
    const fenced = { ...quiet, engineClaims: [...quiet.engineClaims, { atMs: 40_000, pod: 'p', action: 'self_fenced', detail: '' }] };
    const LASTED = [
      { phase: 'steady', atMs: 10_000 },
      { phase: 'heal', atMs: 70_000 },
      { phase: 'teardown', atMs: 80_000 },
    ];
    const of = (result: typeof quiet, minutes = 1) =>
      soakHolds(soakResult({ ...result, phases: LASTED }, { minutes, spinners: 2, processorsBusy: 1 }));
    expect([of(quiet), of(fenced)]).to.deep.equal([true, false]);
    expect(of(quiet, 2), 'it ran for one minute').to.equal(false);
    expect(of({ ...quiet, engineClaims: [] }), 'nobody heard the log').to.equal(false);
    const idle = soakResult({ ...quiet, phases: LASTED }, { minutes: 1, spinners: 2, processorsBusy: 0.5 });
    expect([soakHolds(idle), soakHolds({ ...idle, spinners: 0 })], 'its busy processes were not busy').to.deep.equal([false, true]);
  });

  it('a soak tells at which minute and where something unwanted happened, and what the clients saw of it', () => {
    const sample = toResultDocument(sampleRun({ fault: false }));
    const phases = [
      { phase: 'steady', atMs: 10_000 },
      { phase: 'teardown', atMs: 400_000 },
    ];
    const claim = (atMs: number, pod: string, action: string) => ({ atMs, pod, action, detail: 'epoch 2' });
    const engineClaims = [
      claim(5000, 'db-us-central1', 'epoch_acquired'), // the lab's first
      claim(190_000, 'db-us-central1', 'self_fenced'),
      claim(191_000, 'dr-controller-2-us-east1', 'failover_initiated'),
      claim(401_000, 'db-us-east1', 'demoted'),
    ];
    const second = (at: number, slow: number) => ({ second: at, vantage: 'outside', good: 40, slow, failed: 1, unknown: 0 });
    const vantages = ['us-central1', 'us-east1', 'outside'].map((vantage) => ({ ...sample.vantages[0]!, vantage }));
    const availability = [second(9, 9), second(12, 0), second(192, 3), second(193, 2)];
    const result = soakResult({ ...sample, phases, engineClaims, vantages, availability }, { minutes: 60, spinners: 2, processorsBusy: 1 });
    expect(result.events).to.deep.equal([
      { minute: 3, region: 'us-central1', action: 'self_fenced', detail: 'epoch 2' },
      { minute: 3.02, region: 'us-east1', action: 'failover_initiated', detail: 'epoch 2' },
    ]);
    expect(result.unwanted).to.include({ self_fenced: 1, demoted: 0, epoch_acquired: 0 });
    expect(result.badMinutes).to.deep.equal([
      { minute: 0, vantage: 'outside', slow: 0, failed: 1, unknown: 0 },
      { minute: 3, vantage: 'outside', slow: 5, failed: 2, unknown: 0 },
    ]);
    expect(soakText(result)).to.contain('6.5 of 60 minutes').and.contain('| 3.02 | us-east1 | failover_initiated | epoch 2 |');
    expect(soakText(result)).to.contain('| 3 | outside | 5 | 2 | 0 |');
  });

  it('the busy part of the processor that idled most is what counts', () => {
    const cpu = (idle: number, user: number) => ({ model: '', speed: 0, times: { idle, user, nice: 0, sys: 0, irq: 0 } });
    expect(leastBusy([cpu(100, 0), cpu(100, 0)], [cpu(110, 90), cpu(140, 60)])).to.equal(0.6);
    expect(leastBusy([cpu(1, 1)], [cpu(1, 1)])).to.equal(0);
  });

  it('the soak is the null scenario, only longer', () => {
    expect(soakScenario("name: 'null'\nmethod:\n  - observe: 6s\n", 30)).to.equal('name: soak\nmethod:\n  - observe: 30m\n');
    expect(() => soakScenario('name: x\n', 30)).to.throw('no observe step');
  });
});
