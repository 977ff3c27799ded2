import { expect } from 'chai';
import { decodeRecordedScenario } from '../scenario/recorded.ts';
import { SETS } from '../scenario/scenario.ts';
import { load, loadSet } from './scenarios.ts';

describe('scenarios of the package', function () {
  this.timeout(60_000);

  it('of the set `foundationdb` are played on it, those that are on both databases under another name there', () => {
    const played = loadSet('foundationdb').map(({ scenario }) => scenario);
    expect(played.map(({ name }) => name)).to.include.members(['region-loss-on-foundationdb', 'foundationdb-loss']);
    expect(new Set(played.map(({ database }) => database))).to.deep.equal(new Set(['foundationdb']));
    const [embedded] = load(['scenarios/region-loss.yaml']);
    expect(embedded?.scenario).to.include({ name: 'region-loss', database: 'embedded' });
  });

  it('of every set are read back from the record of a run as they are: none would be judged otherwise', () => {
    for (const { file, scenario } of SETS.flatMap((set) => loadSet(set))) {
      expect(decodeRecordedScenario(JSON.parse(JSON.stringify(scenario))), file).to.deep.equal(scenario);
    }
  });

  it('of the set `foundationdb` are refused on another database: a report of that set must not come from it', () => {
    expect(() => loadSet('foundationdb', 'embedded')).to.throw(
      /--database embedded: the scenarios of --set foundationdb are played on FoundationDB/,
    );
  });
});
