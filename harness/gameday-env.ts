import type { LogWatch } from './engine/log-watch.ts';
import type { EffectProbe } from './fault/probe.ts';
import type { Fault, FaultPlan } from './fault/fault.ts';
import type { Clock } from './platform/clock.ts';
import type { Platform, RunContext } from './platform/platform.ts';

/** What a game day needs from outside itself. */
export interface GamedayEnv {
  readonly platform: Platform;
  readonly context: RunContext;
  readonly clock: Clock;
  readonly originNs: bigint;
  /** The experiments of each inject step's manifest, by the step's fault name. */
  readonly faults: ReadonlyMap<string, readonly Fault[]>;
  readonly logs: LogWatch;
  /** Who looks for the effect of a planned fault: independent of who injects it. */
  readonly openProbe: (fault: string, plan: FaultPlan, lastsMs: number | null) => EffectProbe;
  /** Where the kernel tells of this whole machine: /proc, unless a sandbox hides some of it. */
  readonly machineProc: string;
  /** Aborted: heal, clean up, and return. */
  readonly signal: AbortSignal;
}
