import { expect } from 'chai';
import { toResultDocument } from '../report/result.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { recoveryStatistics, recoveryTable } from './recovery.ts';
import { simulationHolds, simulationTable } from './simulate.ts';
import { soakHolds, soakScenario, unwantedIn } from './soak.ts';

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
    expect(recoveryTable(statistics)).to.contain('1 of 2 runs passed.').and.contain('no load');
  });

  it('a soak does not hold when the engine failed over or fenced itself although clients never noticed', () => {
    const quiet = {
      ...toResultDocument(sampleRun({ fault: false })),
      engineClaims: [{ atMs: 500, pod: 'p', action: 'epoch_acquired', detail: '' }],
    };
    const fenced = { ...quiet, engineClaims: [{ atMs: 90_000, pod: 'p', action: 'self_fenced', detail: '' }] };
    const of = (result: typeof quiet) =>
      soakHolds({ minutes: 1, ranMinutes: 1, spinners: 2, verdict: result.verdict, unwanted: unwantedIn(result) });
    expect([of(quiet), of(fenced)]).to.deep.equal([true, false]);
  });

  it('the soak is the null scenario, only longer', () => {
    expect(soakScenario("name: 'null'\nmethod:\n  - observe: 6s\n", 30)).to.equal('name: soak\nmethod:\n  - observe: 30m\n');
    expect(() => soakScenario('name: x\n', 30)).to.throw('no observe step');
  });
});
