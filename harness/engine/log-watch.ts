import type { RunEvent } from '../history/event.ts';

interface Waiting {
  readonly action: string;
  accepts(pod: string): boolean;
  tell(pod: string): void;
}

/** Tells when an engine program has logged a line with an action, and which pod it was. Follows the run's events (onEvent). */
export class LogWatch {
  #waiting: readonly Waiting[] = [];

  onEvent(event: RunEvent): void {
    if (event.kind !== 'engine-log') return;
    const { action, pod } = event;
    const told = this.#waiting.filter((one) => one.action === action && one.accepts(pod));
    if (told.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => !told.includes(one));
    for (const one of told) one.tell(pod);
  }

  /** The pod that logs this action next, of those that are accepted. Never resolves when none does: wait with a limit. */
  next(action: string, accepts: (pod: string) => boolean): Promise<string> {
    return new Promise((tell) => (this.#waiting = [...this.#waiting, { action, accepts, tell }]));
  }
}
