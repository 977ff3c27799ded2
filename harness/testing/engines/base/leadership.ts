import { randomUUID } from 'node:crypto';
import type { Arbiter } from './arbiter.ts';
import type { Config } from './config.ts';
import { nowMs, type Log } from './log.ts';
import { pause } from './wait.ts';

/** Which controller acts: the one whose record in the arbiter keeps changing. */
export class Leadership {
  readonly #config: Config;
  readonly #arbiter: Arbiter;
  readonly #say: Log;
  readonly #incarnation = randomUUID();
  #seen = { revision: -1, atMs: nowMs() };
  #leader: string | null = null;
  #untilMs = -Infinity;
  #term = 0;

  constructor(config: Config, arbiter: Arbiter, say: Log) {
    this.#config = config;
    this.#arbiter = arbiter;
    this.#say = say;
  }

  get leader(): string | null {
    return this.#leader;
  }
  get mine(): boolean {
    return nowMs() < this.#untilMs;
  }

  /** Rises with every election that we win: what we knew before may have been changed by another leader. */
  get term(): number {
    return this.#term;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#round().catch(() => undefined);
      await pause(this.#config.policy.leaderRenewMs, signal);
    }
  }

  async #round(): Promise<void> {
    const { value, revision } = await this.#arbiter.read('leader');
    if (revision !== this.#seen.revision) this.#seen = { revision, atMs: nowMs() };
    this.#leader = value?.region ?? null;
    const mine = value?.incarnation === this.#incarnation;
    const { leaderTakeoverMs } = this.#config.policy;
    if (value !== null && !mine && nowMs() - this.#seen.atMs < leaderTakeoverMs) return;
    const sentMs = nowMs();
    const next = { region: this.#config.region, incarnation: this.#incarnation, seq: mine ? value.seq + 1 : 0 };
    if ((await this.#arbiter.swap('leader', next, revision)) === null) return;
    this.#untilMs = sentMs + leaderTakeoverMs;
    this.#leader = this.#config.region;
    if (mine) return;
    this.#term++;
    this.#say('leader_elected', { leader: this.#config.region });
  }
}
