import type { Primitive } from '../platform.ts';
import type { Supervisor } from './supervisor.ts';

type Freeze = Extract<Primitive, { readonly act: 'freeze' }>;

/** What freezing needs of a pod. */
export type FreezablePod = Pick<Supervisor, 'stillness' | 'noteFrozen'>;

/**
 * Holds the programs of some pods still, all the time or for a share of each period, as the kernel does with a container that has used up its
 * share of a processor. Owner of the timers until thaw(); a program that ends while it is still is its supervisor's business.
 */
export class Freezer {
  readonly #freeze: Freeze;
  readonly #supervisors: readonly FreezablePod[];
  #timer: NodeJS.Timeout | undefined;
  #active = false;

  constructor(freeze: Freeze, supervisors: readonly FreezablePod[]) {
    this.#freeze = freeze;
    this.#supervisors = supervisors;
  }

  start(): void {
    if (this.#active) return;
    this.#active = true;
    for (const supervisor of this.#supervisors) supervisor.noteFrozen(true);
    this.#stop();
  }

  /** Idempotent. */
  thaw(): void {
    if (!this.#active) return;
    this.#active = false;
    clearTimeout(this.#timer);
    for (const supervisor of this.#supervisors) {
      supervisor.stillness.go(this);
      supervisor.noteFrozen(false);
    }
  }

  #stop(): void {
    for (const supervisor of this.#supervisors) supervisor.stillness.stop(this);
    const { share, periodMs } = this.#freeze;
    if (share < 1) this.#timer = setTimeout(() => this.#go(), share * periodMs);
  }

  #go(): void {
    for (const supervisor of this.#supervisors) supervisor.stillness.go(this);
    const { share, periodMs } = this.#freeze;
    this.#timer = setTimeout(() => this.#stop(), (1 - share) * periodMs);
  }
}
