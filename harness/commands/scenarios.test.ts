import { expect } from 'chai';
import { basename } from 'node:path';
import type { LoadedScenario } from '../scenario/load.ts';
import { decodeRecordedScenario } from '../scenario/recorded.ts';
import { SETS } from '../scenario/scenario.ts';
import { load } from './scenarios.ts';
import { chooseSet, leftOutText, loadSet } from './sets.ts';

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
    expect(() => chooseSet('foundationdb', 'embedded')).to.throw(
      /--database embedded: the scenarios of --set foundationdb are played on FoundationDB/,
    );
  });

  const files = (loaded: readonly LoadedScenario[]): readonly string[] => loaded.map(({ file }) => basename(file, '.yaml'));

  it('of a set that somebody asks for on another layout are those that can be played there; the others are told with why', () => {
    const { played, leftOut } = chooseSet('foundationdb', 'foundationdb:two_regions');
    expect(played).to.have.lengthOf(11);
    expect(new Set(played.map(({ scenario }) => scenario.foundationdb))).to.deep.equal(new Set(['two_regions']));
    const ofPairs = files(loadSet('foundationdb')).filter((name) => name.startsWith('foundationdb-pair-'));
    expect(ofPairs).to.include.members(['foundationdb-pair-loss', 'foundationdb-pair-switchover']);
    const told = [
      ...ofPairs.map(
        (name) =>
          `scenarios/${name}.yaml: is of \`foundationdb: pair\`, and is played there without \`--database foundationdb:two_regions\``,
      ),
      'scenarios/foundationdb-two-regions-loss.yaml: asks on foundationdb:two_regions what scenarios/region-loss.yaml asks',
    ];
    expect(leftOut).to.deep.equal(told);
    const pair = chooseSet('foundationdb', 'foundationdb:pair');
    expect(files(pair.played)).to.deep.equal(ofPairs);
    expect(pair.leftOut).to.have.lengthOf(12);
    expect(pair.leftOut.join('\n')).to.match(/scenarios\/region-loss\.yaml:\d+:\d+: replication: a pair is copied after/);
    const three = chooseSet('foundationdb', 'foundationdb:three_datacenter');
    expect(three.played).to.have.lengthOf(11);
    expect(three.leftOut.join('\n')).to.match(/foundationdb-two-regions-loss\.yaml: is of `foundationdb: two_regions`/);
    const all = chooseSet('foundationdb', 'foundationdb');
    expect(all.leftOut).to.deep.equal([]);
    expect(files(all.played)).to.deep.equal(files(loadSet('foundationdb')));
    expect(leftOutText(all)).to.equal('');
    expect(leftOutText(pair)).to.match(/^\d+ scenarios are played; left out, as asked for:\n {2}scenarios\/.*\n( {2}scenarios\/.*\n)+\n$/);
  });

  it('of another set are played on FoundationDB but for those which ask what is not there, by their place', () => {
    const { played, leftOut } = chooseSet('failover', 'foundationdb');
    expect(played.length + leftOut.length).to.equal(files(loadSet('failover')).length);
    expect(leftOut).to.have.lengthOf(1);
    expect(leftOut[0]).to.match(/^scenarios\/lag-above-rpo\.yaml:\d+:\d+: replication: .*there is no `async`/);
  });

  it('of a set of which none can be played there are refused: a set that is empty passes for nobody', () => {
    expect(() => chooseSet('backup', 'foundationdb:pair')).to.throw(
      /^--database foundationdb:pair: no scenario of --set backup is played there\nscenarios\/all-regions-lost\.yaml:/,
    );
  });
});
