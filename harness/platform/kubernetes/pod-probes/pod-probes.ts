import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Beacon, ReachabilityCell } from '../../../history/event.ts';
import { HarnessError } from '../../errors.ts';
import type { Pair } from '../../local/reach/protocol.ts';
import type { LinkWatch } from '../../platform.ts';
import { MANAGER } from '../kube-client.ts';
import { PODS, resourcePath } from '../kube-object.ts';
import { followLog } from '../log-follower.ts';
import type { Part } from '../parts.ts';
import type { ProbeSettings } from '../system-file.ts';
import { probePatch } from './probe-container.ts';
import { ProbeLog } from './probe-log.ts';
import { PROBE_VERSION, type ProbeOrder } from './probe-order.ts';
import { familiesOf, podsToProbe, type Probed } from './probed-pods.ts';
import { beaconOf, cellOf, firstAfter, isSettled, type ProbedLink } from './probed-links.ts';
import { troubleOf } from './probe-trouble.ts';

/** So many datagrams a second and no more, whatever the number of pods. */
const DATAGRAMS_PER_S = 5000;
const LEAST_PERIOD_MS = 50;
/** Containers that are being started at a time: each start is a bound of a clock, and a node that starts many at once starts each of them late. */
const AT_ONCE = 4;
const START_MS = 40_000;
/** A clock that is known no better than this says too little of when a fault began. */
const MOST_DOUBT_MS = 5000;
const LOOK_MS = 100;
const POLL_MS = 250;
const SWEEP_MS = 12_000;
const SETTLE_MS = 5000;
const END_MS = 5000;

export interface ProbingEnv {
  readonly settings: ProbeSettings;
  /** How long probes may be needed; they end by themselves after it. */
  readonly forMs: number;
  readonly note: (message: string) => void;
}

/**
 * Probes in all pods of somebody's clusters, an ephemeral container each, which send datagrams to one another all the time: whether links pass is read from what they wrote. Owner: `Inside`; close()
 * tells them to end.
 */
export class PodProbes {
  readonly #env: ProbingEnv;
  readonly #nowMs: () => number;
  readonly #session = randomInt(1, 2 ** 32);
  readonly #stop = new AbortController();
  readonly #logs = new Map<string, ProbeLog>();
  #probed: readonly Probed[] = [];
  #periodMs = LEAST_PERIOD_MS;
  #following: Promise<void>[] = [];

  constructor(env: ProbingEnv, nowMs: () => number) {
    this.#env = env;
    this.#nowMs = nowMs;
  }

  /** Resolves when a probe in each pod has told what it sent and got. Throws HarnessError with the pod and the reason where one does not run. */
  async start(parts: readonly Part[], signal: AbortSignal): Promise<void> {
    this.#probed = await podsToProbe(parts, `gameday-probe-${randomBytes(4).toString('hex')}`, signal);
    const links = this.#probed.flatMap((from) => this.#probed.flatMap((to) => familiesOf(from, to)));
    this.#periodMs = Math.max(LEAST_PERIOD_MS, Math.ceil((links.length / DATAGRAMS_PER_S) * 1000));
    await this.#startAll(signal);
    const { settings, forMs, note } = this.#env;
    const slowest = [...this.#logs.values()].toSorted((a, b) => b.doubtMs - a.doubtMs)[0];
    if (slowest === undefined) return;
    const doubt = `${(slowest.doubtMs / 1000).toFixed(1)} s`;
    if (slowest.doubtMs > MOST_DOUBT_MS)
      throw new HarnessError(
        'cluster-failed',
        `the probe in ${slowest.identity.pod} took ${doubt} to start, and times would be in doubt by that; where its image was pulled, it is there now: play again`,
      );
    note(
      `a probe runs in each of ${this.#probed.length} pods (${settings.image}, UDP port ${settings.port}, a datagram to each other every ${this.#periodMs} ms) and ends with the run, after ${Math.round(forMs / 1000)} s at the latest; its clock is known to ${doubt}`,
    );
  }

  /** Of the first three datagrams on each link that were sent after this call; a link of which that is not known in time is left out. */
  async reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]> {
    const sinceMs = this.#nowMs();
    const links = this.#links(pods.flatMap((from) => pods.flatMap((to) => (from === to ? [] : [{ from, to }]))));
    for (;;) {
      signal.throwIfAborted();
      const cells = links.map((link) => cellOf(link, sinceMs));
      const measured = cells.filter(({ sent }) => sent > 0);
      if (measured.length === cells.length || this.#nowMs() > sinceMs + SWEEP_MS) return measured;
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  /** Nothing new is sent: the period is that of the probes. */
  watchLinks(pairs: readonly Pair[], onlyAfter?: 'onlyAfter'): LinkWatch {
    const links = this.#links(pairs);
    const [calledMs, logs] = [this.#nowMs(), new Set(links.map(({ from }) => from))];
    const told = new Map([...logs].map((log) => [log, log.rounds]));
    const firstOf = (log: ProbeLog): number => (onlyAfter === undefined ? (told.get(log) ?? 0) : firstAfter(log, calledMs));
    const hasBegun = (log: ProbeLog): boolean => log.rounds > firstOf(log);
    const started = this.#until(() => [...logs].every(hasBegun), onlyAfter === undefined ? SETTLE_MS : SWEEP_MS).then((is) => {
      const silent = [...logs].find((log) => !hasBegun(log));
      if (!is && silent !== undefined)
        throw new HarnessError(
          'cluster-failed',
          `the probe in ${silent.identity.pod} says nothing any more: ${silent.ended ?? 'nobody knows why'}`,
        );
    });
    started.catch(() => undefined); // whoever awaits it, or stop(), reports it
    let stopped: Promise<readonly Beacon[]> | undefined;
    const stop = async (): Promise<readonly Beacon[]> => {
      await started;
      const last = new Map(links.map(({ from }) => [from, from.rounds]));
      const lastOf = (link: ProbedLink): number => last.get(link.from) ?? 0;
      await this.#until(() => links.every((link) => isSettled(link, firstOf(link.from), lastOf(link))), SETTLE_MS);
      return links.map((link) => beaconOf(link, firstOf(link.from), lastOf(link)));
    };
    return { periodMs: this.#periodMs, started, stop: () => (stopped ??= stop()) };
  }

  /** One more container, in one pod, tells all of them to end; who does not hear it ends when its time is over. */
  async close(): Promise<void> {
    const teller = this.#probed.find(({ pod }) => {
      const log = this.#logs.get(pod.metadata.name);
      return log?.hasReported === true && log.ended === undefined;
    });
    if (teller !== undefined)
      await this.#add({ ...teller, container: `${teller.container}-end` }, AbortSignal.timeout(END_MS), { end: true }).catch(
        () => undefined,
      );
    this.#stop.abort(new HarnessError('cluster-failed', 'the probes are closed'));
    await Promise.all(this.#following);
  }

  /** The first that does not run ends it: there is nothing to be measured without it. */
  async #startAll(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const queue = [...this.#probed];
    const worker = async (): Promise<void> => {
      for (let one = queue.shift(); one !== undefined && !failed.signal.aborted; one = queue.shift())
        await this.#startOne(one, either).catch((error: unknown) => failed.abort(error));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    failed.signal.throwIfAborted();
  }

  async #startOne(probed: Probed, signal: AbortSignal): Promise<void> {
    const { name, namespace = '' } = probed.pod.metadata;
    const { client } = probed.part;
    const limitMs = this.#nowMs() + START_MS;
    const log = new ProbeLog({ session: this.#session, number: probed.peer.number, pod: name, askedMs: this.#nowMs() });
    this.#logs.set(name, log);
    const refuse = (why: string): HarnessError => new HarnessError('cluster-failed', `no probe runs in ${namespace}/${name}: ${why}`);
    await this.#add(probed, signal, {}).catch((error: unknown) => {
      throw refuse(error instanceof Error ? error.message : String(error));
    });
    const place = { client, namespace, pod: name, container: probed.container };
    const onLine = (line: unknown): void => log.add(line, this.#nowMs());
    this.#following.push(followLog(place, onLine, () => log.ended !== undefined, this.#stop.signal));
    while (!log.hasReported) {
      const late = this.#nowMs() > limitMs || signal.aborted;
      const trouble = log.ended ?? (await troubleOf(place, late));
      if (trouble !== undefined) throw refuse(trouble);
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #add({ part, pod, peer, container }: Probed, signal: AbortSignal, more: Pick<ProbeOrder, 'end'>): Promise<void> {
    const { settings, forMs } = this.#env;
    const { name, namespace, uid = '' } = pod.metadata;
    const peers = this.#probed.map((one) => one.peer);
    const { port } = settings;
    const order = {
      version: PROBE_VERSION,
      session: this.#session,
      me: peer.number,
      port,
      periodMs: this.#periodMs,
      forMs,
      peers,
      ...more,
    };
    await part.client.must('PATCH', resourcePath(PODS, namespace, name, 'ephemeralcontainers'), {
      query: { fieldManager: MANAGER, fieldValidation: 'Strict' },
      contentType: 'application/strategic-merge-patch+json',
      body: probePatch(uid, container, settings, order),
      signal,
    });
  }

  /** In the families in which both have addresses; a pod without a probe, since it came later, has no links that could be seen. */
  #links(pairs: readonly Pair[]): readonly ProbedLink[] {
    const byName = new Map(this.#probed.map((one) => [one.pod.metadata.name, one]));
    return pairs.flatMap((pair) => {
      const [from, to] = [byName.get(pair.from), byName.get(pair.to)];
      const [sender, receiver] = [this.#logs.get(pair.from), this.#logs.get(pair.to)];
      if (from === undefined || to === undefined || sender === undefined || receiver === undefined) return [];
      return familiesOf(from, to).map((family) => ({ from: sender, to: receiver, family }));
    });
  }

  /** Whether it came to hold in time. */
  async #until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const limitMs = this.#nowMs() + withinMs;
    while (!holds()) {
      if (this.#nowMs() > limitMs || this.#stop.signal.aborted) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }
}
