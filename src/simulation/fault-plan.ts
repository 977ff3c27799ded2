import type { Fault } from './fault.ts';
import type { Random } from './random.ts';
import type { Program } from './simulated-process.ts';

type Kind = Fault['kind'];
type Details<K extends Kind = Kind> = K extends Kind ? Omit<Extract<Fault, { kind: K }>, 'atMs' | 'forMs'> : never;

/** Faults begin between these; what was there before is a healthy system. */
export const FIRST_FAULT_MS = 1000;
const LAST_BEGIN_MS = 5000;
const PROGRAMS: readonly Program[] = ['database', 'controller'];
/** By how much a clock may run wrong: less than half of what the policies leave between holder and successor. */
const MAX_DRIFT = 0.04;

/** How often each kind is chosen, and with what. */
const KINDS: readonly { readonly weight: number; readonly make: (random: Random, regions: readonly string[]) => Details }[] = [
  { weight: 10, make: (r, regions) => ({ kind: 'crash', region: r.pick(regions), program: r.pick(PROGRAMS) }) },
  { weight: 10, make: (r, regions) => ({ kind: 'stop', region: r.pick(regions), program: r.pick(PROGRAMS) }) },
  { weight: 7, make: (r, regions) => ({ kind: 'region-down', region: r.pick(regions) }) },
  { weight: 9, make: (r, regions) => ({ kind: 'isolate', region: r.pick(regions), direction: r.pick(['both', 'in', 'out']) }) },
  { weight: 9, make: cut },
  { weight: 6, make: slowLink },
  { weight: 4, make: (r, regions) => ({ kind: 'arbiter-members-down', regions: some(r, regions) }) },
  { weight: 4, make: (r) => ({ kind: 'arbiter-answers-lost', probability: r.between(0.1, 0.9) }) },
  { weight: 4, make: (r, regions) => ({ kind: 'disk-slow', region: r.pick(regions), byMs: r.between(20, 900) }) },
  { weight: 2, make: (r, regions) => ({ kind: 'disk-broken', region: r.pick(regions) }) },
  {
    weight: 3,
    make: (r, regions) => ({
      kind: 'clock-rate',
      region: r.pick(regions),
      program: r.pick(PROGRAMS),
      rate: 1 + r.between(-MAX_DRIFT, MAX_DRIFT),
    }),
  },
  {
    weight: 2,
    make: (r, regions) => ({ kind: 'clock-jump', region: r.pick(regions), program: r.pick(PROGRAMS), byMs: r.between(-3600e3, 3600e3) }),
  },
  { weight: 3, make: (r) => ({ kind: 'dns', how: r.pick(['down', 'errs']) }) },
  {
    weight: 6,
    make: (r, regions) => ({
      kind: 'requests',
      region: r.pick(regions),
      path: r.pick(['/v1/fence', '/v1/seal', '/v1/promote', '/v1/append']),
      how: r.pick(['fails', 'hangs', 'errs']),
    }),
  },
  {
    weight: 9,
    make: (r, regions) => ({
      kind: 'order',
      order: r.pick(['switchover', 'switchover', 'switchover', 'failback', 'failover', 'failover', 'forced']),
      target: r.pick(regions),
    }),
  },
  { weight: 3, make: () => ({ kind: 'pause' }) },
];

/** The faults of a seed, in the order of their beginnings. */
export function planFaults(random: Random, regions: readonly string[]): readonly Fault[] {
  const faults: Fault[] = [];
  // Most runs begin with trouble for the first primary: that is what the engine is for.
  if (random.chance(0.6)) faults.push(troubleForPrimary(random, regions[0] as string));
  const more = random.whole(faults.length === 0 ? 0 : 0, 5);
  for (let i = 0; i < more; i++) faults.push(timed(random, chooseKind(random, regions)));
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

function troubleForPrimary(random: Random, region: string): Fault {
  const details = random.pick<Details>([
    { kind: 'crash', region, program: 'database' },
    { kind: 'stop', region, program: 'database' },
    { kind: 'region-down', region },
    { kind: 'isolate', region, direction: 'both' },
    { kind: 'isolate', region, direction: 'out' },
    { kind: 'isolate', region, direction: 'in' },
    { kind: 'disk-slow', region, byMs: 900 },
  ]);
  return { ...details, atMs: random.between(FIRST_FAULT_MS, 2000), forMs: random.between(800, 4000) } as Fault;
}

function timed(random: Random, details: Details): Fault {
  // Many short ones, some long.
  const forMs = random.chance(0.5) ? random.between(50, 800) : random.between(800, 4000);
  return { ...details, atMs: random.between(FIRST_FAULT_MS, LAST_BEGIN_MS), forMs } as Fault;
}

function chooseKind(random: Random, regions: readonly string[]): Details {
  const total = KINDS.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.unit() * total;
  for (const { weight, make } of KINDS) {
    at -= weight;
    if (at < 0) return make(random, regions);
  }
  return { kind: 'dns', how: 'down' };
}

function cut(random: Random, regions: readonly string[]): Details<'cut'> {
  const from = random.pick(regions);
  const to = random.pick(regions.filter((region) => region !== from));
  return { kind: 'cut', from, to, direction: random.pick(['both', 'one-way']), only: random.pick([null, null, 'database', 'controller']) };
}

function slowLink(random: Random, regions: readonly string[]): Details<'slow-link'> {
  return {
    kind: 'slow-link',
    from: random.chance(0.5) ? null : random.pick(regions),
    to: random.pick(regions),
    delayMs: random.pick([20, 100, 300, 800]),
    lossProbability: random.pick([0, 0.05, 0.3]),
    duplicateProbability: random.pick([0, 0.1, 0.5]),
  };
}

function some(random: Random, regions: readonly string[]): readonly string[] {
  const chosen = regions.filter(() => random.chance(0.5));
  return chosen.length === 0 ? [random.pick(regions)] : chosen;
}
