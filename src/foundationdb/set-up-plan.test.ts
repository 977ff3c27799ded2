import { expect } from 'chai';
import { address, DCS, REGIONS_FILE, servers, SIX, status } from '../testing/placed-servers.ts';
import { parseLayout } from './layout.ts';
import { planSetUp, type SetUp } from './set-up-plan.ts';
import type { ClusterStatus } from './status-json.ts';

const THREE: SetUp = { layout: { kind: 'three_datacenter' }, dataCenters: DCS, isNew: false };
const TWO: SetUp = { ...THREE, layout: parseLayout(REGIONS_FILE, 'regions.json') };

/** One that serves, whole. */
const serving = (configuration: object, more: object = {}): object => ({
  active_primary_dc: 'dc1',
  configuration: { usable_regions: 1, ...configuration },
  data: { state: { healthy: true }, team_trackers: [{ primary: true, state: { healthy: true }, unhealthy_servers: 0 }] },
  database_available: true,
  database_lock_state: { locked: false },
  full_replication: true,
  recovery_state: { name: 'fully_recovered' },
  ...more,
});
const NEVER_CREATED = { recovery_state: { name: 'configuration_never_created' } };

describe('plan of a set-up of FoundationDB', () => {
  it('makes a database where there is none, only if it is said that there never was one', () => {
    const none = status(NEVER_CREATED, [0]);
    expect(planSetUp(none, THREE)).to.have.property('kind', 'refused');
    for (const setUp of [THREE, TWO])
      expect(planSetUp(none, { ...setUp, isNew: true })).to.deep.equal({ kind: 'do', step: { kind: 'create' } });
  });

  it('never makes one where there is one, whatever it is told', () => {
    for (const cluster of [serving({ redundancy_mode: 'double' }), {}, { recovery_state: { name: 'reading_coordinated_state' } }])
      for (const setUp of [THREE, TWO]) {
        const plan = planSetUp(status(cluster), { ...setUp, isNew: true });
        if (plan.kind === 'do') expect(plan.step.kind).to.not.equal('create');
      }
    expect(planSetUp(null, { ...THREE, isNew: true })).to.have.property('kind', 'wait');
  });

  it('waits for servers in every data centre, and for two zones in each of three_datacenter', () => {
    for (const cluster of [NEVER_CREATED, serving({ redundancy_mode: 'double' })]) {
      const far = planSetUp(status(cluster, [0], servers('dc1 dc2')), { ...THREE, isNew: true });
      expect(far).to.have.property('why').that.contains('no process of dc3').and.not.contains('version');
      const none = planSetUp(status(cluster, [0], servers('eu us')), { ...THREE, isNew: true });
      expect(none)
        .to.have.property('why')
        .that.matches(/^no process of dc1, dc2, dc3 answers: start .*of their version, .*cluster_file.*locality_dcid\?$/);
    }
    const one = SIX.map((server) => (server.dc === 'dc2' ? { ...server, zone: 'z' } : server));
    expect(planSetUp(status(NEVER_CREATED, [0], one), { ...THREE, isNew: true }))
      .to.have.property('why')
      .that.contains('2 zones of dc2');
    expect(planSetUp(status(serving({ redundancy_mode: 'double' }), [0, 2, 4], one), THREE))
      .to.have.property('why')
      .that.contains('2 zones of dc2');
  });

  it('puts coordinators so that any data centre may be lost, before anything else is changed', () => {
    for (const coordinators of [[0], [0, 1, 2], [0, 1, 2, 3]]) {
      const plan = planSetUp(status(serving({ redundancy_mode: 'double' }), coordinators), THREE);
      expect(plan).to.deep.include({ kind: 'do' });
      expect(plan).to.have.nested.property('step.kind', 'coordinators');
    }
    const [a, b] = [
      planSetUp(status(serving({ redundancy_mode: 'three_datacenter' })), THREE),
      planSetUp(status(serving({ redundancy_mode: 'double' })), THREE),
    ];
    expect(a).to.include({ kind: 'done' });
    expect(b).to.deep.equal({ kind: 'do', step: { kind: 'redundancy', mode: 'three_datacenter' } });
  });

  it('takes fewer coordinators only where no more is lost with fewer machines', () => {
    const plan = (places: string, present: readonly number[], machines: readonly string[] = []) =>
      planSetUp(
        status(
          serving({ redundancy_mode: 'three_datacenter' }),
          present,
          servers(places).map((one, n) => ({ ...one, machine: machines[n] ?? `m${n}` })),
        ),
        THREE,
      );
    expect(plan('dc1 dc1 dc1 dc2 dc3', [0, 1, 2, 3, 4]))
      .to.have.property('why')
      .that.contains('3 of 5 coordinators are in dc1')
      .and.contains('machines for 3 in three data centres, which survive the loss of 1, whichever; these 5 survive that of 2');
    // Four are no better than three, nor are five of which three are on one machine.
    expect(plan('dc1 dc1 dc2 dc3', [0, 1, 2, 3])).to.have.nested.property('step.before', 4);
    expect(plan('dc1 dc1 dc1 dc2 dc3', [0, 1, 2, 3, 4], ['m', 'm', 'm'])).to.have.nested.property('step.kind', 'coordinators');
  });

  it('leaves coordinators that are named by host: where the processes are that coordinate is told, and the names are not replaced', () => {
    const named = (present: readonly number[]): ClusterStatus => {
      const seen = status(serving({ redundancy_mode: 'three_datacenter' }), present);
      const processes = Object.fromEntries(
        Object.entries(seen.cluster?.processes ?? {}).map(([id, one], n) => [
          id,
          present.includes(n) ? { ...one, roles: [{ role: 'coordinator' }] } : one,
        ]),
      );
      const coordinators = present.map((n) => ({ address: `fdb${n}.lan:4500:tls`, reachable: true }));
      return {
        ...seen,
        client: { ...seen.client, coordinators: { ...seen.client?.coordinators, coordinators } },
        cluster: { ...seen.cluster, processes },
      } as ClusterStatus;
    };
    expect(planSetUp(named([0, 2, 4]), THREE)).to.include({ kind: 'done' });
    expect(planSetUp(named([0, 1, 4]), THREE))
      .to.have.property('why')
      .that.contains('2 of 3 coordinators are in dc1')
      .and.contains('named by host (fdb0.lan:4500, fdb1.lan:4500, fdb4.lan:4500)');
  });

  it('replaces no coordinator that is away for a moment', () => {
    const plan = planSetUp(status(serving({ redundancy_mode: 'three_datacenter' }), [0, 2, 4], SIX, [4]), THREE);
    expect(plan).to.have.property('kind', 'wait');
    expect(plan)
      .to.have.property('why')
      .that.contains(`coordinator ${address(4)} does not answer`);
  });

  it('waits while it does not serve, is locked, does not say whether it is, or has not all its copies', () => {
    const mode = { redundancy_mode: 'three_datacenter' };
    for (const more of [
      { recovery_state: { name: 'recruiting_transaction_servers' } },
      { database_available: false },
      { database_lock_state: { locked: true, lock_uid: 'x' } },
      { database_lock_state: {} },
      { full_replication: false },
      { full_replication: undefined },
      { recovery_state: { name: 'all_logs_recruited' } },
    ])
      expect(planSetUp(status(serving(mode, more)), THREE), JSON.stringify(more)).to.have.property('kind', 'wait');
  });

  it('goes into two regions one step after the other, the one that the layout prefers first, wherever the database happens to be', () => {
    const regions = (east: number) =>
      JSON.parse(REGIONS_FILE.replace('"id":"dc2","priority":0', `"id":"dc2","priority":${east}`)).regions as object[];
    const steps = [
      serving({ redundancy_mode: 'single' }),
      serving({ redundancy_mode: 'double' }),
      serving({ redundancy_mode: 'double', regions: regions(-1) }),
      serving({ redundancy_mode: 'double', regions: regions(-1), usable_regions: 2 }, { data: trackers(true, true) }),
      serving({ redundancy_mode: 'double', regions: regions(0), usable_regions: 2 }, { data: trackers(true, true) }),
    ].map((cluster) => planSetUp(status(cluster), TWO));
    expect(steps.slice(0, 3)).to.deep.equal([
      { kind: 'do', step: { kind: 'redundancy', mode: 'double' } },
      { kind: 'do', step: { kind: 'regions', first: 'dc1' } },
      { kind: 'do', step: { kind: 'usable-regions', count: 2, unchecked: false } },
    ]);
    expect(steps[3]).to.have.nested.property('step.priorities').that.deep.equals({ dc1: 1, dc2: 0 });
    expect(steps[4]).to.include({ kind: 'done' });
    const inTheEast = status(serving({ redundancy_mode: 'double' }, { active_primary_dc: 'dc2' }));
    expect(planSetUp(inTheEast, TWO)).to.have.nested.property('step.first', 'dc1');
  });

  it('concludes nothing where the status does not tell how it is configured', () => {
    for (const setUp of [THREE, TWO]) {
      const plans = [serving({}), serving({}, { configuration: undefined })].map((cluster) => planSetUp(status(cluster), setUp));
      expect(plans.map(({ kind }) => kind)).to.deep.equal(['wait', 'wait']);
    }
  });

  it('takes no copies away, and calls no other satellites those of the layout', () => {
    const { regions } = JSON.parse(REGIONS_FILE) as { regions: object[] };
    const why = (configuration: object): string => {
      const plan = planSetUp(status(serving(configuration, { data: trackers(true, true) })), TWO);
      return plan.kind === 'refused' ? plan.why : plan.kind;
    };
    expect(why({ redundancy_mode: 'triple' })).to.contain('copies would be taken away');
    expect(why({ redundancy_mode: 'triple', regions, usable_regions: 2 })).to.contain('copies would be taken away');
    const single = JSON.parse(REGIONS_FILE.replaceAll('one_satellite_double', 'one_satellite_single')) as { regions: object[] };
    expect(why({ redundancy_mode: 'double', regions: single.regions, usable_regions: 2 })).to.contain('one_satellite_single');
    expect(why({ redundancy_mode: 'double', regions, usable_regions: 2 })).to.equal('done');
  });

  it('leaves alone which of two regions is preferred', () => {
    const swapped = REGIONS_FILE.replace('"id":"dc2","priority":0', '"id":"dc2","priority":2');
    const { regions } = JSON.parse(swapped) as { regions: object[] };
    const cluster = serving(
      { redundancy_mode: 'double', regions, usable_regions: 2 },
      { active_primary_dc: 'dc2', data: trackers(true, true) },
    );
    expect(planSetUp(status(cluster), TWO)).to.include({ kind: 'done' });
  });

  it('is refused where a layout would have to be left first, or names what the configuration does not', () => {
    const { regions } = JSON.parse(REGIONS_FILE) as { regions: object[] };
    const others = JSON.parse(REGIONS_FILE.replaceAll('"dc2"', '"dc9"')) as { regions: object[] };
    const why = (cluster: object, setUp: SetUp): string => {
      const plan = planSetUp(status(cluster), setUp);
      return plan.kind === 'refused' ? plan.why : plan.kind;
    };
    expect(why(serving({ redundancy_mode: 'double', regions, usable_regions: 2 }), THREE)).to.contain('it is configured in regions');
    expect(why(serving({ redundancy_mode: 'three_datacenter' }), TWO)).to.contain('it is configured as three_datacenter');
    expect(why(serving({ redundancy_mode: 'double', regions: others.regions, usable_regions: 2 }), TWO)).to.contain('other regions');
    expect(why(serving({ redundancy_mode: 'double' }), { ...TWO, dataCenters: ['dc1', 'dc2', 'dc4'] })).to.contain('the layout names dc3');
  });
});

function trackers(...healthy: readonly boolean[]): object {
  return {
    state: { healthy: healthy.every(Boolean) },
    team_trackers: healthy.map((each, n) => ({ primary: n === 0, state: { healthy: each }, unhealthy_servers: 0 })),
  };
}
