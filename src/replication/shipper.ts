import type { Database } from '../database/database.ts';
import type { Clock } from '../platform/clock.ts';
import { parseJson, type HttpClient } from '../platform/https-client.ts';
import { LineExchange } from '../platform/line-exchange.ts';
import type { Policy } from '../config/policy.ts';
import type { Log } from '../telemetry/log.ts';
import { resumeAfterMismatch } from './append.ts';
import { commonPoint, epochAt } from './epochs.ts';
import { sendSnapshot } from './snapshot-transfer.ts';
import { decodeAppendReply, encodeAppend, type AppendReply } from './wire.ts';

const BATCH_BYTES = 1024 * 1024;
const FIRST_BACKOFF_MS = 25;

/** What a primary wants of its standbys while the arbiter is silent. */
export interface DirectLeaseSide {
  /** Whether appends are to ask for a promise. */
  readonly wanted: () => boolean;
  readonly promised: (region: string, askedAtMs: number) => void;
}

export interface ShipperOptions {
  readonly database: Database;
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: Policy;
  readonly region: string;
  readonly epoch: number;
  readonly standby: { readonly region: string; readonly url: string };
  readonly directLease: DirectLeaseSide;
  /** Its disk forgot what it had acknowledged. */
  readonly onForgot: () => void;
  /** Whether it may be given what it lacks. */
  readonly mayFill: () => boolean;
  /** The standby acknowledged (also a heartbeat), or was found to hold less than before. */
  readonly onAcknowledged: () => void;
  readonly onEpochPassed: (sealedEpoch: number) => void;
}

/** Brings one standby's log to that of the primary and keeps it there. One append under way at a time; what gathers meanwhile is the next. */
export class Shipper {
  readonly region: string;
  readonly #options: ShipperOptions;
  readonly #exchange: LineExchange;
  #matchIndex = 0;
  #prevIndex: number;
  #snapshotFrom: number | null = null;
  #lastAckMs: number | null = null;
  #promisesAsked = 0;
  #reachable = true;
  #wake: (() => void) | null = null;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.region = options.standby.region;
    this.#exchange = new LineExchange(options.client, `${options.standby.url}/v1/append`);
    this.#prevIndex = options.database.state().log.index;
  }

  get matchIndex(): number {
    return this.#matchIndex;
  }

  /** Since the last acknowledgement; Infinity when there was none. */
  ageMs(nowMs: number): number {
    return this.#lastAckMs === null ? Infinity : nowMs - this.#lastAckMs;
  }

  /** There is something new to ship. */
  wake(): void {
    this.#wake?.();
  }

  /** Ships until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#ship(signal);
    } finally {
      this.#exchange.close();
    }
  }

  async #ship(signal: AbortSignal): Promise<void> {
    const { clock, policy, log } = this.#options;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!signal.aborted) {
      const reached = this.#snapshotFrom === null ? await this.#append(signal) : await this.#snapshot(this.#snapshotFrom, signal);
      if (signal.aborted) return;
      if (reached !== this.#reachable) {
        this.#reachable = reached;
        log.info(reached ? 'standby_reached' : 'standby_unreachable', { standby: this.region });
      }
      if (!reached) {
        await clock.sleep(backoffMs, signal).catch(() => undefined);
        backoffMs = Math.min(backoffMs * 2, policy.appendTimeoutMs);
        continue;
      }
      backoffMs = FIRST_BACKOFF_MS;
      if (this.#snapshotFrom === null && this.#prevIndex >= this.#options.database.state().log.index) await this.#idle(signal);
    }
  }

  /** Until something new is there or a heartbeat is due. */
  async #idle(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, this.#options.policy.probePeriodMs);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  /** Whether the standby answered and takes our epoch. */
  async #append(signal: AbortSignal): Promise<boolean> {
    const { database, policy, region, epoch, clock, directLease } = this.#options;
    const state = database.state();
    const prevEpoch = epochAt(state.epochs, state.log.index, this.#prevIndex);
    if (prevEpoch === null || this.#prevIndex < state.baseIndex) {
      this.#snapshotFrom = Math.min(this.#matchIndex, this.#prevIndex);
      return true;
    }
    const entries = this.#prevIndex < state.log.index ? database.entries(this.#prevIndex + 1, BATCH_BYTES) : [];
    const promise = directLease.wanted() ? ++this.#promisesAsked : undefined;
    const sentAtMs = clock.monotonicMs();
    const line = encodeAppend({
      epoch,
      region,
      prev: { epoch: prevEpoch, index: this.#prevIndex },
      commitIndex: state.commitIndex,
      lastIndex: state.log.index,
      entries,
      promise,
      promiseMs: promise === undefined ? undefined : policy.successorWaitsMs,
    });
    const answer = await this.#exchange.ask(line, policy.appendTimeoutMs, signal);
    const reply = answer === null || signal.aborted ? null : decodeAppendReply(parseJson(answer));
    if (reply === null) return false;
    if (promise !== undefined && reply.kind !== 'epoch-passed' && reply.promised === promise) directLease.promised(this.region, sentAtMs);
    return this.#take(reply);
  }

  /** False when it refuses our epoch: asked again ever more slowly, as if it were not there. */
  #take(reply: AppendReply): boolean {
    const { database, clock, onAcknowledged, onEpochPassed, onForgot, mayFill, log } = this.#options;
    if (reply.kind === 'epoch-passed') {
      onEpochPassed(reply.sealedEpoch);
      return false;
    }
    this.#lastAckMs = clock.monotonicMs();
    if (reply.kind === 'ok') {
      this.#matchIndex = Math.max(this.#matchIndex, reply.matchIndex);
      this.#prevIndex = this.#matchIndex;
    } else {
      const own = database.state();
      const common = commonPoint(own.epochs, own.log.index, reply.log.epochs, reply.log.lastIndex);
      // It said before that more was durable there: its disk forgot. What it acknowledges no longer counts.
      if (common < this.#matchIndex) {
        log.error('standby_lost_entries', { standby: this.region, had: this.#matchIndex, has: common });
        onForgot();
      }
      this.#matchIndex = Math.min(this.#matchIndex, common);
      this.#prevIndex = own.log.index;
      if (!mayFill()) return true;
      const resume = resumeAfterMismatch(common, own.baseIndex, reply.log.commitIndex);
      if (resume.kind === 'append') this.#prevIndex = resume.prevIndex;
      else this.#snapshotFrom = resume.commonIndex;
    }
    onAcknowledged();
    return true;
  }

  async #snapshot(commonIndex: number, signal: AbortSignal): Promise<boolean> {
    const { database, client, epoch, region, standby, log, policy } = this.#options;
    log.info('resync_started', { standby: this.region, common_index: commonIndex });
    const copy = await database.snapshot();
    const reply = await sendSnapshot({
      client,
      url: standby.url,
      copy,
      header: { epoch, region, commonIndex },
      stallMs: policy.stepTimeoutMs,
      signal,
    });
    if (signal.aborted || reply === null) return false;
    if (reply.kind === 'ok') {
      this.#snapshotFrom = null;
      this.#prevIndex = reply.matchIndex;
      log.info('resync_sent', { standby: this.region, index: reply.matchIndex });
    } else if (reply.kind === 'mismatch') this.#snapshotFrom = null;
    return this.#take(reply);
  }
}
