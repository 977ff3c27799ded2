import type { RunEvent } from '../history/event.ts';

/** Tells when an engine program has logged a line with an action, and which pod it was. Follows the run's events (onEvent). */
export class LogWatch {
  readonly #waiting = new Map<string, ((pod: string) => void)[]>();

  onEvent(event: RunEvent): void {
    if (event.kind !== 'engine-log') return;
    const waiting = this.#waiting.get(event.action) ?? [];
    this.#waiting.delete(event.action);
    for (const tell of waiting) tell(event.pod);
  }

  /** The pod that logs this action next. Never resolves when none does: wait with a limit. */
  next(action: string): Promise<string> {
    return new Promise((resolve) => this.#waiting.set(action, [...(this.#waiting.get(action) ?? []), resolve]));
  }
}
