import { LEADER, PRIMARY, PROMOTED, STANDBYS, type Fault, type Where } from './fault.ts';
import type { Random } from './random.ts';
import type { Program } from './simulated-process.ts';

type Kind = Fault['kind'];
type Details<K extends Kind = Kind> = K extends Kind ? Omit<Extract<Fault, { kind: K }>, 'atMs' | 'forMs'> : never;

/** Faults begin between these; what was there before is a healthy system. */
const FIRST_BEGIN_MS = 800;
const LAST_BEGIN_MS = 4000;
const PROGRAMS: readonly Program[] = ['database', 'controller'];
const DIRECTIONS = ['both', 'in', 'out'] as const;
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

/** The faults of a seed, in the order of their beginnings: anything, and often what the engine is for with what makes it hard. */
export function planFaults(random: Random, regions: readonly string[]): readonly Fault[] {
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
  const onStep = random.pick(['ACQUIRE', 'FENCE_AND_SEAL', 'PROMOTE', 'VERIFY_DB', 'ROUTE', 'VERIFY_E2E', 'STABILISE'] as const);
  return { ...details, atMs: 0, forMs: lasting(random), onStep, afterStepMs: random.between(0, random.pick([5, 40])) } as Fault;
}

/** A standby leaves the set or comes back into it while the arbiter does not answer the primary and the other standby is cut off; then the primary goes, and that standby with it. */
function changingSet(random: Random, atMs: number): readonly Fault[] {
  const [back, behind] = (random.chance(0.5) ? STANDBYS : STANDBYS.toReversed()) as readonly [Where, Where];
  const awayMs = random.between(700, 1300);
  const backAtMs = atMs + awayMs;
  const endAtMs = backAtMs + random.between(150, 900);
  const direction = random.pick(DIRECTIONS);
  return [
    { kind: 'stop', region: back, program: 'database', atMs, forMs: awayMs },
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction, atMs: atMs + random.between(400, awayMs + 200), forMs: 1800 },
    {
      kind: 'cut',
      from: PRIMARY,
      to: behind,
      direction: 'both',
      only: 'database',
      atMs: backAtMs + random.between(-200, 200),
      forMs: 3000,
    },
    { kind: 'crash', region: PRIMARY, program: 'database', atMs: endAtMs, forMs: 3000 },
    { kind: 'crash', region: back, program: 'database', atMs: endAtMs, forMs: 2600 },
  ];
}

/** The leader loses the name, then the arbiter while it still wants to write the name; others go on, to a further epoch. When it reaches the name again it still believes to lead. */
function staleLeader(random: Random, atMs: number): readonly Fault[] {
  return [
    { kind: 'region-down', region: PRIMARY, atMs, forMs: 3000 },
    { kind: 'no-name', region: LEADER, atMs, onStep: 'PROMOTE', afterStepMs: 0, forMs: random.between(4500, 6500) },
    {
      kind: 'no-arbiter',
      region: LEADER,
      program: 'controller',
      direction: 'both',
      atMs,
      onStep: 'ROUTE',
      afterStepMs: random.between(15, 40),
      forMs: 6500,
    },
    { kind: 'crash', region: PRIMARY, program: 'database', atMs: atMs + random.between(3500, 5000), forMs: 60 },
  ];
}

/**
 * The arbiter is away for long, for everybody or for the primary alone, which goes on under direct leases. Nothing else happens, or what tempts somebody else to serve as well:
 * a standby that is cut off, restarted or stopped, a primary that nobody sees or that is cut off as the arbiter comes back.
 */
function arbiterAway(random: Random, atMs: number): readonly Fault[] {
  const forMs = random.between(2500, 6000);
  const laterMs = atMs + random.between(1200, 2400);
  const [standby, other] = (random.chance(0.5) ? STANDBYS : STANDBYS.toReversed()) as readonly [Where, Where];
  const away = random.pick<Details>([
    { kind: 'arbiter-members-down', regions: [PRIMARY, ...STANDBYS] },
    { kind: 'arbiter-members-down', regions: [PRIMARY, standby] },
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: 'both' },
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: random.pick(DIRECTIONS) },
  ]);
  const faults: Fault[] = [{ ...away, atMs, forMs } as Fault];
  if (random.chance(0.2)) return faults;
  const cutOff: Details = { kind: 'cut', from: PRIMARY, to: standby, direction: random.pick(['both', 'one-way']), only: 'database' };
  if (random.chance(0.4)) faults.push({ ...cutOff, atMs: laterMs - random.between(0, 1500), forMs: random.between(500, 5000) } as Fault);
  const unseen: Details = { kind: 'unseen', region: PRIMARY, direction: 'both' };
  const apart: Details = { kind: 'isolate', region: PRIMARY, direction: random.pick(DIRECTIONS) };
  const more = random.chance(0.6) ? unseen : apart;
  const beginsMs = random.chance(0.5) ? laterMs : atMs + forMs - random.between(-300, 900);
  faults.push({ ...more, atMs: beginsMs, forMs: random.between(1500, 5000) } as Fault);
  if (random.chance(0.5)) {
    const region = random.pick([standby, other, PROMOTED]);
    const onStep = random.pick(['ACQUIRE', 'FENCE_AND_SEAL', 'PROMOTE'] as const);
    const forShortMs = random.between(10, 200);
    faults.push({ kind: 'crash', region, program: 'database', atMs, onStep, afterStepMs: random.between(0, 30), forMs: forShortMs });
  }
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** A standby is away, then the primary goes: the last copy takes over and waits for a second one, which comes back. */
function lastCopy(random: Random, atMs: number): readonly Fault[] {
  const primaryAtMs = atMs + random.between(1200, 2500);
  const backAtMs = primaryAtMs + random.between(3000, 7000);
  const goneMs = random.chance(0.5) ? backAtMs - primaryAtMs : random.between(5000, 9000);
  return [
    { kind: 'crash', region: random.pick(STANDBYS), program: 'database', atMs, forMs: backAtMs - atMs + random.between(0, 2000) },
    { kind: 'crash', region: PRIMARY, program: 'database', atMs: primaryAtMs, forMs: goneMs },
  ];
}

/** One standby hears nothing of the primary, the other one does; no controller reaches either of these two, and an operator forces a failover to the first, accepting any loss. */
function oneStandbyOut(random: Random, atMs: number): readonly Fault[] {
  const [out, other] = (random.chance(0.5) ? STANDBYS : STANDBYS.toReversed()) as readonly [Where, Where];
  const awayAtMs = atMs + random.between(0, 1800);
  const unseenAtMs = awayAtMs + random.between(1200, 2200);
  const forMs = random.between(2500, 4000);
  const faults: readonly Fault[] = [
    { kind: 'cut', from: PRIMARY, to: out, direction: 'both', only: 'database', atMs, forMs: awayAtMs - atMs + 5000 },
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: 'both', atMs: awayAtMs, forMs: 5000 },
    { kind: 'unseen', region: PRIMARY, direction: 'both', atMs: unseenAtMs, forMs },
    { kind: 'unseen', region: other, direction: 'both', atMs: unseenAtMs, forMs },
    { kind: 'order', order: 'forced', target: out, atMs: unseenAtMs + random.between(100, 1200), forMs: 10 },
  ];
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** A link that flaps: cut, there for a moment, cut again. */
function flicker(random: Random, fromMs: number): readonly Fault[] {
  const faults: Fault[] = [];
  let atMs = fromMs;
  for (let i = random.whole(2, 4); i > 0; i--) {
    const forMs = random.between(300, 1400);
    faults.push({ kind: 'isolate', region: PRIMARY, direction: random.pick(DIRECTIONS), atMs, forMs });
    atMs += forMs + random.between(5, 150);
  }
  return faults;
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

function chooseKind(random: Random, regions: readonly string[]): Details {
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
