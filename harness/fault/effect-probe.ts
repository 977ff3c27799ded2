import type {
  Beacon,
  ChangeMoment,
  ClockReading,
  ExpectedEffect,
  FaultEffect,
  Link,
  PodChanged,
  PodProcess,
  ProcessState,
  RunEvent,
} from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import type { LinkWatch, Platform, RunContext } from '../platform/platform.ts';
import { judgeClocks } from './clock-effect.ts';
import { judgeLinks } from './effect.ts';
import type { FaultPlan } from './fault.ts';
import type { EffectProbe } from './probe.ts';
import { judgeFreeze, SHARE_SAMPLES } from './freeze-effect.ts';
import { LastThere } from './last-there.ts';
import { linksToWatch } from './links.ts';
import { lossProbe } from './loss-probe.ts';
import { judgeProcesses } from './process-effect.ts';
import { unseenProbe } from './unseen-probe.ts';

export interface ProbeEnv {
  readonly platform: Platform;
  readonly context: RunContext;
  readonly clock: Clock;
}

/** How long an effect on processes may take to show, beyond a grace period that the manifest gives. */
const GONE_WITHIN_MS = 3000;
/** A node of somebody's cluster ends the programs of a failed pod within their own grace period, half a minute where nothing else is said, and starts them again in its own time. */
const BY_NODE_WITHIN_MS = 45_000;
/** How long until they run again: a new pod follows after the platform's replacement delay (3 s in the lab), and has to start. */
const BACK_WITHIN_MS = 8000;
/** A share that is over takes a first look that still saw it, and all its samples after that; one that is not seen at once is looked at for longer. */
const frozenWithinMs = (moment: FaultEffect['moment'], isShare: boolean): number =>
  moment === 'after-heal' ? 2 * GONE_WITHIN_MS : moment === 'during' || (moment === 'before-heal' && isShare) ? GONE_WITHIN_MS : 0;
const PROCESS_PERIOD_MS = 50;
/** The distance of the looks that tell a share of the time: no fraction of the period in which the program stands still. */
const SHARE_PERIOD_MS = 37;
/**
 * How many links to watch from this moment to the next, and how often. Right before the fault the period is the resolution of t1, and as much of the width of every recovery time; that costs a fifth of a
 * processor, for a moment only. Until the heal the system is being measured, and a twentieth must do.
 */
const WATCHED_NEXT: Readonly<Record<ChangeMoment, { readonly links: number; readonly periodMs: number }>> = {
  before: { links: 8, periodMs: 5 },
  during: { links: 4, periodMs: 10 },
  'after-heal': { links: 0, periodMs: 10 },
};

const leavesTrace = (): Promise<null> => Promise.resolve(null);

/**
 * The effect probes of one run. They know of each other, because two faults at a time may cut the same links, and follow the run's events
 * (onEvent) for what the pods' supervisors saw. Each probe's owner closes it.
 */
export class EffectProbes {
  readonly #env: ProbeEnv;
  readonly #active = new Map<string, readonly Link[]>();
  readonly #still = new Map<string, readonly string[]>();
  readonly #changes: (PodChanged & { readonly atMs: number })[] = [];
  readonly #requestedMs = new Map<string, number>();

  constructor(env: ProbeEnv) {
    this.#env = env;
  }

  onEvent(event: RunEvent): void {
    if (event.kind === 'pod') this.#changes.push(event);
    if (event.kind === 'fault-injected') this.#requestedMs.set(`during ${event.fault}`, event.requestedMs);
    if (event.kind === 'fault-healed') this.#requestedMs.set(`after-heal ${event.fault}`, event.requestedMs);
  }

  /** @param lastsMs how long the fault has until it ends by itself; null: until it is healed */
  open(fault: string, plan: FaultPlan, lastsMs: number | null = null): EffectProbe {
    const effect = plan.expectedEffect;
    if (effect.kind === 'links-cut') return this.#links(fault, effect);
    if (effect.kind === 'links-lossy') return this.#losses(fault, effect, lastsMs);
    if (effect.kind === 'processes-frozen') return this.#frozen(fault, effect);
    if (effect.kind === 'clocks-moved') return this.#clocks(fault, effect);
    if (effect.kind === 'unseen') return unseenProbe(fault, effect);
    const graceMs = Math.max(0, ...plan.primitives.map((primitive) => (primitive.act === 'pod-kill' ? primitive.graceMs : 0)));
    return this.#processes(fault, effect, graceMs);
  }

  #links(fault: string, expected: Extract<ExpectedEffect, { kind: 'links-cut' }>): EffectProbe {
    const { platform, context } = this.#env;
    const pods = platform.pods().map((pod) => pod.name);
    let watch: LinkWatch | undefined;
    const rewatch = async (next: ChangeMoment): Promise<readonly Beacon[]> => {
      const ended = watch;
      const { links: most, periodMs } = WATCHED_NEXT[next];
      // Probes in somebody's pods send on every link all the time: to watch all of them costs nothing, and a pod that comes back alone is seen.
      const links = linksToWatch(expected.cut, platform.ownService === undefined || most === 0 ? most : Infinity);
      watch = links.length > 0 ? platform.watchLinks(links, periodMs) : undefined;
      // A change that comes at once is seen too, and one that comes while probes on other machines are waited for.
      await watch?.started.catch(async (error: unknown) => {
        await ended?.stop();
        throw error;
      });
      return (await ended?.stop()) ?? [];
    };
    const look = async (moment: ChangeMoment, signal: AbortSignal): Promise<FaultEffect> => {
      const cells = await platform.reachability(pods, signal);
      context.record({ kind: 'reachability', moment, fault, cells });
      const beacons = await rewatch(moment);
      return judgeLinks({ fault, moment, expected, cells, beacons, elsewhere: this.#elsewhere(fault) });
    };
    this.#active.set(fault, expected.cut);
    const afterHeal = async (signal: AbortSignal): Promise<FaultEffect> => {
      this.#active.delete(fault);
      return look('after-heal', signal);
    };
    const close = async (): Promise<void> => {
      this.#active.delete(fault);
      await rewatch('after-heal');
    };
    return {
      before: (signal) => look('before', signal),
      during: (signal) => look('during', signal),
      beforeHeal: leavesTrace,
      afterHeal,
      close,
    };
  }

  #losses(fault: string, expected: Extract<ExpectedEffect, { kind: 'links-lossy' }>, lastsMs: number | null): EffectProbe {
    this.#active.set(fault, expected.lossy);
    const probe = lossProbe(fault, expected, {
      ...this.#env,
      lastsMs,
      elsewhere: () => this.#elsewhere(fault),
      requestedMs: (moment) => this.#requestedMs.get(`${moment} ${fault}`),
    });
    return {
      ...probe,
      afterHeal: (signal) => {
        this.#active.delete(fault);
        return probe.afterHeal(signal);
      },
      close: () => {
        this.#active.delete(fault);
        return probe.close();
      },
    };
  }

  #elsewhere(fault: string): readonly Link[] {
    return [...this.#active].flatMap(([other, links]) => (other === fault ? [] : links));
  }

  #processes(fault: string, expected: Extract<ExpectedEffect, { kind: 'processes-gone' }>, graceMs: number): EffectProbe {
    const { platform, context, clock } = this.#env;
    const byNode = platform.ownService !== undefined;
    const goneWithinMs = byNode && expected.afterwards === 'held' ? BY_NODE_WITHIN_MS : graceMs + GONE_WITHIN_MS;
    let before: readonly PodProcess[] = [];
    let there: LastThere | undefined;
    const look = async (moment: ChangeMoment): Promise<FaultEffect> => {
      const now = await platform.processes(expected.pods);
      if (moment === 'before') {
        before = now;
        // Who is asked to end serves nobody from then on, but may be there for as long as its grace: its being there is no sign that nothing has begun.
        if (graceMs === 0) there = new LastThere(before, () => platform.processes(expected.pods), clock);
      }
      const requestedMs = this.#requestedMs.get(`${moment} ${fault}`) ?? context.nowMs();
      const lastThereMs = moment === 'during' ? there?.sawMs : undefined;
      return judgeProcesses({ fault, moment, expected, before, now, changes: this.#changes, requestedMs, lastThereMs });
    };
    return {
      before: () => look('before'),
      // Where nobody has gone by then nothing has begun, and who goes on looking takes processors from what is measured.
      during: async (signal) => {
        const effect = await this.#until(() => look('during'), goneWithinMs, signal);
        await there?.stop();
        return effect;
      },
      beforeHeal: leavesTrace,
      afterHeal: (signal) => this.#until(() => look('after-heal'), byNode ? BY_NODE_WITHIN_MS : BACK_WITHIN_MS, signal),
      close: async () => there?.stop(),
    };
  }

  #frozen(fault: string, expected: Extract<ExpectedEffect, { kind: 'processes-frozen' }>): EffectProbe {
    const { platform, context } = this.#env;
    const states: ProcessState[] = [];
    let had: readonly ProcessState[] = [];
    const look = async (moment: FaultEffect['moment']): Promise<FaultEffect> => {
      const processes = await platform.processes(expected.pods);
      const atMs = context.nowMs(); // after the look: what it shows was so by then
      states.push(...processes.map(({ pod, pid, state }) => ({ atMs, pod, pid, state })));
      const requestedMs = this.#requestedMs.get(`${moment} ${fault}`) ?? atMs;
      return judgeFreeze({ fault, moment, expected, states: [...states], requestedMs, had, elsewhere: elsewhere() });
    };
    const elsewhere = (): readonly string[] =>
      [...this.#still].flatMap(([other, pods]) => (other !== fault && pods.some((pod) => expected.pods.includes(pod)) ? [other] : []));
    const fresh = (moment: FaultEffect['moment'], signal: AbortSignal): Promise<FaultEffect> => {
      if (moment === 'before-heal') had = [...states];
      if (moment === 'after-heal') this.#still.delete(fault);
      states.length = 0;
      const isShare = expected.share < 1;
      return this.#until(() => look(moment), frozenWithinMs(moment, isShare), signal, moment !== 'before' && isShare ? SHARE_SAMPLES : 1);
    };
    this.#still.set(fault, expected.pods);
    return lookedAtAnew(fresh, () => void this.#still.delete(fault));
  }

  #clocks(fault: string, expected: Extract<ExpectedEffect, { kind: 'clocks-moved' }>): EffectProbe {
    const { platform, context } = this.#env;
    const readings: ClockReading[] = [];
    const look = async (moment: FaultEffect['moment']): Promise<FaultEffect> => {
      readings.push(...(await platform.clocks(expected.pods)));
      const requestedMs = this.#requestedMs.get(`${moment} ${fault}`) ?? context.nowMs();
      return judgeClocks({ fault, moment, expected, readings: [...readings], requestedMs });
    };
    const fresh = (moment: FaultEffect['moment'], signal: AbortSignal): Promise<FaultEffect> => {
      readings.length = 0;
      return this.#until(() => look(moment), moment === 'during' || moment === 'after-heal' ? GONE_WITHIN_MS : 0, signal);
    };
    return lookedAtAnew(fresh);
  }

  /** Looks at least so often, until it is confirmed or the time is over, and gives what was seen last. */
  async #until(look: () => Promise<FaultEffect>, withinMs: number, signal: AbortSignal, least = 1): Promise<FaultEffect> {
    const untilMs = this.#env.clock.nowMs() + withinMs;
    let seen = await look();
    for (let looks = 1; looks < least || (!seen.confirmed && this.#env.clock.nowMs() < untilMs); looks++) {
      await this.#env.clock.sleep(least > 1 ? SHARE_PERIOD_MS : PROCESS_PERIOD_MS, signal);
      seen = await look();
    }
    return seen;
  }
}

/** A probe that looks afresh at each moment. */
function lookedAtAnew(
  look: (moment: FaultEffect['moment'], signal: AbortSignal) => Promise<FaultEffect>,
  closed: () => void = () => undefined,
): EffectProbe {
  return {
    before: (signal) => look('before', signal),
    during: (signal) => look('during', signal),
    beforeHeal: (signal) => look('before-heal', signal),
    afterHeal: (signal) => look('after-heal', signal),
    close: () => Promise.resolve(closed()),
  };
}
