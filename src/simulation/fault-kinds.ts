import { PRIMARY, type Fault, type Where } from './fault.ts';
import type { Random } from './random.ts';
import type { Program } from './simulated-process.ts';

type Kind = Fault['kind'];

export type Details<K extends Kind = Kind> = K extends Kind ? Omit<Extract<Fault, { kind: K }>, 'atMs' | 'forMs'> : never;

const PROGRAMS: readonly Program[] = ['database', 'controller'];

export const DIRECTIONS = ['both', 'in', 'out'] as const;

/** By how much a clock may run wrong: less than half of what the policies leave between holder and successor. */
const MAX_DRIFT = 0.04;

/** How often each kind is chosen, and with what. */
const KINDS: readonly { readonly weight: number; readonly make: (random: Random, regions: readonly string[]) => Details }[] = [
  { weight: 10, make: (r, regions) => ({ kind: 'crash', region: somewhere(r, regions), program: r.pick(PROGRAMS) }) },
  { weight: 10, make: (r, regions) => ({ kind: 'stop', region: somewhere(r, regions), program: r.pick(PROGRAMS) }) },
  { weight: 7, make: (r, regions) => ({ kind: 'region-down', region: somewhere(r, regions) }) },
  { weight: 9, make: (r, regions) => ({ kind: 'isolate', region: somewhere(r, regions), direction: r.pick(DIRECTIONS) }) },
  { weight: 10, make: cut },
  {
    weight: 6,
    make: (r, regions) => ({ kind: 'no-arbiter', region: somewhere(r, regions), program: r.pick(PROGRAMS), direction: r.pick(DIRECTIONS) }),
  },
  { weight: 6, make: slowLink },
  { weight: 4, make: (r, regions) => ({ kind: 'arbiter-members-down', regions: some(r, regions) }) },
  { weight: 4, make: (r) => ({ kind: 'arbiter-answers-lost', probability: r.between(0.1, 0.9) }) },
  { weight: 5, make: (r, regions) => ({ kind: 'disk-slow', region: somewhere(r, regions), byMs: r.between(20, 900) }) },
  { weight: 4, make: (r, regions) => ({ kind: 'disk-broken', region: somewhere(r, regions) }) },
  { weight: 4, make: (r, regions) => ({ kind: 'clock-rate', region: r.pick(regions), program: r.pick(PROGRAMS), rate: drift(r) }) },
  {
    weight: 2,
    make: (r, regions) => ({ kind: 'clock-jump', region: r.pick(regions), program: r.pick(PROGRAMS), byMs: r.between(-36e5, 36e5) }),
  },
  { weight: 2, make: (r, regions) => ({ kind: 'no-name', region: somewhere(r, regions) }) },
  { weight: 3, make: (r) => ({ kind: 'dns', how: r.pick(['down', 'errs']) }) },
  {
    weight: 6,
    make: (r, regions) => ({
      kind: 'requests',
      region: somewhere(r, regions),
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
  { weight: 2, make: () => ({ kind: 'pause' }) },
];

/** Any of them. */
export function chooseKind(random: Random, regions: readonly string[]): Details {
  const total = KINDS.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.unit() * total;
  for (const { weight, make } of KINDS) {
    at -= weight;
    if (at < 0) return make(random, regions);
  }
  return { kind: 'dns', how: 'down' };
}

function somewhere(random: Random, regions: readonly string[]): Where {
  return random.chance(0.35) ? PRIMARY : random.pick(regions);
}

function cut(random: Random, regions: readonly string[]): Details<'cut'> {
  const from = random.pick(regions);
  const to = random.pick(regions.filter((region) => region !== from));
  const only = random.pick([null, null, 'database', 'controller', 'probes'] as const);
  return { kind: 'cut', from, to, direction: random.pick(['both', 'one-way']), only };
}

function slowLink(random: Random, regions: readonly string[]): Details<'slow-link'> {
  return {
    kind: 'slow-link',
    from: random.chance(0.5) ? null : random.pick(regions),
    to: somewhere(random, regions),
    delayMs: random.pick([20, 100, 300, 800]),
    lossProbability: random.pick([0, 0.05, 0.3]),
    duplicateProbability: random.pick([0, 0.1, 0.5]),
  };
}

function drift(random: Random): number {
  return 1 + (random.chance(0.5) ? random.pick([-MAX_DRIFT, MAX_DRIFT]) : random.between(-MAX_DRIFT, MAX_DRIFT));
}

function some(random: Random, regions: readonly string[]): readonly string[] {
  const chosen = regions.filter(() => random.chance(0.5));
  return chosen.length === 0 ? [random.pick(regions)] : chosen;
}
