import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Beacon } from '../../../history/event.ts';
import type { Endpoints } from './endpoints.ts';
import { afterProbe, EMPTY_HISTORY, type LinkHistory } from './link-history.ts';
import type { Request } from './protocol.ts';

/** A probe that has not come in after this long is lost. It bounds what is remembered of a link. */
const LOST_AFTER_MS = 500;
/** What was sent last has so long to arrive when a watch ends. */
const LAST_ARRIVE_MS = 100;

interface Outstanding {
  readonly seq: number;
  readonly beforeMs: number;
  afterMs: number | null;
  arrived: boolean;
}

interface Watched {
  history: LinkHistory;
  outstanding: Outstanding[];
}

/** Steady datagrams on some links, one each a period, until stop(). Owner: the reach process. */
export class Watch {
  readonly #endpoints: Endpoints;
  readonly #nowMs: () => number;
  readonly #periodMs: number;
  readonly #links: ReturnType<Endpoints['links']>;
  readonly #watched: readonly Watched[];
  readonly #session: number;
  readonly #startedMs: number;
  /** Resolves when the first datagram of every link has been sent. */
  readonly started: Promise<void>;
  #tick = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    endpoints: Endpoints,
    { pairs, periodMs }: Pick<Extract<Request, { ask: 'watch' }>, 'pairs' | 'periodMs'>,
    nowMs: () => number,
  ) {
    this.#endpoints = endpoints;
    this.#nowMs = nowMs;
    this.#periodMs = periodMs;
    this.#links = endpoints.links(pairs);
    this.#watched = this.#links.map(() => ({ history: EMPTY_HISTORY, outstanding: [] }));
    this.#session = endpoints.open({ links: this.#links, arrived: (link, seq) => this.#arrived(link, seq) });
    this.#startedMs = nowMs();
    this.started = this.#sendAll();
  }

  /** Ends the sending, waits for what may still come in, and says what was seen. */
  async stop(): Promise<readonly Beacon[]> {
    clearTimeout(this.#timer);
    const untilMs = this.#nowMs() + LAST_ARRIVE_MS;
    const waiting = (): boolean => this.#watched.some((one) => one.outstanding.some((probe) => !probe.arrived));
    while (waiting() && this.#nowMs() < untilMs) await new Promise((resolve) => setTimeout(resolve, this.#periodMs));
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    this.#settle(Number.POSITIVE_INFINITY);
    this.#endpoints.shut(this.#session);
    return this.#links.map((link, index) => ({ ...link, ...(this.#watched[index]?.history ?? EMPTY_HISTORY) }));
  }

  /** Resolves when all of this tick's system calls have returned. */
  async #sendAll(): Promise<void> {
    const seq = this.#tick;
    const sent = this.#links.map((link, index) => {
      const probe: Outstanding = { seq, beforeMs: this.#nowMs(), afterMs: null, arrived: false };
      this.#watched[index]?.outstanding.push(probe);
      return new Promise<void>((resolve) =>
        this.#endpoints.send(link, { session: this.#session, link: index, seq }, () => {
          probe.afterMs = this.#nowMs();
          resolve();
        }),
      );
    });
    // Settling comes after the poll phase of this turn: what lay in the buffers while we were not scheduled has arrived.
    setImmediate(() => this.#settle(this.#nowMs() - LOST_AFTER_MS));
    // A late tick is not made up for by a burst: the next one is due at the next multiple of the period.
    this.#tick = Math.max(this.#tick, Math.floor((this.#nowMs() - this.#startedMs) / this.#periodMs)) + 1;
    this.#timer = setTimeout(() => void this.#sendAll(), Math.max(0, this.#startedMs + this.#tick * this.#periodMs - this.#nowMs()));
    await Promise.all(sent);
  }

  #arrived(link: number, seq: number): void {
    const probe = this.#watched[link]?.outstanding.find((one) => one.seq === seq);
    if (probe) probe.arrived = true;
  }

  #settle(sentBeforeMs: number): void {
    for (const one of this.#watched) {
      const due = one.outstanding.findIndex((probe) => probe.beforeMs >= sentBeforeMs);
      for (const { beforeMs, afterMs, arrived } of one.outstanding.splice(0, due < 0 ? one.outstanding.length : due))
        one.history = afterProbe(one.history, { beforeMs, afterMs: afterMs ?? beforeMs, arrived });
    }
  }
}
