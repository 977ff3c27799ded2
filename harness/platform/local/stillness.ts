/**
 * Who holds a pod's program still. Several faults may at a time: it goes on when the last of them lets it, or one that ends, or lets it run for a share of each period, would wake what another is
 * believed to hold.
 */
export class Stillness {
  readonly #signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  readonly #holders = new Set<object>();

  /** signal: to the program that runs now. */
  constructor(signal: (signal: 'SIGSTOP' | 'SIGCONT') => void) {
    this.#signal = signal;
  }

  stop(holder: object): void {
    this.#holders.add(holder);
    this.#signal('SIGSTOP');
  }

  go(holder: object): void {
    this.#holders.delete(holder);
    if (this.#holders.size === 0) this.#signal('SIGCONT');
  }
}
