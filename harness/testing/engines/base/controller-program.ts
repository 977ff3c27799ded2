import { Arbiter } from './arbiter.ts';
import type { Config } from './config.ts';
import { readName } from './dns-update.ts';
import { Failover } from './failover.ts';
import { health, metrics } from './health.ts';
import { failure, serve, type Answer, type Client, type Route } from './https.ts';
import { Leadership } from './leadership.ts';
import { nowMs, type Log } from './log.ts';
import { Observer, type Vote } from './observer.ts';
import { confirmsDown } from './quorum.ts';
import type { Sentences } from './sentences.ts';
import { pause } from './wait.ts';

/** The `controller` program: observes, votes, and, as the leader, acts. */
export async function runController(config: Config, client: Client, say: Log, sentences: Sentences, signal: AbortSignal): Promise<void> {
  const arbiter = new Arbiter(config, client);
  const observer = new Observer(config, client, arbiter, say);
  const leadership = new Leadership(config, arbiter, say);
  const failover = new Failover({ config, client, arbiter, observer, say, sentences });
  const controller = new Controller({ config, client, say, observer, leadership, failover });
  const server = await serve(config, controller.routes(signal));
  say('started');
  await Promise.all([observer.watch(signal), observer.probe(signal), leadership.run(signal), controller.lead(signal)]);
  server.closeAllConnections();
  server.close();
}

interface Parts {
  readonly config: Config;
  readonly client: Client;
  readonly say: Log;
  readonly observer: Observer;
  readonly leadership: Leadership;
  readonly failover: Failover;
}

class Controller {
  readonly #parts: Parts;
  #votes = new Map<string, { readonly vote: Vote; readonly atMs: number }>();
  #confirmingSinceMs: number | null = null;
  #busy = false;
  #routedMs = -Infinity;
  #gatheredMs = -Infinity;
  #knownTerm = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** While it is the leader: resumes what is open, keeps the name right, decides. */
  async lead(signal: AbortSignal): Promise<void> {
    const { config, leadership, say } = this.#parts;
    while (!signal.aborted) {
      await pause(config.policy.probePeriodMs, signal);
      if (!leadership.mine || this.#busy || signal.aborted) continue;
      this.#busy = true;
      try {
        await this.#round(signal);
      } catch (error) {
        this.#knownTerm = -1;
        say('step_failed', { message: (error as Error).message }, 'warn');
      }
      this.#busy = false;
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { failover, observer, config, say, leadership } = this.#parts;
    await this.#gather();
    if (this.#knownTerm !== leadership.term) await failover.refresh();
    this.#knownTerm = leadership.term;
    if (failover.open) return failover.resume(signal);
    await this.#keepName();
    const { primary } = observer;
    const down = primary !== null && confirmsDown(this.#fresh(), Object.keys(config.regions), primary, 2 * config.policy.probePeriodMs);
    this.#confirmingSinceMs = down ? (this.#confirmingSinceMs ?? nowMs()) : null;
    if (!down || nowMs() - (this.#confirmingSinceMs ?? Infinity) < config.policy.confirmMs) return;
    say('primary_confirmed_down', { primary }, 'warn');
    if (!this.#mayLose())
      return say('approval_needed', { reason: 'the lag last seen and its age exceed the recovery point objective' }, 'warn');
    this.#confirmingSinceMs = null;
    await failover.begin(primary, null, 'automatic', signal);
  }

  /** In async mode what may be missing must fit the objective: the last lag seen plus its age. */
  #mayLose(): boolean {
    const { config, observer } = this.#parts;
    if (config.replication === 'sync') return true;
    const { sample } = observer;
    if (!sample) return false;
    const lags = Object.values(sample.status.standbys).map((s) => s.lagMs);
    return Math.min(...lags) + sample.ageMs <= config.rpo_seconds * 1000;
  }

  async #keepName(): Promise<void> {
    const { config, observer, failover } = this.#parts;
    const lease = observer.lease.value;
    if (!lease?.holder || nowMs() - this.#routedMs < 1000 || observer.sample?.status.writable !== true) return;
    this.#routedMs = nowMs();
    const name = await readName(config.dns);
    if (name.epoch >= lease.epoch) return;
    const wanted = config.regions[lease.holder]?.addresses ?? [];
    const moves = name.addresses.some((address) => !wanted.includes(address));
    await failover.route(moves && name.epoch > 0 ? 'failover' : 'start', lease.holder, lease.epoch);
  }

  /** Asks the others at every round while we suspect, else once a second, for the status only. */
  async #gather(): Promise<void> {
    const { config, client, observer } = this.#parts;
    if (observer.vote().verdict === 'ok' && nowMs() - this.#gatheredMs < 1000) return;
    this.#gatheredMs = nowMs();
    const peers = Object.keys(config.regions).filter((region) => region !== config.region);
    const ask = async (region: string): Promise<void> => {
      const vote = await client
        .json('GET', `${config.regions[region]?.controller}/v1/vote`, undefined, config.policy.probeTimeoutMs)
        .catch(() => null);
      if (vote) this.#votes.set(region, { vote: vote as Vote, atMs: nowMs() });
    };
    await Promise.all(peers.map(ask));
    this.#votes.set(config.region, { vote: observer.vote(), atMs: nowMs() });
  }

  #fresh(): readonly Vote[] {
    const { probePeriodMs, probeTimeoutMs } = this.#parts.config.policy;
    return [...this.#votes.values()].filter((v) => nowMs() - v.atMs <= probePeriodMs + 2 * probeTimeoutMs).map((v) => v.vote);
  }

  routes(signal: AbortSignal): readonly Route[] {
    const { config, observer } = this.#parts;
    const get = (path: string, answer: () => Answer): Route => ({ method: 'GET', path, roles: ['controller', 'operator'], answer });
    return [
      get('/health', () => ({ status: 200, body: health(config.region, [], 'controller', observer.lease.value?.epoch ?? 0) })),
      get('/metrics', () => ({ status: 200, type: 'text/plain; version=0.0.4', body: this.#metrics() })),
      get('/v1/status', () => ({ status: 200, body: this.#status() })),
      { method: 'GET', path: '/v1/vote', roles: ['controller'], answer: () => ({ status: 200, body: observer.vote() }) },
      { method: 'POST', path: '/v1/switchover', roles: ['operator'], answer: (_rest, body) => this.#byHand(body, signal) },
    ];
  }

  #metrics(): string {
    const { config, observer, leadership } = this.#parts;
    return metrics(config.region, { leader: leadership.mine ? 1 : 0, suspects_primary: observer.vote().verdict === 'suspect' ? 1 : 0 });
  }

  #status(): Record<string, unknown> {
    const { config, observer, leadership, failover } = this.#parts;
    const vote = observer.vote();
    const own = { vote, atMs: nowMs() };
    const observers = [...new Map([...this.#votes, [config.region, own]])].map(([region, v]) => {
      return [region, { verdict: v.vote.verdict, ageMs: Math.round(nowMs() - v.atMs) }] as const;
    });
    const last = failover.last;
    return {
      region: config.region,
      leader: leadership.leader,
      state: failover.open ? 'Failover' : vote.verdict === 'suspect' ? 'Degraded' : 'Normal',
      step: failover.open ? failover.step : 'OBSERVE',
      primary: observer.primary,
      epoch: observer.lease.value?.epoch ?? 0,
      observers: Object.fromEntries(observers),
      ...(last ? { lastFailover: last } : {}),
    };
  }

  async #byHand(body: Buffer, signal: AbortSignal): Promise<Answer> {
    const { config, observer, leadership, failover } = this.#parts;
    const { target } = JSON.parse(body.toString('utf8')) as { readonly target?: string };
    const { primary } = observer;
    if (target === undefined || !(target in config.regions)) return failure(400, 'bad-request', 'target is not one of the regions');
    if (target === primary) return failure(409, 'failover-failed', `${target} is primary already`);
    if (!leadership.mine || primary === null) return failure(503, 'failover-failed', `ask the leader: ${leadership.leader ?? 'none'}`);
    if (this.#busy) return failure(503, 'failover-failed', 'busy: try again');
    this.#busy = true;
    try {
      await failover.begin(primary, target, 'operator', signal);
      return { status: 200, body: { runId: failover.last?.runId, epoch: failover.last?.epoch, region: observer.primary } };
    } catch (error) {
      return failure(500, 'failover-failed', (error as Error).message);
    } finally {
      this.#busy = false;
    }
  }
}
