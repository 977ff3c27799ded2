import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '../platform/clock.ts';
import type { EventBody, RunEvent } from './event.ts';

/** How often waiting lines are written out. Events are stamped when recorded, so this delays nothing but the file. */
const FLUSH_PERIOD_MS = 50;

/**
 * The only writer of events.ndjson. `record` stamps and keeps the order; whole lines are appended every 50 ms and at close.
 * A runner killed in between loses at most that, and never leaves half a record before a whole one.
 */
export class Recorder {
  readonly #clock: Clock;
  readonly #descriptor: number;
  readonly #timer: NodeJS.Timeout;
  readonly #listeners = new Set<(event: RunEvent) => void>();
  #waiting = '';
  #closed = false;

  /** Creates the file; one that exists already is an error (a run is never overwritten). */
  constructor(file: string, clock: Clock) {
    this.#clock = clock;
    this.#descriptor = openSync(file, 'wx', 0o644);
    this.#timer = setInterval(() => this.#flush(), FLUSH_PERIOD_MS);
  }

  /** Appends one event, stamped now. After close it is dropped: what comes later is no part of the run. */
  record(body: EventBody): void {
    if (this.#closed) return;
    const event: RunEvent = { atMs: round(this.#clock.nowMs()), wall: this.#clock.wall(), ...body };
    this.#waiting += `${JSON.stringify(event)}\n`;
    for (const listener of this.#listeners) listener(event);
  }

  /** Calls back for every later event, in order; returns how to stop. The callback must not throw. */
  onEvent(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Writes out and syncs. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#flush();
    fsyncSync(this.#descriptor);
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#waiting === '') return;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
  }
}

/** Microseconds are enough, and keep the file readable. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
