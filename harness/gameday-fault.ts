import { experimentOf, type PlannedExperiment } from './fault/experiment-of.ts';
import type { EffectProbe } from './fault/probe.ts';
import { experimentName, faultPlanned, type Fault, type FaultPlan } from './fault/fault.ts';
import { durationOf } from './fault/duration-of.ts';
import type { GamedayEnv } from './gameday-env.ts';
import type { EventBody } from './history/event.ts';
import { abortable } from './platform/abortable.ts';
import { HarnessError } from './platform/errors.ts';
import type { Injection } from './platform/platform.ts';

/** Healing has a budget of its own: it must also work when the run was aborted. */
const HEAL_MS = 10_000;
/** How long the last look before it may take, and the first after it: probes on other machines need seconds to tell. */
const LAST_LOOK_MS = 8000;
const LOOK_AFTER_MS = 60_000;

/** One inject step: all experiments of its manifest, planned, injected and healed together. Owner of their state until healed. */
export class FaultRun {
  readonly #name: string;
  readonly #experiments: readonly Fault[];
  readonly #env: GamedayEnv;
  #planned: readonly PlannedExperiment[] = [];
  #probes: readonly EffectProbe[] = [];
  #injection: Injection | undefined;
  #heal: Promise<void> | undefined;
  #effectMs: number | null = null;
  #observed: Promise<void> = Promise.resolve();
  #armed: Promise<void> = Promise.resolve();
  readonly #expiry = new AbortController();

  constructor(name: string, experiments: readonly Fault[], env: GamedayEnv) {
    this.#name = name;
    this.#experiments = experiments;
    this.#env = env;
  }

  /** When the effect had begun for certain; null before, or when it was not seen. */
  get effectMs(): number | null {
    return this.#effectMs;
  }

  /**
   * Injects when an engine program logs this action, into the pod that logged it, if the experiments select that pod; heal() disarms. What
   * goes wrong then is a note: the fault is not in the record, and so the run proves nothing.
   */
  arm(action: string, signal: AbortSignal): void {
    const { logs, context } = this.#env;
    const disarmed = AbortSignal.any([signal, this.#expiry.signal]);
    const note = (what: string): void => context.record({ kind: 'note', message: `${this.#name}: ${what}` });
    this.#armed = abortable(
      logs.next(action, (pod) => this.#selects(pod)),
      disarmed,
    )
      .then(
        (pod) => this.inject(signal, pod),
        () => note(`no program that it selects logged ${action}; it was not injected`),
      )
      .catch((error: unknown) => note(`could not be injected: ${error instanceof Error ? error.message : String(error)}`));
  }

  #selects(name: string): boolean {
    const pods = this.#env.platform.pods().filter((pod) => pod.name === name);
    return this.#experiments.some((one) => one.plan({ pods, seed: this.#env.context.seed, addressesOf: {} }).outcome === 'planned');
  }

  /** Throws HarnessError: nothing-selected, unsupported. Whatever was done by then is taken back by heal(). */
  async inject(signal: AbortSignal, only?: string): Promise<void> {
    const { platform, context, openProbe } = this.#env;
    this.#planned = await Promise.all(this.#experiments.map((experiment) => this.#plan(experiment, signal, only)));
    const pods = platform.pods();
    const primitives = this.#planned.flatMap(({ plan }) => plan.primitives);
    for (const { plan } of this.#planned) refuseUnsupported(this.#name, plan, platform);
    const lastsMs = timeToCount(durationOf(this.#experiments), this.#planned);
    this.#probes = this.#planned.map(({ name, plan }) => openProbe(name, plan, lastsMs));
    for (const probe of this.#probes) context.record(await probe.before(signal));
    this.#injection = platform.injection(
      primitives,
      this.#planned.map((one) => experimentOf(one, pods, only !== undefined)),
    );
    const times = await this.#injection.apply(signal);
    this.#recordEach((fault) => ({ kind: 'fault-injected', fault, ...times }));
    void this.#healWhenOver(times.acknowledgedMs).catch(() => undefined); // heal() gives the same rejection to whoever awaits it
    this.#observed = this.#observe(signal);
    await this.#observed;
  }

  async #observe(signal: AbortSignal): Promise<void> {
    for (const probe of this.#probes) {
      const effect = await probe.during(signal);
      this.#env.context.record(effect);
      if (effect.confirmed && effect.betweenMs !== undefined) this.#effectMs = Math.max(this.#effectMs ?? 0, effect.betweenMs[1]);
    }
  }

  /** The `duration` of the manifest counts from the injection and ends the fault by itself; load.ts saw to it that there is only one. */
  async #healWhenOver(injectedMs: number): Promise<void> {
    const durationMs = durationOf(this.#experiments);
    if (durationMs === null) return;
    const { clock } = this.#env;
    await clock.sleep(Math.max(0, injectedMs + durationMs - clock.nowMs()), this.#expiry.signal);
    await this.heal();
  }

  /** Idempotent; within its own budget, whatever became of the run. */
  heal(): Promise<void> {
    this.#heal ??= this.#healOnce();
    return this.#heal;
  }

  async #healOnce(): Promise<void> {
    this.#expiry.abort(new Error('the fault is healed'));
    await this.#armed;
    try {
      if (this.#injection === undefined) return;
      await this.#lastLook();
      const times = await this.#injection.heal(AbortSignal.timeout(HEAL_MS));
      this.#recordEach((fault) => ({ kind: 'fault-healed', fault, ...times }));
      await this.#observed.catch(() => undefined); // inject() rejects with it
      const signal = AbortSignal.timeout(LOOK_AFTER_MS);
      for (const probe of this.#probes) this.#env.context.record(await probe.afterHeal(signal));
    } finally {
      await Promise.all(this.#probes.map((probe) => probe.close()));
    }
  }

  /** Whether it still lasts; a look that fails keeps nothing from being healed: it is missing in the record then, and the judge says so. */
  async #lastLook(): Promise<void> {
    const { context, signal } = this.#env;
    await this.#observed.catch(() => undefined); // inject() rejects with it
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LAST_LOOK_MS)]);
    for (const probe of signal.aborted ? [] : this.#probes) {
      const effect = await abortable(probe.beforeHeal(limit), limit).catch((error: unknown) => {
        context.record({ kind: 'note', message: `${this.#name}: nobody could look before the heal: ${String(error)}` });
        return null;
      });
      if (effect !== null) context.record(effect);
    }
  }

  async #plan(experiment: Fault, signal: AbortSignal, only: string | undefined): Promise<PlannedExperiment> {
    const { platform, context } = this.#env;
    const name = experimentName(this.#name, experiment, this.#experiments);
    const resolved = experiment.hostNames.map(async (host) => [host, await platform.resolve(host, signal)] as const);
    const addressesOf = Object.fromEntries(await Promise.all(resolved));
    const pods = platform.pods().filter((pod) => only === undefined || pod.name === only);
    const planning = experiment.plan({ pods, seed: context.seed, addressesOf });
    if (planning.outcome === 'planned') {
      context.record(faultPlanned(experiment, planning.plan, { fault: name, seed: context.seed }));
      return { name, experiment, plan: planning.plan };
    }
    throw new HarnessError('nothing-selected', `${name}: ${planning.reason}`);
  }

  #recordEach(event: (fault: string) => EventBody): void {
    for (const { name } of this.#planned) this.#env.context.record(event(name));
  }
}

/** Losses of one manifest are counted one after the other, and all of them while it lasts. */
function timeToCount(durationMs: number | null, planned: readonly PlannedExperiment[]): number | null {
  const losses = planned.filter(({ plan }) => plan.expectedEffect.kind === 'links-lossy').length;
  return durationMs === null ? null : durationMs / Math.max(1, losses);
}

/**
 * Before anything is started: plans every fault against the pods as they will be. Throws HarnessError: nothing-selected, unsupported.
 * All pods count as running here; manifests with host names, which only the lab resolves, are left to the injection itself.
 */
export function refuseImpossible({ platform, context, faults }: GamedayEnv): void {
  const pods = platform.pods().map((pod) => ({ ...pod, phase: 'Running' as const }));
  for (const [name, experiments] of faults) {
    for (const experiment of experiments.filter((one) => one.hostNames.length === 0)) {
      const planning = experiment.plan({ pods, seed: context.seed, addressesOf: {} });
      if (planning.outcome === 'nothing-selected') throw new HarnessError('nothing-selected', `${name}: ${planning.reason}`);
      refuseUnsupported(name, planning.plan, platform);
    }
  }
}

function refuseUnsupported(name: string, plan: FaultPlan, platform: GamedayEnv['platform']): void {
  const { expectedEffect: effect } = plan;
  if (effect.kind === 'unseen' && platform.kind !== 'kubernetes')
    throw new HarnessError('unsupported', `${name}: nothing here does ${effect.what}; only clusters may have it`);
  for (const primitive of plan.primitives) {
    const supported = platform.supports(primitive);
    if (supported !== true) throw new HarnessError('unsupported', `${name}: ${supported}`);
  }
}
