import { Clients } from './clients.ts';
import type { Fault } from './fault.ts';
import { inject } from './fault-inject.ts';
import { GoesOn } from './goes-on.ts';
import { attend } from './operator.ts';
import { chooseLeasesDiffer, choosePolicy } from './policies.ts';
import { Random } from './random.ts';
import { whyNotSettled } from './settled.ts';
import { enterWorld } from './stand-ins.ts';
import { Violation } from './violation.ts';
import { REGIONS } from './simulated-config.ts';
import { World, type WorldOptions } from './world.ts';

export interface SeedPlan {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Trace of everything that the programs log. */
  readonly onLine?: WorldOptions['onLine'];
}

export interface SeedResult {
  readonly seed: number;
  readonly violation: { readonly invariant: string; readonly message: string; readonly atMs: number } | null;
  readonly virtualMs: number;
  readonly happenings: number;
  readonly failovers: number;
  readonly epochs: number;
  readonly acknowledgedWrites: number;
}

/** After the last fault is over, everything must be whole again within so long. */
const WHOLE_AGAIN_MS = 20_000;
const LOOK_MS = 100;
/** An operator who is needed comes so often. */
const OPERATOR_COMES_MS = 500;
const PATIENCE_MS = 6000;
/** Asynchronous: often passed, sometimes passed, seldom. */
const RPO_SECONDS = [5, 2, 0.5] as const;
/** A run without faults goes on for so long. */
const QUIET_MS = 3000;

/** Runs one seed with these faults. The same plan gives the same result, in any process. The thread must have the stand-ins installed. */
export async function runSeed({ seed, faults, onLine }: SeedPlan): Promise<SeedResult> {
  const settings = new Random(seed, 'settings');
  const clocksJump = faults.some(({ kind }) => kind === 'clock-jump');
  const world = new World({
    seed,
    clocksJump,
    policy: choosePolicy(settings),
    leasesDiffer: chooseLeasesDiffer(seed),
    mode: settings.chance(0.12) ? 'async' : 'sync',
    rpoSeconds: new Random(seed, 'objective').pick(RPO_SECONDS),
    onLine: onLine ?? null,
  });
  const { judge } = world;
  const clients = new Clients(world);
  enterWorld(world);
  let over = false;
  let end = faults.reduce((last, fault) => Math.max(last, fault.atMs + fault.forMs), QUIET_MS);
  for (const region of REGIONS) for (const program of ['database', 'controller'] as const) world.hosts.start(region, program);
  clients.start();
  letHappen(world, faults, new GoesOn(world, clients), (untilMs) => (end = Math.max(end, untilMs)));
  const look = (): void => {
    const why = whyNotSettled(world, clients, end);
    if (why === null && world.time.nowMs > end) over = true;
    else if (world.time.nowMs > end + WHOLE_AGAIN_MS)
      judge.violation ??= new Violation('whole-again', `${why}, ${WHOLE_AGAIN_MS} ms after the last fault`);
    else world.time.after(LOOK_MS, null, look);
  };
  world.time.after(end + LOOK_MS, null, look);
  // Where nothing needs to be lost nobody accepts a loss before everything had time to go on by itself.
  if (world.options.mode === 'async') callOperator(world, () => world.time.nowMs > end);
  else if (faults.some(({ kind }) => kind === 'disk-emptied')) callOperator(world, () => world.time.nowMs > end + PATIENCE_MS);
  const step = (): boolean => {
    judge.look();
    return over || judge.violation !== null;
  };
  try {
    await world.time.run(step);
  } catch (error) {
    judge.watch(() => {
      throw error;
    });
  }
  enterWorld(null);
  const { time, etcd } = world;
  const { violation, ledger, authority } = judge;
  return {
    seed,
    violation: violation === null ? null : { invariant: violation.invariant, message: violation.message, atMs: time.nowMs },
    virtualMs: time.nowMs,
    happenings: time.happenings,
    failovers: authority.failovers,
    epochs: etcd.records.lease?.value.epoch ?? 0,
    acknowledgedWrites: ledger.acknowledgedWrites,
  };
}

/** Where more may be lost than the objective allows, a run waits for somebody; and a primary that has lost its disk does not come back by itself. */
function callOperator(world: World, isTime: () => boolean): void {
  const come = (): void => {
    if (isTime()) void attend(world);
    world.time.after(OPERATOR_COMES_MS, null, come);
  };
  world.time.after(OPERATOR_COMES_MS, null, come);
}

/** Faults begin at their time, or when a run reaches their step. */
function letHappen(world: World, faults: readonly Fault[], goesOn: GoesOn, lastsUntil: (untilMs: number) => void): void {
  const { time, options } = world;
  const begin = (fault: Fault): void => {
    options.onLine?.(time.nowMs, 'world', `begins: ${fault.kind}`, fault);
    goesOn.begins(fault);
    const heal = inject(fault, world);
    lastsUntil(time.nowMs + fault.forMs);
    time.after(fault.forMs, null, () => {
      options.onLine?.(time.nowMs, 'world', `ends: ${fault.kind}`, {});
      heal();
      goesOn.ends(fault);
    });
  };
  const waiting = new Set(faults.filter(({ onStep }) => onStep !== undefined));
  world.judge.onStep = (step) => {
    for (const fault of waiting) {
      if (fault.onStep !== step || time.nowMs < fault.atMs) continue;
      waiting.delete(fault);
      time.after(fault.afterStepMs ?? 0, null, () => begin(fault));
    }
  };
  for (const fault of faults) if (fault.onStep === undefined) time.after(fault.atMs, null, () => begin(fault));
}
