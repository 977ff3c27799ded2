/** Something that happens to a process (or, without an owner, to the world) at a moment of virtual time. */
export interface Happening {
  atMs: number;
  order: number;
  readonly owner: Owner | null;
  readonly run: () => void;
  cancelled: boolean;
}

/** Whose happening it is: it takes it now, keeps it for later (a stopped process), or never will (a dead one). */
export interface Owner {
  take(happening: Happening): boolean;
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
  #order = 0;
  readonly #heap: Happening[] = [];

  /** Runs `run` for `owner` after `delayMs`. */
  after(delayMs: number, owner: Owner | null, run: () => void): Happening {
    const happening: Happening = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, owner, run, cancelled: false };
    this.#push(happening);
    return happening;
  }

  /** The rest of what happens now is another's: a message has arrived. */
  handOver(owner: Owner, run: () => void): void {
    if (!owner.take({ atMs: this.nowMs, order: this.#order++, owner, run, cancelled: false })) return;
    this.current = owner;
    run();
  }

  /** What its owner kept happens now. */
  again(happening: Happening): void {
    happening.atMs = this.nowMs;
    happening.order = this.#order++;
    this.#push(happening);
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
      const next = this.#pop();
      if (next === undefined) return;
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      if (next.owner !== null && !next.owner.take(next)) continue;
      this.current = next.owner;
      this.happenings++;
      next.run();
      settleAll();
      this.current = null;
      if (isOver()) return;
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent] as Happening, happening)) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child++;
      if (isBefore(last, heap[child] as Happening)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

const immediately = setImmediate;

/**
 * What Node does after each callback of its own: every promise and every tick (streams take those) runs to its end, with what they set off. To wait for that from outside costs a
 * promise and a turn of Node's queue for each happening, and streams need more turns than anybody can tell.
 */
const settleAll = (process as unknown as { readonly _tickCallback: () => void })._tickCallback;
