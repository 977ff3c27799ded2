import type { Beacon, ChangeMoment, ExpectedEffect, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import { HarnessError } from '../platform/errors.ts';
import type { LinkWatch, Platform, RunContext } from '../platform/platform.ts';
import { insideMs, lossCount, whyNotCounted } from './loss-count.ts';
import { judgeLosses } from './loss-effect.ts';
import type { EffectProbe } from './probe.ts';

/** Until the heal a datagram is due so many times less often than while it is counted. */
const UNTIL_HEAL = 4;

export interface LossProbeEnv {
  readonly platform: Platform;
  readonly context: RunContext;
  readonly clock: Clock;
  /** Links that other faults of the run change now. */
  readonly elsewhere: () => readonly Link[];
  /** How long the fault has until it ends by itself, of which the count must be a part; null: it lasts until it is healed. */
  readonly lastsMs: number | null;
  /** When this fault was injected or healed. */
  readonly requestedMs: (moment: FaultEffect['moment']) => number | undefined;
}

/** Counts what is lost on links. Owner: whoever opened it; close() ends the watch that may be going on. */
export function lossProbe(fault: string, expected: Extract<ExpectedEffect, { kind: 'links-lossy' }>, env: LossProbeEnv): EffectProbe {
  const { platform, context, clock } = env;
  const pods = platform.pods().map((pod) => pod.name);
  const needs = lossCount(expected, pods);
  let watch: LinkWatch | undefined;
  let before: readonly Beacon[] = [];

  const begin = async (times: number, onlyAfter?: 'onlyAfter', of = needs.inside): Promise<LinkWatch> => {
    const begun = platform.watchLinks(of, needs.periodMs(of) * times, onlyAfter);
    await begun.started;
    return begun;
  };
  const stopped = async (): Promise<readonly Beacon[]> => {
    const ended = watch;
    watch = undefined;
    return (await ended?.stop()) ?? [];
  };
  /** What watched until now goes on until this has begun. */
  const count = async (moment: ChangeMoment, enough: number, signal: AbortSignal): Promise<Pick<Seen, 'sample' | 'spanning'>> => {
    const counting = await begin(1, 'onlyAfter');
    // A duration that is too short is told before anything is broken; once it is, what can be counted in time is counted.
    const refused = whyNotCounted(needs, counting.periodMs, moment === 'before' ? env.lastsMs : null);
    const counted = async (): Promise<readonly Beacon[]> => {
      if (refused !== null) return counting.stop();
      await clock.sleep(insideMs(enough, counting.periodMs), signal).catch(() => undefined);
      return counting.stop();
    };
    const [sample, spanning] = await Promise.all([counted(), stopped()]);
    if (refused !== null) throw new HarnessError('unsupported', `${fault}: ${refused}`);
    return { sample, spanning };
  };
  /** All other links, so long that a pod which is hit by mistake is seen, and as long as the others are counted: the sweep counts too few. */
  const countOutside = async (others: Promise<unknown>, signal: AbortSignal): Promise<readonly Beacon[]> => {
    if (needs.outside.length === 0) return [];
    // A pod that says nothing is no reason to end the run: its links are not measured.
    const counting = await begin(1, 'onlyAfter', needs.outside).catch(() => undefined);
    if (counting === undefined) return [];
    await Promise.allSettled([others, clock.sleep(needs.outsideMs(counting.periodMs), signal)]);
    return counting.stop();
  };
  const judge = (moment: FaultEffect['moment'], seen: Seen): FaultEffect => {
    const requestedMs = env.requestedMs(moment) ?? context.nowMs();
    return judgeLosses({ fault, moment, expected, requestedMs, before, elsewhere: env.elsewhere(), ...seen });
  };
  /** Both at once: probes in somebody's pods need seconds to tell either. */
  const look = async (moment: ChangeMoment, enough: number, signal: AbortSignal): Promise<Seen> => {
    const sinceMs = context.nowMs();
    const [cells, counted] = await Promise.all([platform.reachability(pods, signal), count(moment, enough, signal)]);
    context.record({ kind: 'reachability', moment, fault, cells });
    return { sinceMs, cells, ...counted };
  };

  return {
    async before(signal) {
      const seen = await look('before', needs.toExclude, signal);
      before = seen.sample;
      watch = await begin(1);
      return judge('before', seen);
    },
    async during(signal) {
      const looked = look('during', needs.toProve, signal);
      const [seen, others] = await Promise.all([looked, countOutside(looked, signal)]);
      watch = await begin(UNTIL_HEAL);
      return judge('during', { ...seen, sample: [...seen.sample, ...others] });
    },
    async beforeHeal() {
      return judge('before-heal', { sinceMs: context.nowMs(), cells: [], sample: await stopped(), spanning: [] });
    },
    async afterHeal(signal) {
      return judge('after-heal', await look('after-heal', needs.toExclude, signal));
    },
    close: async () => void (await stopped()),
  };
}

interface Seen {
  readonly sinceMs: number;
  readonly cells: readonly ReachabilityCell[];
  readonly sample: readonly Beacon[];
  readonly spanning: readonly Beacon[];
}
