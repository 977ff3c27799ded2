import { nowMs } from './log.ts';
import type { PrimaryParts } from './parts.ts';
import type { AppendReply } from './replica.ts';
import type { Bell } from './wait.ts';
import { pause } from './wait.ts';

const BATCH = 500;
const HEARTBEAT_MS = 50;

/** How the primary sees one standby, and the loop that ships the log to it. */
export class Standby {
  readonly region: string;
  readonly #epoch: number;
  readonly #parts: PrimaryParts;
  readonly #appended: Bell;
  #next: number;
  #match = 0;
  #answeredMs = -Infinity;
  #levelMs = nowMs();
  #catchingUp = false;

  constructor(region: string, epoch: number, parts: PrimaryParts, appended: Bell) {
    this.region = region;
    this.#epoch = epoch;
    this.#parts = parts;
    this.#appended = appended;
    this.#next = parts.replica.log.lastIndex + 1;
  }

  /** Up to here it is known to hold, durably, what we hold. */
  get matchIndex(): number {
    return this.#match;
  }
  /** Since its last answer. */
  get ageMs(): number {
    return nowMs() - this.#answeredMs;
  }
  get lagEntries(): number {
    return Math.max(0, this.#parts.replica.log.lastIndex - this.#match);
  }
  /** For how long it has not had everything. */
  get lagMs(): number {
    return this.lagEntries === 0 ? 0 : nowMs() - this.#levelMs;
  }

  /** Ships until the signal aborts; calls `advanced` after each answer. */
  async ship(signal: AbortSignal, advanced: () => void): Promise<void> {
    const { log } = this.#parts.replica;
    let snapshot = false;
    while (!signal.aborted) {
      if (this.#next > log.lastIndex && !snapshot && this.ageMs < HEARTBEAT_MS) await this.#appended.wait(HEARTBEAT_MS, signal);
      if (signal.aborted) return;
      try {
        const reply = await this.#send(snapshot);
        if (signal.aborted) return;
        snapshot = this.#take(reply);
        advanced();
      } catch {
        // Unreachable: ageMs grows and whoever looks at it decides. Try again soon.
        await pause(HEARTBEAT_MS, signal);
      }
    }
  }

  async #send(snapshot: boolean): Promise<AppendReply> {
    const { config, client, replica } = this.#parts;
    const prevIndex = this.#next - 1;
    const request = {
      region: config.region,
      epoch: this.#epoch,
      prevIndex,
      prevEpoch: replica.log.epochAt(prevIndex) ?? 0,
      entries: replica.log.from(this.#next, BATCH),
      commitIndex: replica.commitIndex,
    };
    const url = `${config.regions[this.region]?.database}/v1/${snapshot ? 'snapshot' : 'append'}`;
    const reply = await client.json('POST', url, request, config.policy.appendTimeoutMs);
    if (reply === null) throw new Error(`${url} refused`);
    return reply as AppendReply;
  }

  /** Says whether a snapshot has to follow. */
  #take(reply: AppendReply): boolean {
    const { log } = this.#parts.replica;
    this.#answeredMs = nowMs();
    switch (reply.result) {
      case 'ok':
        this.#match = Math.max(this.#match, reply.matchIndex);
        this.#next = reply.matchIndex + 1;
        if (this.lagEntries === 0) this.#level();
        return false;
      case 'gap':
        this.#catchingUp = true;
        this.#next = Math.min(reply.tryAfter, log.lastIndex) + 1;
        return false;
      case 'diverged':
        this.#catchingUp = true;
        return true;
      case 'epoch-passed':
        this.#parts.lease.giveUp(`${this.region} has sealed epoch ${reply.epoch}`);
        throw new Error('our epoch is over');
    }
  }

  #level(): void {
    this.#levelMs = nowMs();
    if (this.#catchingUp) this.#parts.say('resync_complete', { standby: this.region, index: this.#match });
    this.#catchingUp = false;
  }
}
