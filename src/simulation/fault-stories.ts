import { type Details, DIRECTIONS } from './fault-kinds.ts';
import { PRIMARY, PROMOTED, LEADER, STANDBYS, STEPS_UNDER_WAY, type Fault, type Where } from './fault.ts';
import type { Random } from './random.ts';

/** A standby leaves the set or comes back into it while the arbiter does not answer the primary and the other standby is cut off; then the primary goes, and that standby with it. */
export function changingSet(random: Random, atMs: number): readonly Fault[] {
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
export function staleLeader(random: Random, atMs: number): readonly Fault[] {
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
export function arbiterAway(random: Random, atMs: number): readonly Fault[] {
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
export function lastCopy(random: Random, atMs: number): readonly Fault[] {
  const primaryAtMs = atMs + random.between(1200, 2500);
  const backAtMs = primaryAtMs + random.between(3000, 7000);
  const goneMs = random.chance(0.5) ? backAtMs - primaryAtMs : random.between(5000, 9000);
  return [
    { kind: 'crash', region: random.pick(STANDBYS), program: 'database', atMs, forMs: backAtMs - atMs + random.between(0, 2000) },
    { kind: 'crash', region: PRIMARY, program: 'database', atMs: primaryAtMs, forMs: goneMs },
  ];
}

/** One standby hears nothing of the primary, the other one does; no controller reaches either of these two, and an operator forces a failover to the first, accepting any loss. */
export function oneStandbyOut(random: Random, atMs: number): readonly Fault[] {
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

/**
 * For worlds in which leases last differently: the primary, which may believe in its lease for longer than the others would, is heard of no more. Before that it went on under direct
 * leases, and standbys that had promised are restarted; or controllers are restarted in the middle of the failover, and know of its lease what the pending one tells.
 */
export function longLease(random: Random, atMs: number): readonly Fault[] {
  const apart = { kind: 'isolate', region: PRIMARY, direction: 'both', forMs: random.between(3000, 5000) } as const;
  const restarted = random.pick([[...STANDBYS], [STANDBYS[0]], [STANDBYS[1]]]);
  if (random.chance(0.5)) {
    const onStep = random.pick(['ACQUIRE', 'FENCE_AND_SEAL'] as const);
    const crash = { kind: 'crash', program: 'controller', atMs, onStep, afterStepMs: random.between(0, 60) } as const;
    return [{ ...apart, atMs }, ...STANDBYS.map((region) => ({ ...crash, region, forMs: random.between(5, 60) }))];
  }
  const apartAtMs = atMs + random.between(2000, 3200);
  const faults: Fault[] = [
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: 'both', atMs, forMs: 8000 },
    { ...apart, atMs: apartAtMs },
  ];
  const crashAtMs = apartAtMs + random.between(0, 500);
  if (random.chance(0.7))
    for (const region of restarted)
      faults.push({ kind: 'crash', region, program: 'database', atMs: crashAtMs, forMs: random.between(5, 60) });
  return faults;
}

/** A link that flaps: cut, there for a moment, cut again. */
export function flicker(random: Random, fromMs: number): readonly Fault[] {
  const faults: Fault[] = [];
  let atMs = fromMs;
  for (let i = random.whole(2, 4); i > 0; i--) {
    const forMs = random.between(300, 1400);
    faults.push({ kind: 'isolate', region: PRIMARY, direction: random.pick(DIRECTIONS), atMs, forMs });
    atMs += forMs + random.between(5, 150);
  }
  return faults;
}

/**
 * A region's disk is emptied, at any moment or in some step of a run, and of all others none: whatever was acknowledged is on another one still. The primary may go while that region gets a copy again, or was away before.
 */
export function emptiedDisk(random: Random): readonly Fault[] {
  const atMs = random.between(800, 4000);
  const region = random.pick([PRIMARY, PRIMARY, PROMOTED, ...STANDBYS, ...STANDBYS]);
  const forMs = random.chance(0.5) ? random.between(20, 300) : random.between(300, 2600);
  const onStep = random.pick(STEPS_UNDER_WAY);
  const emptied: Fault = random.chance(0.7)
    ? { kind: 'disk-emptied', region, atMs, forMs }
    : { kind: 'disk-emptied', region, atMs: 0, forMs, onStep, afterStepMs: random.between(0, random.pick([5, 40])) };
  if (random.chance(0.3)) return emptiedAfterItsSeal(random, atMs);
  if (random.chance(0.4)) return [emptied];
  const trouble = random.pick<Details>([
    { kind: 'crash', region: PRIMARY, program: 'database' },
    { kind: 'region-down', region: PRIMARY },
    { kind: 'isolate', region: PRIMARY, direction: random.pick(DIRECTIONS) },
    { kind: 'crash', region: random.pick(STANDBYS), program: 'database' },
  ]);
  const troubleAtMs = atMs + (random.chance(0.5) ? forMs + random.between(-100, 500) : random.between(-900, 600));
  return [emptied, { ...trouble, atMs: Math.max(0, troubleAtMs), forMs: random.between(300, 3000) } as Fault];
}

/** The primary goes on, unseen, while a run seals its standbys; one of them forgets its seal, and all that it had acknowledged, and hears of the primary before it hears of the run. */
function emptiedAfterItsSeal(random: Random, atMs: number): readonly Fault[] {
  const unseenAtMs = atMs + random.between(1200, 2000);
  const [region, onStep] = [random.pick(STANDBYS), 'FENCE_AND_SEAL'] as const;
  return [
    { kind: 'no-arbiter', region: PRIMARY, program: 'database', direction: 'both', atMs, forMs: 5000 },
    { kind: 'unseen', region: PRIMARY, direction: 'both', atMs: unseenAtMs, forMs: 3200 },
    { kind: 'disk-emptied', region, atMs, onStep, afterStepMs: random.between(5, 60), forMs: random.between(20, 200) },
  ];
}

/** Controllers are rolled out, in whichever step of a run: the leader, and maybe another one with it or after it. */
export function rollout(random: Random): readonly Fault[] {
  const forMs = random.between(400, 2500);
  const atMs = random.between(800, 4000);
  const faults: Fault[] = [{ kind: 'terminate', region: LEADER, atMs, forMs }];
  if (random.chance(0.5)) {
    const onStep = random.pick(STEPS_UNDER_WAY);
    faults[0] = { kind: 'terminate', region: LEADER, atMs: 0, forMs, onStep, afterStepMs: random.between(0, random.pick([5, 40])) };
  }
  const another: Details = random.pick<Details>([
    { kind: 'terminate', region: random.pick([PRIMARY, PRIMARY, ...STANDBYS]) },
    { kind: 'crash', region: random.pick(STANDBYS), program: 'controller' },
  ]);
  if (random.chance(0.6)) faults.push({ ...another, atMs: atMs - random.between(-400, 400), forMs: random.between(400, 2500) } as Fault);
  return faults;
}
