import { expect } from 'chai';
import { viewOf } from './cluster-view.ts';
import { replicaStatus } from './standbys.ts';

const DATA_CENTERS = { 'us-central1': 'a', 'us-east1': 'b', 'europe-west1': 'c' };

function replicas(change: { usableRegions?: number; ageMs?: number; lag?: number | null; healthy?: boolean } = {}) {
  const { usableRegions = 1, ageMs = 500, lag = 0, healthy = true } = change;
  const storage = (dcid: string) => ({ locality: { dcid }, roles: [{ role: 'storage' }] });
  const view = viewOf({
    client: { database_status: { available: true } },
    cluster: {
      full_replication: true,
      data: { state: { healthy }, team_trackers: [{ state: { healthy } }] },
      recovery_state: { name: 'fully_recovered' },
      configuration: { usable_regions: usableRegions },
      processes: { a: storage('a'), b: storage('b'), c: storage('c') },
    },
  });
  const known = lag === null ? null : { seconds: lag, atMs: 0 };
  const seen = { view, lag: { generation: 2, seconds: lag, known }, askedAtMs: 10_000 - ageMs };
  return replicaStatus({ seen, dataCenters: DATA_CENTERS, region: 'us-central1', nowMs: 10_000, periodMs: 1000 });
}

describe('copies of FoundationDB in the words of the contract', () => {
  it('are in sync where the cluster is whole', () => {
    expect(Object.keys(replicas())).to.deep.equal(['us-east1', 'europe-west1']);
    expect(replicas()['us-east1']).to.deep.equal({ matchIndex: 0, lagEntries: 0, lagMs: 0, ageMs: 500, inSync: true });
  });

  it('are not where not all data has all its copies', () => {
    expect(replicas({ healthy: false })['us-east1']).to.include({ inSync: false, lagEntries: 1 });
  });

  it('are not where the last status is old: that says nothing of now', () => {
    expect(replicas({ ageMs: 3001 })['us-east1']?.inSync).to.equal(false);
  });

  it('have the lag of two regions, and are not in sync where it is not known', () => {
    expect(replicas({ usableRegions: 2, lag: 1.5 })['us-east1']).to.include({ lagMs: 1500, inSync: true });
    expect(replicas({ usableRegions: 2, lag: null })['us-east1']).to.include({ inSync: false, lagMs: 500 });
  });
});
