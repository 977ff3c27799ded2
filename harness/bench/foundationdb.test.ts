import { expect } from 'chai';
import { chooseSet, loadSet } from '../commands/sets.ts';
import { HarnessError } from '../platform/errors.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { toResultDocument } from '../report/result.ts';
import { askedScenarios, playedRun, playFailovers, type PlayedRun } from './failover.ts';
import { embeddedTable, foundationdbTable, inTwoRegions, onEmbedded, ON_FOUNDATIONDB, ON_PAIRS } from './foundationdb.ts';

const SAMPLE = playedRun('scenarios/region-loss.yaml', toResultDocument(sampleRun({})), 1.5);
const run = (scenario: string, recovery: number): PlayedRun => ({ ...SAMPLE, scenario, breakdown: { recovery }, writePauseMs: recovery });

describe('bench foundationdb', () => {
  it('loses no run of an earlier piece where FoundationDB is not there', async () => {
    let cleared = false;
    const nothing = { begin: () => undefined, end: () => undefined, keep: () => undefined, all: () => [], brokenOff: () => [] };
    const kept = { ...nothing, clear: () => void (cleared = true) };
    const need = (): never => {
      throw new HarnessError('missing-tool', 'no fdbserver');
    };
    const bench = { repeat: 1, only: [], resume: false, minutes: null, say: () => undefined, signal: AbortSignal.abort() };
    const why: unknown = await playFailovers(bench, { ...ON_FOUNDATIONDB, kept, need }).catch((error: unknown) => error);
    expect(why).to.be.instanceOf(HarnessError);
    expect(cleared).to.equal(false);
  });

  it('says before it plays anything which tools a scenario of it needs and are not here: a pair needs fdbdr', async () => {
    const asked: (string | undefined)[] = [];
    const need = (scenarios: readonly LoadedScenario[]): never => {
      asked.push(...scenarios.map(({ scenario }) => scenario.foundationdb));
      throw new HarnessError('missing-tool', 'no fdbdr');
    };
    const bench = { repeat: 1, resume: true, minutes: null, say: () => undefined, signal: AbortSignal.abort() };
    const refusal = async (only: readonly string[], course = ON_FOUNDATIONDB): Promise<unknown> =>
      await playFailovers({ ...bench, only }, { ...course, need }).catch((error: unknown) => error);
    expect(await refusal([], ON_PAIRS)).to.be.instanceOf(HarnessError);
    expect(asked)
      .to.have.lengthOf(ON_PAIRS.names.length)
      .and.satisfy((layouts: readonly string[]) => layouts.every((layout) => layout === 'pair'));
    asked.length = 0;
    await refusal(['region-loss']);
    expect(asked, 'one that nobody asks for may be missing').to.deep.equal(['three_datacenter']);
  });

  it('plays the whole set, each under its name there', () => {
    const asked = askedScenarios([], ON_FOUNDATIONDB);
    expect([...asked, ...askedScenarios([], ON_PAIRS)].sort()).to.deep.equal(
      loadSet('foundationdb')
        .map(({ scenario }) => scenario.name)
        .sort(),
    );
    expect(asked).to.include('region-loss-on-foundationdb').and.to.include('foundationdb-two-regions-loss');
    const there = askedScenarios([], inTwoRegions());
    expect(there)
      .to.have.lengthOf(asked.length - 1)
      .and.to.include('region-loss-on-foundationdb-two-regions');
    expect([...there].sort(), 'as the game day').to.deep.equal(
      chooseSet('foundationdb', 'foundationdb:two_regions')
        .played.map(({ scenario }) => scenario.name)
        .sort(),
    );
    expect(there).to.include('foundationdb-loss-two-regions');
  });

  it('plays those that are not of FoundationDB alone on the embedded database as well, and tells how much is lost where anything is', () => {
    expect(askedScenarios([], onEmbedded())).to.deep.equal(ON_FOUNDATIONDB.names.filter((name) => !name.startsWith('foundationdb-')));
    const some = { ...run('backup-under-load', 2000), lost: 3, recoveryPointMs: 40 };
    const asked = { scenarios: ['backup-under-load'], repeat: 2 };
    expect(embeddedTable([run('backup-under-load', 2000), some], asked)).to.contain('| backup-under-load | 2 | 2000 | 2000 | 40 | 2000 |');
    const unknown = embeddedTable([some, { ...some, recoveryPointMs: null }], asked);
    expect(unknown, 'the greatest of those that are known is none of all').to.contain('| 2000 | 2000 | – | 2000 |');
  });

  it('puts beside each what the embedded database took for the same scenario, and says what is missing', () => {
    const runs = [run('region-loss-on-foundationdb', 6400), run('foundationdb-loss', 7000)];
    const twoRegions = run('region-loss-on-foundationdb-two-regions', 30_000);
    const embedded = [run('region-loss', 2000), run('region-loss', 2200), run('switchover', 300)];
    const table = foundationdbTable(runs, embedded, { scenarios: ['region-loss-on-foundationdb'], repeat: 2 });
    expect(table).to.contain('| region-loss-on-foundationdb | 1 | 6400 | 6400 | 0 | 6400 | 2 | 2000 | 2200 | 0 | 2000 |');
    expect(foundationdbTable([twoRegions], embedded, { scenarios: [], repeat: 1 })).to.contain('| 30000 | 30000 | 0 | 30000 | 2 | 2000 |');
    expect(table).to.contain('| foundationdb-loss | 1 | 7000 | 7000 | 0 | 7000 | 0 | – | – | – | – |');
    expect(table).to.contain('- region-loss-on-foundationdb: 1 of 2 runs');
    const pairs = foundationdbTable([run('foundationdb-pair-loss', 6000), run('foundationdb-pair-switchover', 3000)], embedded, {
      scenarios: [],
      repeat: 1,
    });
    expect(pairs, 'named after what it is put beside').to.contain('| foundationdb-pair-loss | 1 | 6000 | 6000 | 0 | 6000 | 2 | 2000 |');
    expect(pairs).to.contain('| foundationdb-pair-switchover | 1 | 3000 | 3000 | 0 | 3000 | 1 | 300 |');
  });
});
