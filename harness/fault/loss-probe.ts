import type { Beacon, ChangeMoment, ExpectedEffect, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import { HarnessError } from '../platform/errors.ts';
import type { LinkWatch, Platform, RunContext } from '../platform/platform.ts';
import { keysOf } from './links.ts';
import { enoughToExclude, enoughToProve, enoughToSeeNone, judgeLosses } from './loss-effect.ts';
import type { EffectProbe } from './probe.ts';

/** Every link that is to lose is watched; so much of the machine that is being measured they may take together while counts are made, and a quarter of it until the heal; while it is proved, all other links as much again. */
const DATAGRAMS_PER_S = 1000;
const LEAST_PERIOD_MS = 5;
const UNTIL_HEAL = 4;
/** Until the first datagrams of a count have been sent: a second or two in somebody's pods. */
const BEGIN_MS = 3000;
/** What would take longer to count is refused: who waits for it is in the middle of a fault. */
const SAMPLE_MS = 40_000;

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
  const { platform, context, clock, lastsMs } = env;
  const pods = platform.pods().map((pod) => pod.name);
  const links = keysOf(expected.lossy).size;
  const fewestOfSender = Math.min(
    ...[...Map.groupBy(expected.lossy, ({ from }) => from).values()].map((of) =>
      of.reduce((sum, { families }) => sum + families.length, 0),
    ),
  );
  const [toProve, toExclude] = [enoughToProve(expected.share, fewestOfSender), enoughToExclude(expected.share, links)];
  const inside: readonly Pair[] = expected.lossy.map(({ from, to }) => ({ from, to }));
  const outside = linksOutside(pods, inside);
  const families = expected.families?.length ?? 2;
  const enoughOutside = outside.length === 0 ? 0 : Math.ceil(enoughToSeeNone(expected.share) / (fewestOfPod(outside) * families));
  let watch: LinkWatch | undefined;
  let before: readonly Beacon[] = [];

  const periodOf = (of: readonly Pair[]): number => Math.max(LEAST_PERIOD_MS, ((of.length * families) / DATAGRAMS_PER_S) * 1000);
  const begin = async (times: number, onlyAfter?: 'onlyAfter', of = inside): Promise<LinkWatch> => {
    const begun = platform.watchLinks(of, periodOf(of) * times, onlyAfter);
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
    const refused = whyRefused(counting, moment);
    const counted = async (): Promise<readonly Beacon[]> => {
      if (refused !== null) return counting.stop();
      await clock.sleep((enough + 2) * counting.periodMs, signal).catch(() => undefined);
      return counting.stop();
    };
    const [sample, spanning] = await Promise.all([counted(), stopped()]);
    if (refused !== null) throw new HarnessError('unsupported', `${fault}: ${refused}`);
    return { sample, spanning };
  };
  /** All other links, so long that a pod which is hit by mistake is seen, and as long as the others are counted: the sweep counts too few. */
  const countOutside = async (others: Promise<unknown>, signal: AbortSignal): Promise<readonly Beacon[]> => {
    if (outside.length === 0) return [];
    // A pod that says nothing is no reason to end the run: its links are not measured.
    const counting = await begin(1, 'onlyAfter', outside).catch(() => undefined);
    if (counting === undefined) return [];
    await Promise.allSettled([others, clock.sleep(Math.min(SAMPLE_MS, (enoughOutside + 2) * counting.periodMs), signal)]);
    return counting.stop();
  };
  /** Told before anything is broken; once it is, what can be counted in time is counted. */
  const whyRefused = ({ periodMs }: LinkWatch, moment: ChangeMoment): string | null => {
    if (Math.max(toProve, toExclude) * periodMs > SAMPLE_MS) return tooSlow(Math.max(toProve, toExclude), periodMs);
    const others = outside.length === 0 ? 0 : Math.min(SAMPLE_MS, (enoughOutside + 2) * Math.max(periodMs, periodOf(outside)));
    const neededMs = BEGIN_MS + Math.max((toProve + 2) * periodMs, others);
    return moment !== 'before' || lastsMs === null || neededMs <= lastsMs ? null : tooShort(lastsMs, neededMs);
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
      const seen = await look('before', toExclude, signal);
      before = seen.sample;
      watch = await begin(1);
      return judge('before', seen);
    },
    async during(signal) {
      const looked = look('during', toProve, signal);
      const [seen, others] = await Promise.all([looked, countOutside(looked, signal)]);
      watch = await begin(UNTIL_HEAL);
      return judge('during', { ...seen, sample: [...seen.sample, ...others] });
    },
    async beforeHeal() {
      return judge('before-heal', { sinceMs: context.nowMs(), cells: [], sample: await stopped(), spanning: [] });
    },
    async afterHeal(signal) {
      return judge('after-heal', await look('after-heal', toExclude, signal));
    },
    close: async () => void (await stopped()),
  };
}

function linksOutside(pods: readonly string[], inside: readonly Pair[]): readonly Pair[] {
  const known = new Set(inside.map(({ from, to }) => `${from}>${to}`));
  return pods.flatMap((from) => pods.flatMap((to) => (from === to || known.has(`${from}>${to}`) ? [] : [{ from, to }])));
}

/** Of the pod that sends, or gets, on the fewest of these links. */
const fewestOfPod = (of: readonly Pair[]): number =>
  Math.min(...(['from', 'to'] as const).flatMap((end) => [...Map.groupBy(of, (one) => one[end]).values()].map(({ length }) => length)));

function tooSlow(datagrams: number, periodMs: number): string {
  const needed = `${datagrams} datagrams on each link are needed to know its share`;
  return `${needed}, and with one each ${Math.round(periodMs)} ms that takes longer than ${SAMPLE_MS / 1000} s; lose more, or on fewer links`;
}

function tooShort(lastsMs: number, neededMs: number): string {
  const needed = `${Math.ceil(neededMs / 1000)} s are needed to count what is lost, and by its duration it has ${Math.round(lastsMs) / 1000} s for that`;
  return `${needed}: it would end late. Let it last longer, lose more, or on fewer links`;
}

type Pair = Pick<Link, 'from' | 'to'>;

interface Seen {
  readonly sinceMs: number;
  readonly cells: readonly ReachabilityCell[];
  readonly sample: readonly Beacon[];
  readonly spanning: readonly Beacon[];
}
