/** How long each step of a failover took, from one change of step to the next. */
export class StepClock {
  readonly #onStep: (step: string, seconds: number) => void;
  #current: { readonly step: string; readonly sinceMs: number } | null = null;

  constructor(onStep: (step: string, seconds: number) => void) {
    this.#onStep = onStep;
  }

  /** Called with the present step whenever it may have changed; null: no failover is under way. */
  at(step: string | null, nowMs: number): void {
    if (this.#current?.step === step) return;
    if (this.#current !== null) this.#onStep(this.#current.step, (nowMs - this.#current.sinceMs) / 1000);
    this.#current = step === null ? null : { step, sinceMs: nowMs };
  }
}
