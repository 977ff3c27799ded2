import type { FaultEffect } from '../history/event.ts';

/** Looks whether a plan's effect is there. Independent of whoever injects. Called in this order, each once; close() at any time. */
export interface EffectProbe {
  before(signal: AbortSignal): Promise<FaultEffect>;
  during(signal: AbortSignal): Promise<FaultEffect>;
  /** Null where the end of the effect leaves its own trace: beacons on links, exits and starts of processes. */
  beforeHeal(signal: AbortSignal): Promise<FaultEffect | null>;
  afterHeal(signal: AbortSignal): Promise<FaultEffect>;
  close(): Promise<void>;
}
