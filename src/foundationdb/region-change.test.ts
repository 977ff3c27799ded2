import { expect } from 'chai';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import type { FdbcliResult } from './fdbcli.ts';
import type { PlanFollowed } from './follow-plan.ts';
import { changeRegion } from './region-change.ts';
import { planRegionChange, type RegionChange, type RegionStep } from './region-plan.ts';
import { regionsConfig } from './regions.ts';
import { parseStatus, type ClusterStatus } from './status-json.ts';

const NEVER = new AbortController().signal;
const PATIENCE_MS = 600_000;
const COPY_LOOKS = 5;
const [WEST, EAST, SATELLITE] = ['west', 'east', 'satellite'] as const;
type Home = typeof WEST | typeof EAST;

/**
 * A cluster of two regions with the rules by which FoundationDB 7.3.79 changes its configuration (changeConfig in GenericManagementAPI.actor.h, isValid in DatabaseConfiguration.cpp). It throws where somebody
 * would break it by going past its checks.
 */
class TwoRegions {
  usable = 2;
  locked = false;
  primary: Home = WEST;
  readonly priorities: Record<Home, number> = { [WEST]: 1, [EAST]: 0 };
  readonly copied: Record<Home, boolean> = { [WEST]: true, [EAST]: true };
  readonly there = new Set<string>([WEST, EAST, SATELLITE]);
  /** Storage servers that do not answer, of a region that else does. */
  readonly failed: Record<Home, number> = { [WEST]: 0, [EAST]: 0 };
  readonly steps: string[] = [];
  /** Steps past FoundationDB's checks. */
  forced = 0;
  /** For so many looks a controller that was elected just now has not heard of the servers in the east yet. */
  looksWithoutEast = 0;
  #looks = 0;

  /**
   * As 7.3 tells it (Status.actor.cpp, DataDistribution.actor.cpp; seen in its traces): a tracker is `primary` by the priorities, wherever the database is; it goes on saying that all is well where no team of its
   * region is whole, since nothing is moved then, and only the failed servers are told; while a region is lost the distributors do not come to begin again, and nothing is told of any.
   */
  status(): ClusterStatus {
    this.#goOn();
    const homes: readonly Home[] = this.usable === 2 ? [WEST, EAST] : [this.primary];
    const regions = regionsConfig({ primary: WEST, remote: EAST, satellite: SATELLITE }, 1).map((region) => ({
      ...region,
      satellite_log_policy: 'kept as it was read',
      datacenters: region.datacenters.map((dc) => ({ ...dc, priority: this.priorities[dc.id as Home] ?? dc.priority })),
    }));
    const healthy = homes.every((home) => this.copied[home]);
    const highest = Math.max(...homes.map((home) => this.priorities[home]));
    const seen = [...this.there].filter((dc) => dc !== EAST || this.looksWithoutEast === 0);
    if (this.looksWithoutEast > 0) this.looksWithoutEast--;
    const isLost = homes.some((home) => !seen.includes(home));
    const trackers = homes.map((home) => ({
      primary: this.priorities[home] === highest,
      state: { healthy: this.copied[home] },
      unhealthy_servers: this.failed[home],
    }));
    return read({
      client: { coordinators: { quorum_reachable: true }, database_status: { available: this.there.has(this.primary) } },
      cluster: {
        active_primary_dc: this.primary,
        configuration: { usable_regions: this.usable, regions },
        data: isLost ? { state: { name: 'initializing' } } : { state: { healthy }, team_trackers: trackers },
        database_available: true,
        database_lock_state: { locked: this.locked },
        full_replication: healthy,
        processes: Object.fromEntries(seen.map((dcid) => [dcid, { locality: { dcid }, roles: [] }])),
        recovery_state: { name: 'fully_recovered' },
      },
    });
  }

  /** What it does by itself: copies, goes to the region with the higher priority, and away from one that is lost. */
  #goOn(): void {
    const other = this.primary === WEST ? EAST : WEST;
    if (this.usable !== 2 || !this.there.has(other)) return;
    if (!this.there.has(this.primary) && this.copied[other] && this.priorities[other] >= 0 && this.there.has(SATELLITE))
      this.primary = other;
    if (!this.copied[other] && ++this.#looks > COPY_LOOKS) this.copied[other] = true;
    else if (this.copied[other] && this.priorities[other] > this.priorities[this.primary]) this.primary = other;
  }

  act(step: RegionStep): FdbcliResult {
    const wanted = { usable: this.usable, priorities: { ...this.priorities } };
    if (step.kind === 'usable-regions') wanted.usable = step.count;
    else
      for (const { datacenters, ...rest } of step.regions) {
        expect(rest).to.have.property('satellite_log_policy');
        for (const { id, priority, satellite } of datacenters) if (satellite !== 1) wanted.priorities[id as Home] = priority;
      }
    const no = this.#refusal(wanted);
    if (no !== null && !step.unchecked) return { kind: 'refused', said: `ERROR: ${no}` };
    const goesOn = [WEST, EAST].find((home) => wanted.priorities[home as Home] >= 0) as Home;
    if (wanted.usable === 1 && !(this.copied[goesOn] && this.there.has(goesOn)))
      throw new Error(`all data was in ${goesOn}, which has not got it`);
    if (wanted.usable === 2 && !this.there.has(SATELLITE)) throw new Error('nothing commits any more');
    if (step.unchecked) this.forced++;
    this.steps.push(step.kind === 'usable-regions' ? `${step.count}` : `${wanted.priorities[WEST]},${wanted.priorities[EAST]}`);
    if (wanted.usable === 1 && this.usable === 2) this.copied[goesOn === WEST ? EAST : WEST] = false;
    if (wanted.usable === 2 && this.usable === 1) this.#looks = 0;
    this.usable = wanted.usable;
    Object.assign(this.priorities, wanted.priorities);
    return { kind: 'done', said: '' };
  }

  #refusal({ usable, priorities }: { readonly usable: number; readonly priorities: Readonly<Record<Home, number>> }): string | null {
    const changed = [WEST, EAST].some((home) => priorities[home as Home] !== this.priorities[home as Home]);
    const active = ([WEST, EAST] as const).filter((home) => priorities[home] >= 0);
    if (active.length === 0) return 'These changes would make the configuration invalid';
    if (usable !== this.usable && changed) return 'The region configuration cannot be changed while simultaneously changing usable_regions';
    if (usable !== this.usable && active.length > 1) return 'When changing usable_regions, only one region can have priority >= 0';
    if (usable === 2 && active.some((home) => !this.copied[home]))
      return 'When usable_regions > 1, All regions with priority >= 0 must be fully replicated before changing the configuration';
    if (![WEST, EAST].every((home) => this.there.has(home))) return 'Not enough processes exist to support the specified configuration';
    return null;
  }
}

function read(status: object): ClusterStatus {
  const parsed = parseStatus(JSON.stringify(status));
  if (parsed === null) throw new Error('no status');
  return parsed;
}

interface Played {
  readonly changed: PlanFollowed;
  readonly waited: readonly string[];
}

/** Time goes on by itself. `looks`: so many, then whoever ordered it is gone. */
async function play(cluster: TwoRegions, change: RegionChange, { looks = Infinity } = {}): Promise<Played> {
  const clock = new SteppedClock();
  const waited: string[] = [];
  const work = changeRegion(
    {
      change,
      clock,
      patienceMs: Math.min(PATIENCE_MS, looks * 1000),
      status: () => Promise.resolve(cluster.status()),
      act: (step) => Promise.resolve(cluster.act(step)),
      inWords: JSON.stringify,
      onWait: (why) => waited.push(why),
    },
    NEVER,
  );
  await clock.until(PATIENCE_MS);
  return { changed: await work, waited };
}

const change = (kind: RegionChange['kind'], dataCenter: string): RegionChange => ({ kind, dataCenter, acceptLoss: false });
const accepting = (kind: RegionChange['kind'], dataCenter: string): RegionChange => ({ kind, dataCenter, acceptLoss: true });
const DONE = { kind: 'done' } as const;

describe('a change of the two regions of FoundationDB', () => {
  /** After a forced recovery into the east, whose other region has come back. */
  function eastAlone(): TwoRegions {
    const cluster = new TwoRegions();
    Object.assign(cluster, { usable: 1, primary: EAST });
    Object.assign(cluster.priorities, { [WEST]: -1, [EAST]: 0 });
    cluster.copied[WEST] = false;
    return cluster;
  }

  it('passes FoundationDB’s checks by only where a region has been lost for a while', async () => {
    const cluster = new TwoRegions();
    cluster.looksWithoutEast = 20;
    expect((await play(cluster, change('drop', EAST))).changed, 'no consent is asked for').to.include(DONE);
    expect(cluster).to.deep.include({ steps: ['1,-1', '1'], forced: 0 });
    const lost = westLost();
    expect((await play(lost, accepting('drop', WEST), { looks: 25 })).waited.at(-1)).to.match(/lost without a break/);
    expect(lost.steps).to.deep.equal([]);
    expect((await play(lost, accepting('drop', WEST))).changed).to.include(DONE);
    expect(lost.forced).to.equal(2);
  });

  function westLost(): TwoRegions {
    const cluster = new TwoRegions();
    cluster.there.delete(WEST);
    return cluster;
  }

  it('adds a region again: below zero, two usable, waits for the copy, above zero; the database stays where it is', async () => {
    const cluster = eastAlone();
    const { changed, waited } = await play(cluster, change('add', WEST));
    expect(changed).to.include(DONE);
    expect(cluster.steps).to.deep.equal(['-1,1', '2', '0,1']);
    expect(waited).to.deep.equal(['FoundationDB copies the data to west']);
    expect(cluster.primary).to.equal(EAST);
  });

  it('moves the database by its priorities, then goes on without the other region', async () => {
    const cluster = new TwoRegions();
    expect((await play(cluster, change('prefer', EAST))).changed).to.include(DONE);
    expect(cluster.primary).to.equal(EAST);
    expect((await play(cluster, change('drop', WEST))).changed).to.include(DONE);
    expect(cluster.steps).to.deep.equal(['0,1', '-1,1', '1']);
    expect(cluster.usable).to.equal(1);
  });

  it('goes on without a region that is lost, for which FoundationDB’s own checks must be passed by', async () => {
    const cluster = new TwoRegions();
    cluster.there.delete(EAST);
    expect((await play(cluster, accepting('drop', EAST))).changed).to.include(DONE);
    expect(cluster.steps).to.deep.equal(['1,-1', '1']);
  });

  it('goes on without the region where the database was, once FoundationDB has left it', async () => {
    const cluster = westLost();
    expect((await play(cluster, accepting('drop', WEST))).changed).to.include(DONE);
    expect(cluster.steps).to.deep.equal(['-1,1', '1']);
    expect(cluster.primary).to.equal(EAST);
  });

  it('goes on without a lost region only with the consent to lose what no other has, which is not one against what is told', async () => {
    const cluster = westLost();
    const refusal = (await play(cluster, change('drop', WEST))).changed;
    expect(refusal).to.have.property('kind', 'refused');
    expect('why' in refusal ? refusal.why : '').to.match(/no process of west answers.*--accept-data-loss=any$/);
    expect(cluster.steps).to.deep.equal([]);
    const there = new TwoRegions();
    there.failed[WEST] = 1;
    expect(planRegionChange(there.status(), accepting('drop', EAST))).to.have.property('kind', 'wait');
  });

  it('may be interrupted after any look, and is finished by the same command; done is done', async () => {
    for (const [kind, dc, from] of [
      ['add', WEST, eastAlone],
      ['drop', EAST, () => new TwoRegions()],
      ['drop', WEST, westLost],
      ['prefer', EAST, () => new TwoRegions()],
    ] as const)
      for (let looks = 1; looks < 2 * COPY_LOOKS; looks++) {
        const cluster = from();
        await play(cluster, accepting(kind, dc), { looks });
        expect((await play(cluster, accepting(kind, dc))).changed, `${kind} after ${looks}`).to.include(DONE);
        const steps = cluster.steps.length;
        expect((await play(cluster, accepting(kind, dc))).changed).to.include(DONE);
        expect(cluster.steps, 'nothing is done twice').to.have.length(steps);
      }
  });

  it('ends when its time is over, and says what it waited for', async () => {
    expect((await play(eastAlone(), change('add', WEST), { looks: 3 })).changed).to.deep.equal({
      kind: 'undecided',
      why: 'FoundationDB copies the data to west',
    });
    expect((await play(new TwoRegions(), change('prefer', EAST), { looks: 1 })).changed).to.deep.equal({
      kind: 'undecided',
      why: 'its status did not show yet what was changed last',
    });
  });
});

describe('a change of the regions of FoundationDB that is refused', () => {
  const plan = (kind: RegionChange['kind'], dc: string, prepare: (cluster: TwoRegions) => void = () => undefined): string => {
    const cluster = new TwoRegions();
    prepare(cluster);
    const found = planRegionChange(cluster.status(), change(kind, dc));
    return 'why' in found ? `${found.kind}: ${found.why}` : found.kind;
  };
  const westAlone = (cluster: TwoRegions): void => {
    Object.assign(cluster, { usable: 1 });
    Object.assign(cluster.priorities, { [EAST]: -1 });
    cluster.copied[EAST] = false;
  };

  it('drops neither the region where the database is, nor the only one', () => {
    expect(plan('drop', WEST)).to.equal('refused: the database is in west; prefer east first');
    expect(plan('drop', WEST, westAlone)).to.match(/^refused: .*no other that has its data$/);
  });
  it('drops nothing while the other has not all its own copies: it would go on with less than was acknowledged', () => {
    expect(plan('drop', EAST, (cluster) => (cluster.copied[WEST] = false))).to.match(/^wait: .* west has all its own copies$/);
  });
  it('adds nothing without servers there, or without a satellite, for which every commit would wait', () => {
    const without = (dc: string) => (cluster: TwoRegions) => {
      westAlone(cluster);
      cluster.there.delete(dc);
    };
    expect(plan('add', EAST, westAlone)).to.equal('do');
    expect(plan('add', EAST, without(EAST))).to.match(/^refused: no process of east answers/);
    expect(plan('add', EAST, without(SATELLITE))).to.match(/^refused: no process of the satellite satellite answers/);
    expect(plan('add', WEST, westAlone)).to.match(/^refused: the database is in west$/);
  });
  it('prefers no region that has not all the data', () => {
    expect(plan('prefer', EAST, westAlone)).to.match(/^refused: east is not usable: add it first/);
    expect(plan('prefer', EAST, (cluster) => cluster.there.delete(EAST))).to.match(/^refused: no process of east/);
    expect(plan('prefer', EAST, (cluster) => (cluster.copied[EAST] = false))).to.match(/^wait: /);
    expect(plan('prefer', WEST)).to.match(/^done: the database is in west$/);
  });
  it('knows no other data centre, not the satellite either', () => {
    for (const dc of [SATELLITE, 'north']) expect(plan('drop', dc)).to.match(new RegExp(`^refused: ${dc} is none of two regions`));
  });
  it('waits while FoundationDB does not serve, is locked, or does not tell', () => {
    const without =
      (...dcs: readonly string[]) =>
      (cluster: TwoRegions): void => {
        for (const dc of dcs) cluster.there.delete(dc);
      };
    expect(plan('drop', EAST, without(WEST, SATELLITE))).to.match(/^wait: FoundationDB does not serve/);
    expect(plan('drop', EAST, (cluster) => (cluster.locked = true))).to.match(/^wait: it is locked by somebody/);
    expect(planRegionChange(null, change('drop', EAST))).to.have.property('kind', 'wait');
    const { cluster, client } = new TwoRegions().status();
    for (const left of ['configuration', 'database_lock_state', 'active_primary_dc'] as const)
      expect(planRegionChange({ client, cluster: { ...cluster, [left]: undefined } }, change('drop', EAST)), left).to.have.property(
        'kind',
        'wait',
      );
    const noTrackers = { ...cluster, data: { ...cluster?.data, team_trackers: undefined } };
    expect(planRegionChange({ client, cluster: noTrackers }, change('drop', EAST))).to.have.property('kind', 'wait');
  });
  it('drops nothing while servers of the other one have failed, and prefers none with such: its tracker says healthy when no team is whole', () => {
    const failed = (cluster: TwoRegions): void => void (cluster.failed[WEST] = 1);
    expect(plan('drop', EAST, failed)).to.match(/^wait: .* west has all its own copies \(1 storage servers have failed/);
    const failedThere = (cluster: TwoRegions): void => void (cluster.failed[EAST] = 1);
    expect(plan('prefer', EAST, failedThere)).to.match(/^wait: not all of east has all its copies yet \(1 storage/);
    expect(plan('add', EAST, failedThere)).to.match(/^wait: not all of east has all its copies yet \(1 storage/);
  });
  it('takes the tracker of the region that is to go on for its word, which is the primary one only by its priority', () => {
    const lost = new TwoRegions();
    lost.there.delete(WEST);
    const { client, cluster } = lost.status();
    // The distributor was elsewhere, and did not have to begin again.
    const told = (west: number, east: number) => ({
      state: { healthy: true },
      team_trackers: [
        { primary: true, state: { healthy: true }, unhealthy_servers: west },
        { primary: false, state: { healthy: true }, unhealthy_servers: east },
      ],
    });
    const planned = (data: object) => planRegionChange(read({ client, cluster: { ...cluster, data } }), accepting('drop', WEST)).kind;
    expect(planned(told(2, 0))).to.equal('do');
    expect(planned(told(0, 1))).to.equal('wait');
    expect(planned({}), 'no word of any').to.equal('wait');
  });
  it('waits for the distributors that begin again where both regions are there', () => {
    const { client, cluster } = new TwoRegions().status();
    const beginning = read({ client, cluster: { ...cluster, data: { state: { name: 'initializing' } } } });
    for (const kind of ['add', 'prefer', 'drop'] as const)
      expect(planRegionChange(beginning, change(kind, EAST)), kind).to.have.property('kind', 'wait');
  });
  it('does not say of a region that is lost that it takes over', () => {
    expect(plan('add', EAST, (cluster) => cluster.there.delete(EAST))).to.match(/^refused: no process of east answers/);
    expect(plan('add', EAST, (cluster) => cluster.there.delete(SATELLITE))).to.match(/^refused: no process of the satellite/);
  });
  it('believes no tracker while FoundationDB does not look after copies, or is told to overlook failures', () => {
    const { client, cluster } = new TwoRegions().status();
    for (const told of [
      { data_distribution_disabled: true },
      { data_distribution_disabled_for_ss_failures: true },
      { maintenance_zone: 'rack-1' },
    ])
      for (const kind of ['add', 'prefer', 'drop'] as const)
        expect(planRegionChange(read({ client, cluster: { ...cluster, ...told } }), change(kind, EAST)), kind).to.have.property(
          'kind',
          'wait',
        );
  });
  it('goes past FoundationDB’s checks only where its status names processes and none of that region, excluded or not', () => {
    const { client, cluster } = new TwoRegions().status();
    const withProcesses = (processes: object | undefined) =>
      planRegionChange(read({ client, cluster: { ...cluster, processes } }), accepting('drop', EAST));
    const west = { locality: { dcid: WEST } };
    expect(withProcesses({ west })).to.have.nested.property('step.unchecked', true);
    expect(withProcesses({ west, other: { locality: { dcid: EAST }, excluded: true } })).to.have.nested.property('step.unchecked', false);
    for (const none of [undefined, {}, { other: { address: '10.0.0.1:4500' } }])
      expect(withProcesses(none)).to.have.property('kind', 'wait');
  });
  it('has not dropped a region before FoundationDB needs no log of before any more: some are on the satellite', () => {
    const alone = new TwoRegions();
    westAlone(alone);
    const { client, cluster } = alone.status();
    const at = (name: string) =>
      planRegionChange(read({ client, cluster: { ...cluster, recovery_state: { name } } }), change('drop', EAST)).kind;
    expect(['accepting_commits', 'all_logs_recruited', 'storage_recovered', 'fully_recovered'].map(at)).to.deep.equal([
      'wait',
      'wait',
      'done',
      'done',
    ]);
  });
  it('drops nothing while the database is in neither of the two', () => {
    const { client, cluster } = new TwoRegions().status();
    expect(planRegionChange({ client, cluster: { ...cluster, active_primary_dc: 'north' } }, accepting('drop', EAST))).to.have.property(
      'kind',
      'wait',
    );
  });
  it('is not for three_datacenter', () => {
    const { client, cluster } = new TwoRegions().status();
    const configuration = { ...cluster?.configuration, regions: undefined };
    const found = planRegionChange({ client, cluster: { ...cluster, configuration } }, change('add', EAST));
    expect('why' in found ? found.why : '').to.match(/not configured in regions/);
  });
});
