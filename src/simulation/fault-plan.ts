import { chooseKind, DIRECTIONS, type Details } from './fault-kinds.ts';
import {
  arbiterAway,
  changingSet,
  emptiedDisk,
  flicker,
  lastCopy,
  longLease,
  oneStandbyOut,
  rollout,
  staleLeader,
} from './fault-stories.ts';
import { LEADER, PRIMARY, PROMOTED, STANDBYS, STEPS_UNDER_WAY, type Fault } from './fault.ts';
import { chooseLeasesDiffer } from './policies.ts';
import { Random } from './random.ts';
import { REGIONS } from './simulated-config.ts';

/** Faults begin between these; what was there before is a healthy system. */
const FIRST_BEGIN_MS = 800;

const LAST_BEGIN_MS = 4000;

/** The faults that a seed stands for. */
export function faultsOf(seed: number): readonly Fault[] {
  const leases = new Random(seed, 'faults of leases');
  if (chooseLeasesDiffer(seed) && leases.chance(0.4)) return longLease(leases, leases.between(FIRST_BEGIN_MS, 1600));
  const rollouts = new Random(seed, 'rollouts');
  const losses = new Random(seed, 'losses');
  const planned = planFaults(new Random(seed, 'faults'), REGIONS).map((fault): Fault => {
    const typed = fault.kind === 'order' && fault.order === 'forced' && losses.chance(0.5);
    return typed ? { ...fault, acceptSeconds: losses.pick([0, 0.3, 1, 3]) } : fault;
  });
  const emptied = new Random(seed, 'emptied disks');
  return [...planned, ...(rollouts.chance(0.15) ? rollout(rollouts) : []), ...(emptied.chance(0.1) ? emptiedDisk(emptied) : [])];
}

/** The faults of a seed, in the order of their beginnings: anything, and often what the engine is for with what makes it hard. */
function planFaults(random: Random, regions: readonly string[]): readonly Fault[] {
  if (random.chance(0.1)) return arbiterAway(random, random.between(FIRST_BEGIN_MS, 1600));
  if (random.chance(0.03)) return lastCopy(random, random.between(FIRST_BEGIN_MS, 1600));
  if (random.chance(0.03)) return oneStandbyOut(random, random.between(FIRST_BEGIN_MS, 1600));
  const faults: Fault[] = [];
  const troubleAtMs = random.between(FIRST_BEGIN_MS, 1600);
  if (random.chance(0.65)) faults.push({ ...troubleForPrimary(random), atMs: troubleAtMs, forMs: lasting(random) } as Fault);
  // Just before it, a standby falls behind, the arbiter is in trouble or somebody paused.
  if (random.chance(0.25))
    faults.push({ ...lag(random), atMs: troubleAtMs - random.between(0, 900), forMs: random.between(300, 2500) } as Fault);
  if (random.chance(0.06)) faults.push({ kind: 'pause', atMs: troubleAtMs - 700, forMs: random.between(1500, 4000) });
  if (random.chance(0.08)) faults.push(...flicker(random, troubleAtMs));
  // The next primary is not spared.
  if (random.chance(0.25))
    faults.push({ ...troubleForPrimary(random), atMs: troubleAtMs + random.between(1500, 3500), forMs: lasting(random) } as Fault);
  if (random.chance(0.3)) faults.push(atStep(random));
  if (random.chance(0.06)) faults.push(...changingSet(random, troubleAtMs));
  if (random.chance(0.06)) faults.push(...staleLeader(random, troubleAtMs));
  const more = random.whole(0, 3);
  for (let i = 0; i < more; i++)
    faults.push({ ...chooseKind(random, regions), atMs: random.between(FIRST_BEGIN_MS, LAST_BEGIN_MS), forMs: lasting(random) } as Fault);
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** In the middle of a run, whoever matters to it fails. */
function atStep(random: Random): Fault {
  const details = random.pick<Details>([
    { kind: 'crash', region: LEADER, program: 'controller' },
    { kind: 'stop', region: LEADER, program: 'controller' },
    { kind: 'no-arbiter', region: LEADER, program: 'controller', direction: random.pick(DIRECTIONS) },
    { kind: 'crash', region: PROMOTED, program: 'database' },
    { kind: 'crash', region: random.pick(STANDBYS), program: 'database' },
    { kind: 'stop', region: PROMOTED, program: 'database' },
    { kind: 'isolate', region: PROMOTED, direction: random.pick(DIRECTIONS) },
    { kind: 'region-down', region: random.pick([LEADER, PROMOTED]) },
    { kind: 'arbiter-answers-lost', probability: random.between(0.3, 1) },
    { kind: 'dns', how: random.pick(['down', 'errs']) },
  ]);
  const onStep = random.pick(STEPS_UNDER_WAY.slice(1));
  return { ...details, atMs: 0, forMs: lasting(random), onStep, afterStepMs: random.between(0, random.pick([5, 40])) } as Fault;
}

/** Many short ones, some long. */
function lasting(random: Random): number {
  const share = random.unit();
  return share < 0.4 ? random.between(50, 800) : share < 0.9 ? random.between(800, 2600) : random.between(2600, 5000);
}

function troubleForPrimary(random: Random): Details {
  const region = PRIMARY;
  return random.pick<Details>([
    { kind: 'crash', region, program: 'database' },
    { kind: 'crash', region, program: 'database' },
    { kind: 'stop', region, program: 'database' },
    { kind: 'region-down', region },
    { kind: 'isolate', region, direction: 'both' },
    { kind: 'isolate', region, direction: 'out' },
    { kind: 'isolate', region, direction: 'in' },
    { kind: 'no-arbiter', region, program: 'database', direction: random.pick(DIRECTIONS) },
    { kind: 'disk-slow', region, byMs: 900 },
    { kind: 'unseen', region, direction: random.pick(DIRECTIONS) },
    { kind: 'unseen', region, direction: 'both' },
    { kind: 'disk-broken', region },
  ]);
}

function lag(random: Random): Details {
  const region = random.pick(STANDBYS);
  return random.pick<Details>([
    { kind: 'disk-slow', region, byMs: random.between(100, 900) },
    { kind: 'disk-slow', region: PRIMARY, byMs: random.between(100, 900) },
    { kind: 'cut', from: PRIMARY, to: region, direction: 'both', only: 'database' },
    { kind: 'slow-link', from: PRIMARY, to: region, delayMs: random.pick([100, 300, 800]), lossProbability: 0, duplicateProbability: 0 },
    { kind: 'stop', region, program: 'database' },
    { kind: 'arbiter-answers-lost', probability: random.between(0.5, 1) },
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: 'in' },
    { kind: 'no-arbiter', region, program: 'controller', direction: random.pick(DIRECTIONS) },
  ]);
}
