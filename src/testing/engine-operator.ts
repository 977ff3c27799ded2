import { openRfc2136 } from '../dns/rfc2136.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { systemClock } from '../platform/clock.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import type { EngineCluster } from './engine-cluster.ts';
import { REGIONS, type Program, type Region } from './test-config.ts';

/** What tests ask of a cluster, in their words, and every write that was acknowledged to them. */
export class Operator {
  readonly cluster: EngineCluster;
  readonly acknowledged = new Map<string, string>();
  constructor(cluster: EngineCluster) {
    this.cluster = cluster;
  }
  async database(region: Region): Promise<DatabaseStatus | null> {
    return ((await this.cluster.ask('database', region, '/v1/status'))?.json as DatabaseStatus | undefined) ?? null;
  }
  async controller(region: Region): Promise<ControllerStatus | null> {
    return ((await this.cluster.ask('controller', region, '/v1/status'))?.json as ControllerStatus | undefined) ?? null;
  }
  /** The leader's view, else that of who knows the highest epoch. */
  async view(): Promise<ControllerStatus | null> {
    const views = await Promise.all(REGIONS.map((region) => this.controller(region)));
    const sorted = views.filter((view) => view !== null).toSorted((a, b) => b.epoch - a.epoch);
    return sorted.find(({ leads }) => leads) ?? sorted[0] ?? null;
  }
  /** With a leader that is known: right after the start not everybody has heard of it. */
  async untilNormal(): Promise<ControllerStatus> {
    return this.untilView('in sync', (view) => view.state === 'Normal' && view.leader !== null && view.leader !== view.primary);
  }
  /** Until the leader says that it waits for an operator because of that. */
  async untilAwaiting(blocker: string): Promise<ControllerStatus> {
    return this.untilView(`awaiting approval: ${blocker}`, (view) => view.awaiting?.blocker === blocker);
  }
  /** What is seen once may be the view of one who does not lead: on a busy machine the leader's answer is late. */
  async untilView(what: string, holds: (view: ControllerStatus) => boolean): Promise<ControllerStatus> {
    const view = await this.cluster.until(
      what,
      () => this.view(),
      (seen) => seen !== null && holds(seen),
    );
    return view as ControllerStatus;
  }
  async untilPrimary(region: Region): Promise<DatabaseStatus> {
    const status = await this.cluster.until(
      `writable in ${region}`,
      () => this.database(region),
      (seen) => seen?.writable === true,
    );
    return status as DatabaseStatus;
  }
  /** Whichever other region became primary: the one with the longest log, and which standby that is nobody decides beforehand. */
  async untilMoved(from: Region): Promise<Region> {
    const find = async (): Promise<Region | undefined> => {
      const others = REGIONS.filter((region) => region !== from);
      const seen = await Promise.all(others.map((region) => this.database(region)));
      return others.find((_, n) => seen[n]?.writable === true);
    };
    return (await this.cluster.until(`writable elsewhere than in ${from}`, find, (region) => region !== undefined)) as Region;
  }
  async write(region: Region, key: string): Promise<number> {
    const status = (await this.cluster.ask('api', region, `/v1/kv/${key}`, `${key} in ${region}`))?.status ?? 0;
    if (status === 200) this.acknowledged.set(key, `${key} in ${region}`);
    return status;
  }
  async writeMany(region: Region, prefix: string): Promise<void> {
    await Promise.all(Array.from({ length: 50 }, (_, i) => this.write(region, `${prefix}-${i}`)));
  }
  /** One write after the other to each of these regions until the signal aborts. */
  async writeOn(regions: readonly Region[], prefix: string, signal: AbortSignal): Promise<void> {
    const one = async (region: Region): Promise<void> => {
      for (let i = 0; !signal.aborted; i++) if ((await this.write(region, `${prefix}-${region}-${i}`)) !== 200) await systemClock.sleep(5);
    };
    await Promise.all(regions.map(one));
  }
  /** Asked again: a standby learns a moment later than the primary what is committed, and on a busy machine an answer may not come in time. */
  async expectNothingLost(region: Region): Promise<void> {
    await this.cluster.until(
      `whole: lost in ${region}`,
      () => this.#lost(region),
      (lost) => lost.length === 0,
    );
  }
  /** What was acknowledged and is not in the region's committed copy. */
  async #lost(region: Region): Promise<readonly (readonly [string, string])[]> {
    const text = (await this.cluster.ask('database', region, '/v1/export'))?.text ?? '';
    const rows = text
      .split('\n')
      .filter(Boolean)
      .slice(1)
      .map((line) => JSON.parse(line) as { key: string; value: string });
    const found = new Map(rows.map(({ key, value }) => [key, value]));
    return [...this.acknowledged].filter(([key, value]) => found.get(key) !== value);
  }
  /** Until every standby has all that its primary has: only then is it known beforehand who follows it, the first of those with the longest log. */
  async untilHeldByAll(primary: Region): Promise<void> {
    await this.cluster.until(
      `held by all standbys of ${primary}`,
      () => this.database(primary),
      (status) => status !== null && Object.values(status.standbys).every(({ inSync, lagEntries }) => inSync && lagEntries === 0),
    );
  }
  async route(): Promise<unknown> {
    const { server, port, zone, key } = this.cluster.knot;
    const provider = openRfc2136({
      server,
      port,
      zone,
      name: 'api.coditect.test.',
      ttlSeconds: 1,
      key,
      timeoutMs: 10_000,
      clock: systemClock,
    });
    const route = await provider.read();
    return route && { ...route, addresses: [...route.addresses].toSorted() };
  }
  /** The actions that programs logged since the mark, in order. */
  said(since: number, program: Program = 'controller'): readonly string[] {
    return this.cluster.logs.slice(since).flatMap((line) => (line.program === program ? [line.action] : []));
  }
  async untilSaid(since: number, action: string): Promise<Region> {
    const find = () =>
      Promise.resolve(this.cluster.logs.slice(since).find((line) => line.program === 'controller' && line.action === action));
    return ((await this.cluster.until(action, find, (line) => line !== undefined)) as { region: Region }).region;
  }
  get mark(): number {
    return this.cluster.logs.length;
  }
}
