import { expect } from 'chai';
import { regionsConfig, regionsProblems, type ConfiguredRegion } from './regions.ts';

const GOOD = regionsConfig({ primary: 'us-central1', remote: 'us-east1', satellite: 'europe-west1' }, 1);

describe('regions of FoundationDB', () => {
  it('are what worked on a cluster: a primary above a remote, one satellite for both', () => {
    expect(regionsProblems(GOOD)).to.deep.equal([]);
    expect(GOOD.map(({ datacenters }) => datacenters.map(({ id, priority }) => `${id} ${priority}`))).to.deep.equal([
      ['us-central1 1', 'europe-west1 1'],
      ['us-east1 0', 'europe-west1 1'],
    ]);
    expect(GOOD.map((region) => region.satellite_redundancy_mode)).to.deep.equal(['one_satellite_single', 'one_satellite_single']);
  });

  const wrong: readonly (readonly [string, readonly ConfiguredRegion[], string])[] = [
    ['a satellite within a region', regionsConfig({ primary: 'a', remote: 'b', satellite: 'a' }, 1), "satellite a is a region's own"],
    ['the same data centre twice', regionsConfig({ primary: 'a', remote: 'a', satellite: 'c' }, 1), 'a is named for both regions'],
    ['one region', GOOD.slice(0, 1), '1 regions'],
    [
      'equal priorities',
      GOOD.map((region) => ({ ...region, datacenters: region.datacenters.map((dc) => ({ ...dc, priority: 1 })) })),
      'same priority',
    ],
    ['no satellite', GOOD.map((region) => ({ ...region, datacenters: region.datacenters.slice(0, 1) })), 'has no satellite'],
    ['no home', GOOD.map((region) => ({ ...region, datacenters: region.datacenters.slice(1) })), 'exactly one data centre'],
  ];
  for (const [what, regions, says] of wrong)
    it(`are refused with ${what}`, () => {
      expect(regionsProblems(regions).join('; ')).to.contain(says);
    });
});
