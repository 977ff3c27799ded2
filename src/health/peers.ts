import { z } from 'zod';
import type { Policy } from '../config/policy.ts';
import type { SeenStatus } from '../failover/state.ts';
import { NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { parseJson, type CallResult, type HttpClient } from '../platform/https-client.ts';
import { databaseStatusShape } from '../server/control-messages.ts';
import { takeVote, voteLifeMs, voteShape, type ReceivedVote } from './vote.ts';

export interface PeersOptions {
  readonly region: string;
  readonly incarnation: string;
  readonly regions: Readonly<Record<string, { readonly database: string; readonly controller: readonly string[] }>>;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly client: HttpClient;
  /** How often to ask: every probe period (1) where it decides, more seldom (above 1) where it does not, more often in the middle of a failover. */
  readonly pace: () => number;
  /** How much more seldom still to ask for votes, given how many others there are to ask. */
  readonly votesPace: (others: number) => number;
  /** A database or controller of another region answered. */
  readonly onContact: () => void;
  /** Something new was learnt. */
  readonly onNews: () => void;
}

/** Asked more seldom, a connection would be closed and made anew for each question, which costs more than it saves. */
const KEPT_OPEN_MS = 10_000;

/** Those who do not lead ask so many times more seldom. */
export const FOLLOWERS_PACE = 4;

/** Asks the other controllers for their votes and every database for its status; keeps the last answers. */
export class Peers {
  readonly #options: PeersOptions;
  /** By the address of the controller: a region may have several. */
  votes: ReadonlyMap<string, ReceivedVote> = new Map();
  databases: ReadonlyMap<string, SeenStatus> = new Map();
  /** When a database program was last asked and said that its database does not answer. */
  waitingAtMs: ReadonlyMap<string, number> = new Map();
  #pause = new AbortController();

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Asks until `signal` aborts. Each is asked by its own loop, so that one that hangs delays no other. */
  async run(signal: AbortSignal): Promise<void> {
    const { regions, policy, pace, votesPace } = this.#options;
    signal.addEventListener('abort', () => this.askNow(), { once: true });
    const controllers = this.#controllers();
    await Promise.all([
      ...Object.keys(regions).map((peer) =>
        this.#loop(
          () => 2 * policy.probePeriodMs * pace(),
          () => this.#askDatabase(peer, signal),
          signal,
        ),
      ),
      ...controllers.map(({ peer, url }) =>
        this.#loop(
          () => votesPeriodMs(policy.probePeriodMs * pace(), votesPace(controllers.length)),
          // An older one would count for nothing.
          () => this.#askVote({ peer, url, timeoutMs: voteLifeMs(policy) }, signal),
          signal,
        ),
      ),
    ]);
  }

  /** The only one of the own region is this one. */
  #controllers(): readonly { readonly peer: string; readonly url: string }[] {
    const { region, regions } = this.#options;
    return Object.entries(regions).flatMap(([peer, { controller }]) =>
      (peer === region && controller.length === 1 ? [] : controller).map((url) => ({ peer, url })),
    );
  }

  /** Asks everybody at once, whatever was the pace: for who begins to decide. */
  askNow(): void {
    this.#pause.abort(NO_LONGER_NEEDED);
    this.#pause = new AbortController();
  }

  /** Asks every controller for its vote once; resolves when each has answered, or has not for so long that those which have count for one period yet. */
  async askVotes(): Promise<void> {
    const { policy } = this.#options;
    const { signal } = new AbortController();
    const timeoutMs = voteLifeMs(policy) - policy.probePeriodMs;
    await Promise.all(this.#controllers().map(({ peer, url }) => this.#askVote({ peer, url, timeoutMs }, signal)));
  }

  async #loop(periodMs: () => number, ask: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      const startedAtMs = clock.monotonicMs();
      await ask();
      if (signal.aborted) return;
      const nextInMs = periodMs() - (clock.monotonicMs() - startedAtMs);
      await clock.sleep(Math.max(1, nextInMs), this.#pause.signal).catch(() => undefined);
    }
  }

  async #askVote(
    { peer, url, timeoutMs }: { readonly peer: string; readonly url: string; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    const sentAtMs = this.#options.clock.monotonicMs();
    const body = await this.#get(`${url}/v1/vote`, timeoutMs, signal);
    const parsed = voteShape.safeParse(body);
    if (!parsed.success || parsed.data.region !== peer || parsed.data.incarnation === this.#options.incarnation) return;
    this.votes = takeVote(this.votes, url, { vote: parsed.data, sentAtMs, receivedAtMs: this.#options.clock.monotonicMs() });
    this.#heard(peer);
  }

  async #askDatabase(peer: string, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#options.clock.monotonicMs();
    const { regions, policy, client } = this.#options;
    const result = await client.call(`${regions[peer]?.database}/v1/status`, { timeoutMs: policy.suspectAfterMs, signal });
    if (isWaiting(result)) this.waitingAtMs = new Map(this.waitingAtMs).set(peer, askedAtMs);
    const parsed = databaseStatusShape.safeParse(bodyOf(result));
    if (!parsed.success || parsed.data.region !== peer) return;
    this.databases = new Map(this.databases).set(peer, { status: parsed.data, askedAtMs });
    this.#heard(peer);
  }

  async #get(url: string, timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    return bodyOf(await this.#options.client.call(url, { timeoutMs, signal }));
  }

  #heard(peer: string): void {
    // What answers in the own region says nothing about being cut off.
    if (peer !== this.#options.region) this.#options.onContact();
    this.#options.onNews();
  }
}

function bodyOf(result: CallResult): unknown {
  return result.kind === 'reply' && result.status === 200 ? parseJson(result.body) : undefined;
}

const waitingShape = z.object({ error: z.object({ code: z.literal('database-unavailable') }) });

function isWaiting(result: CallResult): boolean {
  return result.kind === 'reply' && result.status === 503 && waitingShape.safeParse(parseJson(result.body)).success;
}

function votesPeriodMs(usualMs: number, pace: number): number {
  return Math.min(usualMs * pace, Math.max(usualMs, KEPT_OPEN_MS));
}
