/** One question about the system. Decoded from YAML by decode.ts; durations are written `500ms`, `10s`, `5m`. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly platform: 'local' | 'kubernetes';
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly seed: number | null;
  readonly workload: Workload;
  readonly steadyMs: number;
  readonly method: readonly Step[];
  /** How long the system may take after the last step to be whole again (all regions caught up). */
  readonly settleMs: number;
  readonly expect: Expectation;
  readonly targets: Targets;
}

export interface Workload {
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly goodWithinMs: number;
  /** Consecutive good operations and time that make service "sustained". */
  readonly sustained: { readonly operations: number; readonly forMs: number };
}

export type Step =
  | { readonly do: 'inject'; readonly fault: string; readonly manifest: string }
  | { readonly do: 'observe'; readonly forMs: number }
  /** Waits until every mustRecover vantage has sustained service again, at most atMostMs; goes on either way. */
  | { readonly do: 'await-recovery'; readonly atMostMs: number }
  | { readonly do: 'heal'; readonly fault: string };

export interface Expectation {
  readonly failover: 'none' | 'one' | 'allowed';
  readonly outage: 'none' | 'expected' | 'allowed';
  readonly loss: 'none' | 'allowed';
  /** Vantages whose recovery the objective is judged on (worst of them). */
  readonly mustRecover: readonly string[];
}

export interface Targets {
  readonly recoveryTimeMs: number | null;
  readonly recoveryPointMs: number | null;
  readonly lostWrites: number | null;
}
