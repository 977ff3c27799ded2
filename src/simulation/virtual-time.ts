import { EventQueue } from './event-queue.ts';

/** Something that happens to a process (or, without an owner, to the world) at a moment of virtual time. */
export interface Happening {
  readonly owner: Owner | null;
  readonly run: () => void;
  cancelled: boolean;
}

/** Whose happening it is. */
export interface Owner {
  /** Whether things happen to it now. */
  readonly takes: boolean;
  /** Where they do not: kept for later (a stopped process), or it never happens (a dead one). */
  keep(happening: Happening): void;
}

/**
 * The scheduler: one happening after the other in the order of virtual time, and between two of them everything that the first set off (promises) runs to its end. So whatever runs
 * meanwhile belongs to `current`, and the same seed gives the same run to the last detail.
 */
export class VirtualTime {
  nowMs = 0;
  /** Whose code is running. */
  current: Owner | null = null;
  happenings = 0;
  readonly #queue = new EventQueue<Happening>();

  /** Runs `run` for `owner` after `delayMs`. */
  after(delayMs: number, owner: Owner | null, run: () => void): Happening {
    const happening: Happening = { owner, run, cancelled: false };
    this.#queue.add(this.nowMs + Math.max(0, delayMs), happening);
    return happening;
  }

  /** The rest of what happens now is another's: a message has arrived. */
  handOver(owner: Owner, run: () => void): void {
    if (!owner.takes) return owner.keep({ owner, run, cancelled: false });
    this.current = owner;
    run();
  }

  /** What its owner kept happens now. */
  again(happening: Happening): void {
    this.#queue.add(this.nowMs, happening);
  }

  /** Goes on until `isOver` says so after a happening, or nothing is left to happen. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      // Not from within a promise: no other would settle meanwhile.
      immediately(() => {
        try {
          this.#run(isOver);
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  #run(isOver: () => boolean): void {
    for (;;) {
      const next = this.#queue.take();
      if (next === undefined) return;
      if (next.cancelled) continue;
      this.nowMs = this.#queue.takenAtMs;
      if (next.owner !== null && !next.owner.takes) {
        next.owner.keep(next);
        continue;
      }
      this.current = next.owner;
      this.happenings++;
      next.run();
      settleAll();
      this.current = null;
      if (isOver()) return;
    }
  }
}

const immediately = setImmediate;

/**
 * What Node does after each callback of its own: every promise and every tick (streams take those) runs to its end, with what they set off. To wait for that from outside costs a
 * promise and a turn of Node's queue for each happening, and streams need more turns than anybody can tell.
 */
const settleAll = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;
