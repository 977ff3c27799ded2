import type { Outcome } from '../history/event.ts';
import type { BackupAccount } from './backup-account.ts';

/**
 * What a run's events say, before anybody judges it. Pure data, made by measure.ts.
 * Instants are milliseconds on the run clock; `line` is the 1-based line of the event in events.ndjson.
 */
export interface Measurement {
  readonly faults: readonly FaultTimeline[];
  readonly vantages: readonly VantageMeasurement[];
  /** Worst recovery time over the scenario's mustRecover vantages and all faults. */
  readonly recovery: RecoveryTime;
  /** t8 − t1 as an interval; null when nothing was recovered or nothing was verified. */
  readonly verifiedRecovery: Interval | null;
  /** Longest time without an acknowledged write at any mustRecover vantage, steady state to end of load. */
  readonly writePause: WritePause | null;
  /** The worst of each mustRecover vantage that had one; none where the scenario allows an outage. */
  readonly brownOuts: readonly BrownOut[];
  readonly writes: WriteAccount;
  readonly reads: ReadAccount;
  readonly reigns: Reigns;
  readonly replicas: Replicas;
  readonly availability: readonly AvailabilitySecond[];
  /** Highest replication lag each region's database reported, by second: what the engine says, for the chart only. */
  readonly lag: readonly LagSample[];
  /** null: the scenario has no backups and no bulk load. Left out in records of before there were any. */
  readonly backups?: BackupAccount | null;
  /** null: nobody watched the machine. Left out in records of before it was watched. */
  readonly machine?: MachineMeasurement | null;
}

/** The machine that the harness, and in a lab the system too, ran on, from the steady state to the end of the load. Shown, never judged by. */
export interface MachineMeasurement {
  /** Shares of all processors' time: not idle; given to other machines by the host. */
  readonly busy: number;
  readonly stolen: number;
  /** Share of a second in which some program was ready and had no processor. */
  readonly waited: Spread | null;
  /** Share of a second that the kernel's threads for late packets were ready and had no processor: that one of them that waited longest. */
  readonly networkWait: Spread | null;
}

export interface Spread {
  readonly median: number;
  readonly max: number;
}

/** Bounds, not a number: the true value lies between them. */
export interface Interval {
  readonly lowerMs: number;
  readonly upperMs: number;
}

export type RecoveryTime =
  /** No operation was bad from the effect to the end of the load. */
  | { readonly state: 'no-outage' }
  | {
      readonly state: 'recovered';
      readonly lowerMs: number;
      readonly upperMs: number;
      readonly vantage: string;
      readonly fault: string;
      readonly line: number;
      /** Part of the above that the clients waited for the new address, after it first was writable; null when the address did not change. */
      readonly dnsShareMs: number | null;
      /** When there was service again, since the effect: an operation sent at the first bound was not served; at the second one was, that may have been on its way when the service came. */
      readonly servedFrom: Interval;
      /** How long the operation took that t7 is the end of. */
      readonly firstOperationMs: number;
      /** Part of the interval's width: how long the client itself stood still about then. The rest is probe period and injection. */
      readonly clientAwayMs: number;
    }
  /** Not back when the load ended: the truth is above lowerMs. */
  | { readonly state: 'censored'; readonly lowerMs: number; readonly vantage: string; readonly fault: string }
  | { readonly state: 'not-measured'; readonly reason: string };

/** t0 … t10 of one fault; null where it was not seen. t3, t4, t5 are what the engine's log says: shown, never judged. */
export interface FaultTimeline {
  readonly fault: string;
  readonly manifestKind: string;
  readonly action: string;
  readonly t0InjectCalledMs: number | null;
  readonly t1EffectMs: Interval | null;
  readonly t2FirstBadMs: number | null;
  readonly t3DetectedMs: number | null;
  readonly t4DecidedMs: number | null;
  readonly t5WritableMs: number | null;
  readonly t6FirstGoodMs: number | null;
  readonly t7SustainedMs: number | null;
  readonly t8VerifiedMs: number | null;
  readonly t9HealedMs: number | null;
  readonly t10RedundancyMs: number | null;
  readonly injectionLatencyMs: number | null;
  readonly injectionSkewMs: number | null;
}

export interface VantageMeasurement {
  readonly vantage: string;
  readonly mustRecover: boolean;
  readonly operations: number;
  readonly good: number;
  readonly slow: number;
  readonly failed: number;
  readonly unknown: number;
  readonly dropped: number;
  /** Of good operations, from the intended start. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null;
  /** Per fault, in the order of injection. */
  readonly recovery: readonly VantageRecovery[];
}

export interface VantageRecovery {
  readonly fault: string;
  readonly recovery: RecoveryTime;
  readonly firstBadMs: number | null;
  readonly firstGoodMs: number | null;
  readonly sustainedMs: number | null;
}

export interface WritePause {
  readonly vantage: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly pauseMs: number;
}

/** Answers that came too late: how long without sustained service, those of a minute together. */
export interface BrownOut extends Interval {
  readonly vantage: string;
  readonly stretches: number;
  /** From when the first late operation was due to when the last was. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How long, at least, answers had been late already when the load ended; 0: they were not. */
  readonly unfinishedMs: number;
  readonly lines: readonly number[];
}

/** One acknowledged, or issued, change of a key. */
export interface WriteRef {
  readonly vantage: string;
  readonly seq: number;
  readonly op: 'put' | 'delete';
  readonly key: string;
  readonly value: string | null;
  readonly intendedMs: number;
  readonly completedMs: number;
  readonly outcome: Outcome;
  readonly region: string | null;
  readonly line: number;
}

export interface Hole {
  readonly lost: WriteRef;
  /** Acknowledged later by the same region's reign, and present. */
  readonly present: WriteRef;
}

export interface WriteAccount {
  readonly issued: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** The region whose copy says what survived; null: no readable copy, then nothing below means anything. */
  readonly readBackRegion: string | null;
  /** Acknowledged by anybody (or read by anybody, which is as good), and gone without being overwritten or deleted. */
  readonly lost: readonly WriteRef[];
  readonly holes: readonly Hole[];
  /** Lost deletes: the key is there again. */
  readonly resurrected: readonly WriteRef[];
  /** Answered `applied: "no"` or never sent, yet there. */
  readonly phantoms: readonly WriteRef[];
  /** Keys or values in the copy that no client ever wrote. */
  readonly foreign: readonly { readonly key: string; readonly value: string }[];
  /** Lost writes that no exported divergent tail holds. */
  readonly unsaved: readonly WriteRef[];
  /** Acknowledgement of the last lost write minus that of the newest write of the contiguous recovered prefix, the worst of several losses; 0 when nothing is lost; null: no copy. */
  readonly recoveryPointMs: number | null;
  /** Nothing of before the first lost one is there: what is lost reaches back to the beginning, and would be more of a system that is older. */
  readonly lostFromStart: boolean;
}

export interface StaleRead {
  readonly vantage: string;
  readonly key: string;
  readonly value: string | null;
  readonly line: number;
  /** The newer value that was certainly there before the read began; null: the value was never written, or its write was refused. */
  readonly newer: string | null;
  readonly newerLine: number | null;
}
export interface ReadAccount {
  readonly reads: number;
  readonly stale: readonly StaleRead[];
}

/** A stretch of time in which one region answered. */
export interface Reign {
  readonly region: string;
  readonly firstAckMs: number;
  readonly lastAckMs: number;
  readonly acknowledgements: number;
  readonly claimedEpoch: number | null;
  readonly line: number;
}
export interface SplitBrain {
  readonly message: string;
  readonly lines: readonly number[];
}
export interface Reigns {
  readonly reigns: readonly Reign[];
  /** Changes of the serving region, seen from outside. */
  readonly changes: number;
  readonly splitBrain: readonly SplitBrain[];
}

export interface Replicas {
  readonly read: readonly { readonly region: string; readonly ok: boolean; readonly entries: number; readonly line: number }[];
  readonly differences: readonly {
    readonly region: string;
    readonly key: string;
    readonly here: string | null;
    readonly there: string | null;
  }[];
}

export interface AvailabilitySecond {
  readonly second: number;
  readonly vantage: string;
  readonly good: number;
  readonly slow: number;
  readonly failed: number;
  readonly unknown: number;
}

export interface LagSample {
  readonly second: number;
  readonly region: string;
  readonly lagMs: number;
}
