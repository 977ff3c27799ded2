/** Which scenarios are played together: `default` by `./scripts/gameday`, the others with `--set`. */
export const SETS = ['default', 'failover', 'nightly'] as const;
export type ScenarioSet = (typeof SETS)[number];
/** How often the service may move; `ordered`: once for each order of the operator that succeeded, never before it was given, to where it said. */
export const FAILOVERS = ['none', 'one', 'at-most-one', 'ordered', 'allowed'] as const;

/** One question about the system. Decoded from YAML by decode.ts; durations are written `500ms`, `10s`, `5m`. */
export interface Scenario {
  readonly name: string;
  readonly question: string;
  readonly sets: readonly ScenarioSet[];
  readonly platform: 'local' | 'kubernetes';
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly controllersPerRegion: 1 | 2;
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
  /** The experiments are injected when an engine program logs a line with this action, and hit only the pod that logged it. */
  | { readonly do: 'arm'; readonly fault: string; readonly manifest: string; readonly at: string }
  | { readonly do: 'observe'; readonly forMs: number }
  /** Waits until every mustRecover vantage has sustained service again, at most atMostMs; goes on either way. */
  | { readonly do: 'await-recovery'; readonly atMostMs: number }
  | { readonly do: 'heal'; readonly fault: string }
  /** `coditect-dr ARGS` in the operator's pod; waits for its end. */
  | { readonly do: 'order'; readonly args: readonly string[]; readonly exits: number; readonly atMostMs: number };

export interface Expectation {
  readonly failover: (typeof FAILOVERS)[number];
  readonly outage: 'none' | 'expected' | 'allowed';
  readonly loss: 'none' | 'allowed';
  /** Vantages whose recovery the objective is judged on (worst of them). */
  readonly mustRecover: readonly string[];
}

export interface Targets {
  readonly recoveryTimeMs: number | null;
  readonly recoveryPointMs: number | null;
  readonly lostWrites: number | null;
  /** Longest time without an acknowledged write at any mustRecover vantage, over the whole run: for what is planned. */
  readonly writePauseMs: number | null;
}
