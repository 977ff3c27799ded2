import { expect } from 'chai';
import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import { isWhole, viewOf } from './cluster-view.ts';
import { noteAway } from './cluster-monitor.ts';
import { betterRegion, replicaStatus } from './standbys.ts';

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
  const seen = {
    view,
    lag: { generation: 2, seconds: lag, known },
    askedAtMs: 100_000 - ageMs,
    awaySinceMs: new Map<string, number>(),
    lock: null,
    misplaced: null,
  };
  return replicaStatus({ seen, dataCenters: DATA_CENTERS, region: 'us-central1', nowMs: 100_000, periodMs: 1000 });
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
    expect(replicas({ ageMs: 11_001 })['us-east1']).to.include({ inSync: false, lagMs: UNKNOWN_LAG_MS });
    // With a data centre away an answer takes up to 4.3 s (measured): the one before it is that old and is still the newest.
    expect(replicas({ ageMs: 9600 })['us-east1']?.inSync).to.equal(true);
  });

  it('have the lag of two regions, and are not in sync where it is not known', () => {
    expect(replicas({ usableRegions: 2, lag: 1.5 })['us-east1']).to.include({ lagMs: 1500, inSync: true });
    expect(replicas({ usableRegions: 2, lag: null })['us-east1']).to.include({ inSync: false, lagMs: UNKNOWN_LAG_MS });
  });
});

describe('the satellite of two regions', () => {
  /** As 7.3.79 tells it: logs, and no storage. */
  function view(usableRegions: number, role: string) {
    return viewOf({
      client: { database_status: { available: true } },
      cluster: {
        full_replication: true,
        data: { state: { healthy: true }, team_trackers: [{ state: { healthy: true } }] },
        recovery_state: { name: 'fully_recovered' },
        configuration: { usable_regions: usableRegions },
        processes: { c: { locality: { dcid: 'c' }, roles: [{ role }] } },
      },
    });
  }

  it('is whole with its logs alone, which is all that it is to have; no other data centre is', () => {
    expect(isWhole(view(2, 'log'), 'c')).to.equal(true);
    expect(isWhole(view(2, 'coordinator'), 'c')).to.equal(false);
    expect(isWhole(view(1, 'log'), 'c')).to.equal(false);
  });
});

describe('a region whose own data centre is away', () => {
  const AWAY = 90_000;

  interface Away {
    readonly gone?: readonly string[];
    /** Of which no process was ever seen. */
    readonly never?: readonly string[];
    readonly primary?: string;
    readonly ageMs?: number;
  }

  /** As FoundationDB tells it with all processes of `gone` away (7.3.79: it never comes to fully_recovered then). */
  function seen({ gone = ['a'], never = [], primary = 'c', ageMs = 500 }: Away = {}) {
    const processes = ['a', 'b', 'c']
      .filter((dcid) => !gone.includes(dcid) && !never.includes(dcid))
      .map((dcid) => [dcid, { locality: { dcid }, roles: [{ role: 'storage' }] }]);
    const whole = gone.length === 0 && never.length === 0;
    const view = viewOf({
      client: { database_status: { available: true } },
      cluster: {
        active_primary_dc: primary,
        full_replication: true,
        data: { state: { healthy: whole }, team_trackers: [{ state: { healthy: whole } }] },
        recovery_state: { name: whole ? 'fully_recovered' : 'all_logs_recruited' },
        processes: Object.fromEntries(processes) as Record<string, object>,
      },
    });
    const dataCenters = Object.values(DATA_CENTERS).filter((dc) => !never.includes(dc));
    const awaySinceMs = noteAway(new Map(gone.map((dc) => [dc, AWAY])), view, { dataCenters, atMs: 100_000 - ageMs });
    return { view, lag: null, askedAtMs: 100_000 - ageMs, awaySinceMs, lock: null, misplaced: null };
  }
  const of = (region: string, what: Parameters<typeof seen>[0] = {}) => ({
    seen: seen(what),
    dataCenters: DATA_CENTERS,
    region,
    nowMs: 100_000,
    periodMs: 1000,
  });

  it('names the region that FoundationDB has moved to, and since when it has been so', () => {
    expect(betterRegion(of('us-central1'))).to.deep.equal({ region: 'europe-west1', forMs: 9500 });
    expect(betterRegion(of('us-central1', { primary: 'b' }))).to.deep.equal({ region: 'us-east1', forMs: 9500 });
    expect(betterRegion(of('us-central1', { primary: 'elsewhere' }))?.region, 'the first that has storage').to.equal('us-east1');
  });

  it('names none where the own one is there, all are away, or nothing is known of now', () => {
    expect(betterRegion(of('us-east1'))).to.equal(null);
    expect(betterRegion(of('us-central1', { gone: [] }))).to.equal(null);
    expect(betterRegion(of('us-central1', { gone: ['a', 'b', 'c'] }))).to.equal(null);
    expect(betterRegion(of('us-central1', { ageMs: 11_001 }))).to.equal(null);
  });

  it('can be moved away from, to each of the others, though nothing is whole before it is back; and nobody can be moved to it', () => {
    expect(replicaStatus(of('us-central1'))).to.have.nested.property('us-east1.inSync', true);
    expect(replicaStatus(of('us-east1'))).to.have.nested.property('us-central1.inSync', false);
    expect(replicaStatus(of('us-east1'))).to.have.nested.property('europe-west1.inSync', true);
  });

  it('is not away where it was never there, since its name may be wrong: nobody can be moved while nothing is whole', () => {
    const never = of('us-central1', { gone: [], never: ['a'] });
    expect(replicaStatus(never)).to.have.nested.property('us-east1.inSync', false);
    expect(betterRegion(never)).to.equal(null);
    expect(replicaStatus(of('us-central1', { gone: ['b'], never: ['a'] }))).to.have.nested.property('europe-west1.inSync', true);
  });

  it('is away since it was first seen so, and not any more once it is back; a status without processes tells nothing', () => {
    const dataCenters = ['a', 'b'];
    const first = noteAway(new Map(), seen().view, { dataCenters, atMs: 1 });
    expect([...first]).to.deep.equal([['a', 1]]);
    expect([...noteAway(first, seen().view, { dataCenters, atMs: 2 })]).to.deep.equal([['a', 1]]);
    expect([...noteAway(first, viewOf({}), { dataCenters, atMs: 3 })]).to.deep.equal([['a', 1]]);
    expect([...noteAway(first, seen({ gone: [] }).view, { dataCenters, atMs: 4 })]).to.deep.equal([]);
  });
});
