const FIRST_CAPACITY = 512;
const CHILDREN = 4;

/**
 * What is to happen, the earliest first; of what is to happen at the same time, what was asked for first. A heap of four children a node, with the times in arrays of numbers of their own: the
 * comparisons, which are most of the work, touch no objects.
 */
export class EventQueue<Item> {
  /** When the item that `take` gave last was due. */
  takenAtMs = 0;
  #atMs = new Float64Array(FIRST_CAPACITY);
  #orders = new Float64Array(FIRST_CAPACITY);
  readonly #items: Item[] = [];
  #asked = 0;

  add(atMs: number, item: Item): void {
    const items = this.#items;
    let at = items.length;
    if (at === this.#atMs.length) this.#grow();
    const [times, orders] = [this.#atMs, this.#orders];
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 2;
      // Nothing that is there was asked for later.
      if ((times[parent] as number) <= atMs) break;
      items[at] = items[parent] as Item;
      times[at] = times[parent] as number;
      orders[at] = orders[parent] as number;
      at = parent;
    }
    items[at] = item;
    times[at] = atMs;
    orders[at] = this.#asked++;
  }

  take(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined) return undefined;
    this.takenAtMs = this.#atMs[0] as number;
    if (items.length > 0) this.#sink(last, items.length);
    return first;
  }

  /** Puts the item that was the last of `count + 1` where it belongs, from the top on. */
  #sink(item: Item, count: number): void {
    const [items, times, orders] = [this.#items, this.#atMs, this.#orders];
    const [atMs, order] = [times[count] as number, orders[count] as number];
    let at = 0;
    for (;;) {
      const begin = CHILDREN * at + 1;
      if (begin >= count) break;
      const end = Math.min(begin + CHILDREN, count);
      let least = begin;
      let leastMs = times[begin] as number;
      for (let child = begin + 1; child < end; child++) {
        const childMs = times[child] as number;
        if (childMs < leastMs || (childMs === leastMs && (orders[child] as number) < (orders[least] as number))) {
          least = child;
          leastMs = childMs;
        }
      }
      if (atMs < leastMs || (atMs === leastMs && order < (orders[least] as number))) break;
      items[at] = items[least] as Item;
      times[at] = leastMs;
      orders[at] = orders[least] as number;
      at = least;
    }
    items[at] = item;
    times[at] = atMs;
    orders[at] = order;
  }

  #grow(): void {
    const [times, orders] = [new Float64Array(2 * this.#atMs.length), new Float64Array(2 * this.#atMs.length)];
    times.set(this.#atMs);
    orders.set(this.#orders);
    this.#atMs = times;
    this.#orders = orders;
  }
}
