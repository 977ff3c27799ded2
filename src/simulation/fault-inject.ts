import { resolve, type Fault } from './fault.ts';
import type { Impairment } from './network.ts';
import { giveOrder, operate } from './operator.ts';
import type { World } from './world.ts';

/** Lets a fault begin in the world; gives what ends it. */
export function inject(planned: Fault, world: World): () => void {
  const fault = resolve(planned, (where) => world.regionOf(where));
  switch (fault.kind) {
    case 'crash':
      world.hosts.kill(fault.region, fault.program);
      return () => world.hosts.start(fault.region, fault.program);
    case 'terminate':
      world.hosts.terminate(fault.region, 'controller');
      return () => world.hosts.start(fault.region, 'controller');
    case 'stop':
      return stop(fault, world);
    case 'region-down':
      return regionDown(fault.region, world);
    case 'isolate':
      return impair(world, isolation(fault));
    case 'cut':
      return impair(world, cuts(fault));
    case 'unseen': {
      const there = { to: fault.region, fromProgram: 'controller', toProgram: 'database', cut: true } as const;
      const back = { from: fault.region, fromProgram: 'database', toProgram: 'controller', cut: true } as const;
      return impair(world, fault.direction === 'both' ? [there, back] : fault.direction === 'in' ? [there] : [back]);
    }
    case 'no-arbiter': {
      const { region, program, direction } = fault;
      const there = { from: region, fromProgram: program, toProgram: 'arbiter', cut: true } as const;
      const back = { to: region, fromProgram: 'arbiter', toProgram: program, cut: true } as const;
      return impair(world, direction === 'both' ? [there, back] : direction === 'out' ? [there] : [back]);
    }
    case 'slow-link': {
      const { from, to, delayMs, lossProbability, duplicateProbability } = fault;
      return impair(world, [{ ...(from === null ? {} : { from }), to, delayMs, lossProbability, duplicateProbability }]);
    }
    case 'arbiter-members-down':
      return membersDown(fault.regions, world);
    case 'arbiter-answers-lost':
      world.etcd.lostAnswers = fault.probability;
      return () => (world.etcd.lostAnswers = 0);
    case 'disk-slow':
      world.hosts.disk(fault.region).slowMs = fault.byMs;
      return () => (world.hosts.disk(fault.region).slowMs = 0);
    case 'disk-broken':
      world.hosts.disk(fault.region).broken = true;
      return () => (world.hosts.disk(fault.region).broken = false);
    case 'disk-emptied':
      world.hosts.kill(fault.region, 'database');
      world.hosts.disk(fault.region).empty();
      return () => world.hosts.start(fault.region, 'database');
    case 'clock-rate':
      world.hosts.clock(fault.region, fault.program).runAt(fault.rate);
      return () => world.hosts.clock(fault.region, fault.program).runAt(1);
    case 'clock-jump':
      world.hosts.clock(fault.region, fault.program).jump(fault.byMs);
      return () => undefined;
    case 'no-name':
      return impair(world, [{ from: fault.region, toProgram: 'dns', cut: true }]);
    case 'dns':
      world.dns.fault = fault.how;
      return () => (world.dns.fault = 'none');
    case 'requests': {
      const mishap = { region: fault.region, path: fault.path, how: fault.how };
      world.http.mishaps.add(mishap);
      return () => world.http.mishaps.delete(mishap);
    }
    case 'order':
      giveOrder(world, fault);
      return () => undefined;
    case 'pause':
      operate(world, '/v1/pause', { why: 'simulated' });
      return () => operate(world, '/v1/resume', {});
    default:
      throw new RangeError(`fault ${JSON.stringify(fault satisfies never)}`);
  }
}

function stop({ region, program }: Extract<Fault, { kind: 'stop' }>, world: World): () => void {
  const stopped = world.hosts.process(region, program);
  stopped.stop();
  return () => stopped.resume();
}

/** Power and network of a whole region. */
function regionDown(region: string, world: World): () => void {
  const mend = impair(world, isolation({ region, direction: 'both' }));
  const up = membersDown([region], world);
  for (const program of ['database', 'controller'] as const) world.hosts.kill(region, program);
  return () => {
    mend();
    up();
    for (const program of ['database', 'controller'] as const) world.hosts.start(region, program);
  };
}

function membersDown(regions: readonly string[], world: World): () => void {
  const members = world.etcd.members.filter(({ place, up }) => up && regions.includes(place.region));
  for (const member of members) member.up = false;
  return () => {
    for (const member of members) member.up = true;
  };
}

function isolation({ region, direction }: { readonly region: string; readonly direction: 'both' | 'in' | 'out' }): readonly Impairment[] {
  return [
    ...(direction === 'in' ? [] : [{ from: region, outside: true, cut: true }]),
    ...(direction === 'out' ? [] : [{ to: region, outside: true, cut: true }]),
  ];
}

function cuts({ from, to, direction, only }: Extract<Fault, { kind: 'cut' }>): readonly Impairment[] {
  const [fromProgram, toProgram] = only === 'probes' ? (['controller', 'database'] as const) : [only, only];
  const there = { from, to, cut: true, ...(fromProgram === null ? {} : { fromProgram }), ...(toProgram === null ? {} : { toProgram }) };
  return direction === 'both' ? [there, { ...there, from: to, to: from }] : [there];
}

function impair(world: World, impairments: readonly Impairment[]): () => void {
  for (const impairment of impairments) world.network.impair(impairment);
  return () => {
    for (const impairment of impairments) world.network.mend(impairment);
  };
}
