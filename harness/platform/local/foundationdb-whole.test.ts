import { expect } from 'chai';
import { whatIsMissing } from './foundationdb-whole.ts';
import { threeRegions } from './topology.ts';

const lab = threeRegions({ database: 'foundationdb' });
const two = threeRegions({ database: 'foundationdb', foundationdb: 'two_regions' });
const HEALTHY = { healthy: true, name: 'healthy' };
const tracker = (state: object = HEALTHY, unhealthy = 0) => ({ state, unhealthy_servers: unhealthy });

/** As FoundationDB tells it, with two processes in each of these data centres. */
function status(dcs: readonly string[], change: object = {}) {
  const processes = dcs.flatMap((dcid) => [0, 1].map((n) => [`${dcid}-${n}`, { locality: { dcid } }] as const));
  const cluster = {
    processes: Object.fromEntries(processes),
    recovery_state: { name: 'fully_recovered' },
    full_replication: true,
    data: { state: HEALTHY, team_trackers: [tracker()] },
  };
  return { cluster: { ...cluster, ...change } };
}
const withTrackers = (...trackers: object[]) => status(two.regions, { data: { state: HEALTHY, team_trackers: trackers } });

describe('FoundationDB of a lab is whole', () => {
  it('only where its status says all of it', () => {
    expect(whatIsMissing(status(lab.regions), lab)).to.equal(null);
    expect(whatIsMissing(status(['us-central1', 'us-east1']), lab)).to.equal('not all servers of europe-west1 are there');
    expect(whatIsMissing(status(lab.regions, { recovery_state: { name: 'accepting_commits' } }), lab)).to.match(/recovery is at accepting/);
    expect(whatIsMissing(status(lab.regions, { data: { state: { healthy: false, name: 'healing' } } }), lab)).to.equal('data is healing');
    const nothings = [
      undefined,
      {},
      { cluster: {} },
      status(lab.regions, { data: {} }),
      status(lab.regions, { recovery_state: undefined }),
      status(lab.regions, { full_replication: undefined }),
      withTrackers({ state: HEALTHY }, tracker()),
    ];
    for (const nothing of nothings) expect(whatIsMissing(nothing, lab)).to.match(/does not tell/);
  });

  it('in two regions only where both have all data: the state of the data is of the primary alone', () => {
    expect(whatIsMissing(withTrackers(tracker(), tracker()), two)).to.equal(null);
    expect(whatIsMissing(withTrackers(tracker()), two)).to.match(/^1 of 2 data distributors/);
    expect(whatIsMissing(withTrackers(tracker(), tracker({ healthy: false, name: 'healing' })), two)).to.equal('data is healing');
    expect(whatIsMissing(withTrackers(tracker(), tracker(HEALTHY, 2)), two)).to.equal('2 storage servers have failed');
    const populating = { healthy: true, name: 'healthy_populating_region' };
    expect(whatIsMissing(withTrackers(tracker(populating), tracker()), two)).to.equal('data is healthy_populating_region');
    const notEverywhere = { full_replication: false, data: { state: HEALTHY, team_trackers: [tracker(), tracker()] } };
    expect(whatIsMissing(status(two.regions, notEverywhere), two)).to.equal('data is not in all regions');
  });
});
