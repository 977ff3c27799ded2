import { BackupHands } from './engine/backup-hands.ts';
import { watchMachine } from './engine/machine-watch.ts';
import { giveOrder } from './engine/order.ts';
import { engineWitness, type Witness } from './engine/witness.ts';
import type { GamedayEnv } from './gameday-env.ts';
import { FaultRun, refuseImpossible } from './gameday-fault.ts';
import type { Phase } from './history/event.ts';
import { HarnessError } from './platform/errors.ts';
import { Scope } from './platform/scope.ts';
import { startLimitMs } from './platform/start-limit.ts';
import { LAST_SERVICE_MS } from './scenario/last-service.ts';
import { phaseOf } from './scenario/phase-of.ts';
import type { BackupStep, Scenario, Step } from './scenario/scenario.ts';
import { BulkLoad } from './workload/bulk-load.ts';
import { vantagesOf } from './workload/clients.ts';
import { Load } from './workload/load.ts';
import { serviceWitness } from './workload/service-witness.ts';

/** Limits of what has no limit in the scenario. */
const FIRST_SERVICE_MS = 20_000;
const CLOSE_MS = 15_000;

/**
 * One game day, from an empty machine to an empty machine. The order of this function is the order of the day. It records and judges
 * nothing (check/judge.ts does, from the record). Never rejects: what breaks is recorded as `run-aborted`, and everything is cleaned up.
 */
export async function runGameday(scenario: Scenario, env: GamedayEnv): Promise<void> {
  const { platform, context, clock, signal } = env;
  const scope = new Scope(clock, CLOSE_MS);
  let leftovers: readonly string[] = [];
  const phase = (name: Phase): void => context.record({ kind: 'phase', phase: name });
  try {
    phase('setup');
    refuseImpossible(env);
    scope.own('watch of the machine', watchMachine(env));
    scope.own('lab', async () => (leftovers = await platform.close())); // owned before it is started
    await platform.start(AbortSignal.any([signal, AbortSignal.timeout(startLimitMs(scenario.database))]));
    const { ownService } = platform;
    const witness = ownService ? serviceWitness(ownService, context, clock) : await engineWitness(platform, context, clock, signal);
    scope.own('operator', () => witness.close());
    await witness.refuseUsed();
    const load = new Load(platform, context, { clock, workload: scenario.workload, originNs: env.originNs });
    scope.own('load', () => load.stop());
    await load.start(signal);
    const bulk = new BulkLoad(platform, context);
    scope.own('bulk load', () => bulk.close());
    const { operator } = witness;
    const hands = scenario.backup && operator ? new BackupHands({ platform, context, clock, operator }) : null;
    scope.own('backups', async () => await hands?.close());
    await hands?.init(signal);
    scope.own('watch', startWatching(witness));
    const faults = new Map<string, FaultRun>();
    scope.own('faults', async () => await Promise.all([...faults.values()].map((fault) => fault.heal()))); // heals before all else closes

    await steadyState(scenario, load, env);
    for (const step of scenario.method) await perform(step, { scenario, env, load, bulk, hands, faults, phase });
    await hands?.lookAtStore();

    phase('heal');
    for (const fault of faults.values()) await fault.heal();
    await bulk.ended();
    phase('settle');
    await witness.awaitRedundancy(scenario.settleMs, signal);
    await steadyAfter(scenario, load, env);
    await load.stop();
    phase('readback');
    await witness.readBack(load.keys, signal);
  } catch (error) {
    context.record(abortedBy(error, signal));
  }
  phase('teardown');
  const problems = await scope.close();
  context.record({ kind: 'run-ended', leftovers: [...leftovers, ...problems] });
}

interface Day {
  readonly scenario: Scenario;
  readonly env: GamedayEnv;
  readonly load: Load;
  readonly bulk: BulkLoad;
  /** null: this system has no backups. */
  readonly hands: BackupHands | null;
  readonly faults: Map<string, FaultRun>;
  readonly phase: (name: Phase) => void;
}

async function perform(step: Step, day: Day): Promise<void> {
  const { scenario, env, load, faults, hands, phase } = day;
  const name = phaseOf(step);
  if (name !== null) phase(name);
  switch (step.do) {
    case 'inject': {
      const fault = new FaultRun(step.fault, env.faults.get(step.fault) ?? [], env);
      faults.set(step.fault, fault); // owned before it does harm
      await hands?.lookAtStore();
      return await fault.inject(env.signal);
    }
    case 'observe':
      return await env.clock.sleep(step.forMs, env.signal);
    case 'await-recovery': {
      const fromMs = [...faults.values()].at(-1)?.effectMs ?? env.clock.nowMs();
      const afterOutage = scenario.expect.outage === 'expected';
      const options = { fromMs, afterOutage, atMostMs: step.atMostMs };
      const back = await load.untilSustained(scenario.expect.mustRecover, options, env.signal);
      if (!back) env.context.record({ kind: 'note', message: `service was not back within ${step.atMostMs} ms; going on` });
      return;
    }
    case 'arm': {
      const fault = new FaultRun(step.fault, env.faults.get(step.fault) ?? [], env);
      faults.set(step.fault, fault);
      return fault.arm(step.at, env.signal);
    }
    case 'order':
      return await giveOrder(env, step, env.signal);
    case 'heal':
      return await faults.get(step.fault)?.heal();
    case 'backup':
    case 'restore':
    case 'await-backup':
    case 'await-backups':
    case 'mark':
    case 'damage':
    case 'bulk':
    case 'delete-all':
      return await performBackup(step, day);
  }
}

async function performBackup(step: BackupStep, { scenario, env: { context, signal }, load, bulk, hands }: Day): Promise<void> {
  switch (step.do) {
    case 'backup':
      return await hands?.order(step, signal);
    case 'restore':
      return await hands?.restore(step, signal);
    case 'await-backup':
      return await hands?.awaitOne(step.name, step.atMostMs, signal);
    case 'await-backups':
      return await hands?.awaitMore(step, signal);
    case 'mark':
      return hands?.mark(step.name);
    case 'damage':
      return await hands?.damage(step);
    case 'bulk':
      return bulk.start(step, scenario.workload.timeoutMs);
    case 'delete-all': {
      const startedMs = context.nowMs();
      if (!(await load.deleteAll(step.atMostMs, signal)))
        context.record({ kind: 'note', message: `not everything was deleted within ${step.atMostMs} ms; going on` });
      return context.record({ kind: 'deletion', startedMs, endedMs: context.nowMs() });
    }
  }
}

/**
 * Every vantage is served without a failure for `steadyMs`; else there is nothing that a fault could take away. A machine that is busy gets
 * several tries; after the last one the day goes on, and the check of the steady state says that it was none.
 */
async function steadyState(scenario: Scenario, load: Load, { platform, context, clock, signal }: GamedayEnv): Promise<void> {
  const limitMs = clock.nowMs() + FIRST_SERVICE_MS;
  const options = { fromMs: 0, afterOutage: false, atMostMs: FIRST_SERVICE_MS };
  if (!(await load.untilSustained(vantagesOf(platform), options, signal))) {
    throw new HarnessError('lab-failed', `the lab did not serve every client within ${FIRST_SERVICE_MS} ms of load`);
  }
  await load.warm(signal);
  for (;;) {
    context.record({ kind: 'phase', phase: 'steady' });
    const fromMs = clock.nowMs();
    await clock.sleep(scenario.steadyMs, signal);
    const troubles = load.unsteady(fromMs, clock.nowMs());
    if (troubles.length === 0 || clock.nowMs() >= limitMs) return;
    context.record({ kind: 'note', message: `not steady yet: ${troubles.join('; ')}` });
  }
}

/** The load ends while service is sustained, so that a slow answer at its very end does not read as an outage without end. */
async function steadyAfter(scenario: Scenario, load: Load, { context, clock, signal }: GamedayEnv): Promise<void> {
  const options = { fromMs: clock.nowMs(), afterOutage: false, last: true, atMostMs: LAST_SERVICE_MS };
  if (await load.untilSustained(scenario.expect.mustRecover, options, signal)) return;
  context.record({ kind: 'note', message: `service was not sustained within ${LAST_SERVICE_MS} ms after the settling` });
}

function startWatching(witness: Witness): () => Promise<void> {
  const stop = new AbortController();
  const watching = witness.watch(stop.signal);
  return async () => {
    stop.abort(new Error('the run is over'));
    await watching;
  };
}

function abortedBy(error: unknown, signal: AbortSignal): { kind: 'run-aborted'; code: string; message: string } {
  const cause = signal.aborted ? (signal.reason as unknown) : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = signal.aborted ? 'interrupted' : cause instanceof HarnessError ? cause.code : 'internal';
  return { kind: 'run-aborted', code, message };
}
