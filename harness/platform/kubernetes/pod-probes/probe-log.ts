import { z } from 'zod';
import type { Family } from '../../local/reach/protocol.ts';
import { PROBE_VERSION, type ProbeLine } from './probe-order.ts';

/** How much of the time that passes two monotonic clocks may disagree by: more than the kernel's own limit for a clock that is being corrected. */
const DRIFT = 0.001;
/** A line says most of what was just before it. */
const NEAR_MS = 5000;

const ms = z.number().nonnegative();
const count = z.number().int().nonnegative();
const family = z.union([z.literal(4), z.literal(6)]);
const lineSchema: z.ZodType<ProbeLine> = z.union([
  z.object({ line: z.literal(0), version: z.number(), session: z.number(), me: z.number(), atMs: ms }),
  z.object({
    line: count,
    atMs: ms,
    ticks: z.array(z.tuple([count, ms, ms])),
    arrived: z.array(z.tuple([count, family, count, count])),
  }),
  z.object({ line: count, ended: z.string() }),
]);

export interface ProbeIdentity {
  readonly session: number;
  readonly number: number;
  readonly pod: string;
  /** When its container was asked for, by the run's clock: nothing of it was before that. */
  readonly askedMs: number;
}

interface Look {
  readonly atMs: number;
  readonly receivedMs: number;
}

/**
 * What one probe wrote, as far as it came here without a gap: what stands after one is not believed, as nobody knows what came in meanwhile. Its clock is another machine's. Each of its instants
 * lies between two of ours: no earlier than its container was asked for, and as long after that as the probe counted; and no later than a line with a later time was received.
 */
export class ProbeLog {
  readonly identity: ProbeIdentity;
  readonly #ticks: { readonly beforeMs: number; readonly afterMs: number }[] = [];
  readonly #arrived = new Map<string, [first: number, last: number][]>();
  readonly #looks: Look[] = [];
  #startedMs: number | undefined;
  #lines = 0;
  #ended: string | undefined;

  constructor(identity: ProbeIdentity) {
    this.identity = identity;
  }

  /** One JSON object of its container's log, and when it was received. What is none of its lines, and what is read again, changes nothing. */
  add(object: unknown, receivedMs: number): void {
    const parsed = lineSchema.safeParse(object);
    if (!parsed.success || this.#ended !== undefined || parsed.data.line < this.#lines) return;
    const line = parsed.data;
    if (line.line > this.#lines) {
      this.#ended = 'a part of its log is missing';
      return;
    }
    this.#lines += 1;
    if ('ended' in line) this.#ended = line.ended;
    else if ('version' in line) this.#start(line);
    else if (this.#startedMs === undefined) this.#ended = 'its log has no beginning';
    else this.#report(line, receivedMs);
  }

  /** Why nothing more is to be had from it; undefined: it goes on. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** It has told what it sent and got, at least once. */
  get hasReported(): boolean {
    return this.#looks.length > 0;
  }

  /** How many rounds it is known to have sent. */
  get rounds(): number {
    return this.#ticks.length;
  }

  /** How wide the interval is in which its instants are known. */
  get doubtMs(): number {
    const last = this.#looks.at(-1)?.atMs;
    return last === undefined ? Infinity : this.notAfterMs(last) - this.notBeforeMs(last);
  }

  round(seq: number): { readonly beforeMs: number; readonly afterMs: number } | undefined {
    return this.#ticks[seq];
  }

  hasArrived(from: number, of: Family, seq: number): boolean {
    return this.#arrived.get(`${from}/${of}`)?.some(([first, last]) => first <= seq && seq <= last) === true;
  }

  /** Of the run's clock: until when everything that came in is known; -Infinity: nothing is. */
  get seenUntilMs(): number {
    const last = this.#looks.at(-1)?.atMs;
    return last === undefined ? -Infinity : this.notBeforeMs(last);
  }

  /** An instant of its clock was not before this one of the run's. */
  notBeforeMs(itsMs: number): number {
    return this.identity.askedMs + Math.max(0, itsMs - (this.#startedMs ?? Infinity)) * (1 - DRIFT);
  }

  /** An instant of its clock was not after this one of the run's; Infinity: not known yet. */
  notAfterMs(itsMs: number): number {
    let least = Infinity;
    for (let index = this.#looks.length - 1; index >= 0; index--) {
      const { atMs, receivedMs } = this.#looks[index] as Look;
      if (atMs < itsMs) break;
      if (atMs <= itsMs + NEAR_MS || least === Infinity) least = Math.min(least, receivedMs - (atMs - itsMs) * (1 - DRIFT));
    }
    return least;
  }

  #start({ version, session, me, atMs }: Extract<ProbeLine, { version: number }>): void {
    const { identity } = this;
    if (version === PROBE_VERSION && session === identity.session && me === identity.number) this.#startedMs = atMs;
    else this.#ended = `it is another probe (version ${version})`;
  }

  #report({ atMs, ticks, arrived }: Extract<ProbeLine, { ticks: unknown }>, receivedMs: number): void {
    this.#looks.push({ atMs, receivedMs });
    for (const [seq, beforeMs, afterMs] of ticks) {
      if (seq !== this.#ticks.length) {
        this.#ended = 'it left out what it sent';
        return;
      }
      this.#ticks.push({ beforeMs, afterMs });
    }
    for (const [peer, of, first, last] of arrived) {
      const ranges = this.#arrived.get(`${peer}/${of}`) ?? [];
      const before = ranges.at(-1);
      if (before !== undefined && before[1] + 1 === first) before[1] = last;
      else ranges.push([first, last]);
      this.#arrived.set(`${peer}/${of}`, ranges);
    }
  }
}
