import type { Beacon, ExpectedEffect, FaultEffect, Link, ReachabilityCell } from '../history/event.ts';
import type { Clock } from '../platform/clock.ts';
import { HarnessError } from '../platform/errors.ts';
import type { LinkWatch, Platform, RunContext } from '../platform/platform.ts';
import { keysOf } from './links.ts';
import { enoughToExclude, enoughToProve, judgeLosses } from './loss-effect.ts';
import type { EffectProbe } from './probe.ts';

/** Every link that is to lose is watched; so much of the machine that is being measured they may take together while counts are made, and a quarter of it until the heal. */
const DATAGRAMS_PER_S = 1000;
const LEAST_PERIOD_MS = 5;
const UNTIL_HEAL = 4;
/** What would take longer to count is refused: who waits for it is in the middle of a fault. */
const SAMPLE_MS = 40_000;

export interface LossProbeEnv {
  readonly platform: Platform;
  readonly context: RunContext;
  readonly clock: Clock;
  /** Links that other faults of the run change now. */
  readonly elsewhere: () => readonly Link[];
  /** When this fault was injected or healed. */
  readonly requestedMs: (moment: FaultEffect['moment']) => number | undefined;
}

/** Counts what is lost on links. Owner: whoever opened it; close() ends the watch that may be going on. */
export function lossProbe(fault: string, expected: Extract<ExpectedEffect, { kind: 'links-lossy' }>, env: LossProbeEnv): EffectProbe {
  const { platform, context, clock } = env;
  const pods = platform.pods().map((pod) => pod.name);
  const links = keysOf(expected.lossy).size;
  const fewestOfSender = Math.min(
    ...[...Map.groupBy(expected.lossy, ({ from }) => from).values()].map((of) =>
      of.reduce((sum, { families }) => sum + families.length, 0),
    ),
  );
  const [toProve, toExclude] = [enoughToProve(expected.share, fewestOfSender), enoughToExclude(expected.share, links)];
  let watch: LinkWatch | undefined;
  let before: readonly Beacon[] = [];

  const begin = async (times: number): Promise<LinkWatch> => {
    const periodMs = Math.max(LEAST_PERIOD_MS, (links / DATAGRAMS_PER_S) * 1000) * times;
    const begun = platform.watchLinks(
      expected.lossy.map(({ from, to }) => ({ from, to })),
      periodMs,
    );
    await begun.started;
    return begun;
  };
  const stopped = async (): Promise<readonly Beacon[]> => {
    const ended = watch;
    watch = undefined;
    return (await ended?.stop()) ?? [];
  };
  /** Begins after a sweep: probes elsewhere tell late what they sent, and what the sweep saw of each was sent before this. */
  const sample = async (enough: number, signal: AbortSignal): Promise<readonly Beacon[]> => {
    const counting = await begin(1);
    await clock.sleep(timeFor(enough, counting), signal).catch(() => undefined);
    return counting.stop();
  };
  const judge = (moment: FaultEffect['moment'], sinceMs: number, seen: Seen): FaultEffect => {
    const requestedMs = env.requestedMs(moment) ?? context.nowMs();
    return judgeLosses({ fault, moment, expected, sinceMs, requestedMs, before, elsewhere: env.elsewhere(), ...seen });
  };
  const sweep = async (moment: 'before' | 'during' | 'after-heal', signal: AbortSignal): Promise<readonly ReachabilityCell[]> => {
    const cells = await platform.reachability(pods, signal);
    context.record({ kind: 'reachability', moment, fault, cells });
    return cells;
  };

  return {
    async before(signal) {
      const sinceMs = context.nowMs();
      const cells = await sweep('before', signal);
      watch = await begin(1);
      refuseTooSlow(fault, toProve, watch);
      before = await sample(toExclude, signal);
      return judge('before', sinceMs, { cells, sample: before, spanning: [] });
    },
    async during(signal) {
      const sinceMs = context.nowMs();
      const cells = await sweep('during', signal);
      const counted = await sample(toProve, signal);
      const spanning = await stopped();
      watch = await begin(UNTIL_HEAL);
      return judge('during', sinceMs, { cells, sample: counted, spanning });
    },
    async beforeHeal() {
      return judge('before-heal', context.nowMs(), { cells: [], sample: await stopped(), spanning: [] });
    },
    async afterHeal(signal) {
      const sinceMs = context.nowMs();
      const cells = await sweep('after-heal', signal);
      const counted = await sample(toExclude, signal);
      return judge('after-heal', sinceMs, { cells, sample: counted, spanning: [] });
    },
    close: async () => void (await stopped()),
  };
}

const timeFor = (datagrams: number, { periodMs }: LinkWatch): number => Math.min(SAMPLE_MS, (datagrams + 2) * periodMs);

/** Before anything is broken. Throws HarnessError `unsupported`. */
function refuseTooSlow(fault: string, datagrams: number, { periodMs }: LinkWatch): void {
  if (datagrams * periodMs <= SAMPLE_MS) return;
  const text = `${datagrams} datagrams on each link are needed to know its share, and with one each ${Math.round(periodMs)} ms that takes longer than ${SAMPLE_MS / 1000} s`;
  throw new HarnessError('unsupported', `${fault}: ${text}; lose more, or on fewer links`);
}

interface Seen {
  readonly cells: readonly ReachabilityCell[];
  readonly sample: readonly Beacon[];
  readonly spanning: readonly Beacon[];
}
