/** When something began, and when it had certainly been done. */
interface Times {
  readonly beganMs: number;
  readonly doneMs: number;
}

/** What happened, findable by when: a run of an hour has ten thousands of writes of a register, and to go through all of them for each read would take hours. */
export class ByTime<T> {
  readonly #sorted: readonly { readonly atMs: number; readonly item: T }[];
  /** Done before it began: no honest record has any, and then nothing may be overlooked. */
  readonly #absurd: readonly (Times & { readonly item: T })[];

  constructor(items: readonly T[], timesOf: (item: T) => Times) {
    const timed = items.map((item) => ({ ...timesOf(item), item }));
    this.#absurd = timed.filter(({ beganMs, doneMs }) => doneMs < beganMs);
    this.#sorted = timed
      .filter(({ beganMs, doneMs }) => doneMs >= beganMs)
      .map(({ doneMs, item }) => ({ atMs: doneMs, item }))
      .sort((a, b) => a.atMs - b.atMs);
  }

  /** At least all that began after the first instant and was done before the second; never what was done later. */
  between(afterMs: number, beforeMs: number): readonly T[] {
    const found: T[] = this.#absurd.filter(({ doneMs }) => doneMs < beforeMs).map(({ item }) => item);
    for (let index = this.#firstAfter(afterMs); index < this.#sorted.length; index++) {
      const one = this.#sorted[index];
      if (one === undefined || one.atMs >= beforeMs) break;
      found.push(one.item);
    }
    return found;
  }

  #firstAfter(ms: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.atMs ?? Infinity) <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first item of each key. */
export function firstBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, T> {
  const first = new Map<K, T>();
  for (const item of items) if (!first.has(keyOf(item))) first.set(keyOf(item), item);
  return first;
}
