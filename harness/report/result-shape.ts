import { z } from 'zod';
import { backupsShape } from './backup-shape.ts';

/**
 * `result.json`: what a run found, complete enough to draw every other report from it. Documented in reports/README.md.
 * Instants (`…Ms` called at, from, to, t0…t10) are milliseconds on the run clock; `line` is the 1-based line of events.ndjson.
 * The version rises when a field changes its meaning or goes; a new field alone does not raise it.
 */
export const RESULT_SCHEMA = 1;

const instant = z.number().nullable();
const spread = z.strictObject({ median: z.number(), max: z.number() });
const interval = z.strictObject({ lowerMs: z.number(), upperMs: z.number() });
const verdict = z.enum(['pass', 'fail', 'inconclusive']);
const findingOutcome = z.enum(['pass', 'fail', 'inconclusive', 'warn', 'skipped']);
const count = z.number().int().nonnegative();

const recovery = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('no-outage') }),
  z.strictObject({
    state: z.literal('recovered'),
    lowerMs: z.number(),
    upperMs: z.number(),
    vantage: z.string(),
    fault: z.string(),
    line: count,
    dnsShareMs: z.number().nullable(),
    servedFrom: z.object({ lowerMs: z.number(), upperMs: z.number() }).default({ lowerMs: 0, upperMs: 0 }),
    firstOperationMs: z.number(),
    clientAwayMs: z.number().default(0),
  }),
  z.strictObject({ state: z.literal('censored'), lowerMs: z.number(), vantage: z.string(), fault: z.string() }),
  z.strictObject({ state: z.literal('not-measured'), reason: z.string() }),
]);

const write = z.strictObject({
  vantage: z.string(),
  seq: count,
  op: z.enum(['put', 'delete']),
  key: z.string(),
  value: z.string().nullable(),
  intendedMs: z.number(),
  completedMs: z.number(),
  region: z.string().nullable(),
  line: count,
});

/** A figure that the scenario sets an objective for: what was asked, what came out, who says how it stands. */
const target = z.strictObject({
  name: z.enum(['recovery-time', 'write-pause', 'brown-out', 'recovery-point', 'lost-writes', 'backup-age', 'restore-time']),
  asked: z.number().nullable(),
  unit: z.enum(['ms', 'writes']),
  measured: z.union([interval, z.number()]).nullable(),
  /** What to show: `2.41–2.46 s`, `> 30 s`, `none`. */
  text: z.string(),
  outcome: findingOutcome,
});

const timelinePoint = z.enum([
  't0InjectCalled',
  't1Effect',
  't2FirstBad',
  't3Detected',
  't4Decided',
  't5Writable',
  't6FirstGood',
  't7Sustained',
  't8Verified',
  't9Healed',
  't10Redundancy',
]);
export type TimelinePoint = z.infer<typeof timelinePoint>;

const podTarget = z.strictObject({ pod: z.string(), region: z.string() });
const effect = z.strictObject({
  moment: z.enum(['before', 'during', 'before-heal', 'after-heal']),
  confirmed: z.boolean(),
  asked: z.string(),
  measured: z.string(),
});

const fault = z.strictObject({
  fault: z.string(),
  manifestFile: z.string(),
  manifestSha256: z.string(),
  kind: z.string(),
  action: z.string(),
  mode: z.string(),
  /** What the manifest lets it last, counted from the injection; null: until it is healed. */
  durationMs: z.number().nullable().default(null),
  sources: z.array(podTarget),
  targets: z.array(podTarget),
  notes: z.array(z.string()),
  /** Dose asked against dose measured, before, during and after. */
  effects: z.array(effect),
  injectionLatencyMs: z.number().nullable(),
  injectionSkewMs: z.number().nullable(),
  /** The later bound of t1 is when the effect certainly was there; null: never seen. */
  effectMs: interval.nullable(),
  points: z.record(timelinePoint, instant),
  /** From each point that was seen to the next one in time. */
  differences: z.array(z.strictObject({ from: timelinePoint, to: timelinePoint, ms: z.number() })),
});

const vantage = z.strictObject({
  vantage: z.string(),
  mustRecover: z.boolean(),
  operations: count,
  good: count,
  slow: count,
  failed: count,
  unknown: count,
  dropped: count,
  latencyMs: z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() }).nullable(),
  recovery: z.array(z.strictObject({ fault: z.string(), recovery })),
});

export const resultShape = z.strictObject({
  schema: z.literal(RESULT_SCHEMA),
  runId: z.string(),
  startedWall: z.string(),
  durationMs: z.number(),
  scenario: z.strictObject({
    name: z.string(),
    question: z.string(),
    file: z.string(),
    platform: z.string(),
    replication: z.string(),
    policy: z.string(),
    expect: z.strictObject({ failover: z.string(), outage: z.string(), loss: z.string(), mustRecover: z.array(z.string()) }),
    workload: z.strictObject({ periodMs: z.number(), timeoutMs: z.number(), goodWithinMs: z.number() }),
  }),
  verdict: z.strictObject({ outcome: verdict, reason: z.string() }),
  findings: z.array(z.strictObject({ check: z.string(), outcome: findingOutcome, message: z.string(), evidence: z.array(count) })),
  targets: z.array(target),
  recovery,
  verifiedRecovery: interval.nullable(),
  recoveryPointMs: z.number().nullable(),
  writePause: z.strictObject({ vantage: z.string(), fromMs: z.number(), toMs: z.number(), pauseMs: z.number() }).nullable(),
  writes: z.strictObject({
    issued: count,
    acknowledged: count,
    failed: count,
    unknown: count,
    readBackRegion: z.string().nullable(),
    lost: z.array(write),
    /** How many of a bulk load are lost, which are not among those: nobody knows when they were written. */
    lostOfBulk: count.default(0),
    /** How many of the lost ones no exported file holds either. */
    unsaved: count,
    holes: count,
    resurrected: count,
    phantoms: count,
    foreign: count,
  }),
  reads: z.strictObject({ count, stale: count }),
  splitBrain: z.array(z.string()),
  /** Which region answered when, seen from outside. */
  reigns: z.array(z.strictObject({ region: z.string(), firstAckMs: z.number(), lastAckMs: z.number(), acknowledgements: count })),
  replicas: z.array(z.strictObject({ region: z.string(), ok: z.boolean(), entries: count, differences: count })),
  faults: z.array(fault),
  /** What the operator ordered with the engine's own command line. */
  orders: z.array(z.strictObject({ command: z.string(), givenMs: z.number(), endedMs: z.number(), exitCode: z.number().nullable() })),
  /** null: the scenario has no backups and no bulk load. */
  backups: backupsShape.nullable(),
  phases: z.array(z.strictObject({ phase: z.string(), atMs: z.number() })),
  vantages: z.array(vantage),
  availability: z.array(
    z.strictObject({ second: z.number().int(), vantage: z.string(), good: count, slow: count, failed: count, unknown: count }),
  ),
  /** What the engine reported, for the chart: never part of the judgement. */
  lag: z.array(z.strictObject({ second: z.number().int(), region: z.string(), lagMs: z.number() })),
  /** What the engine says it did, beside what was measured. */
  engineClaims: z.array(z.strictObject({ atMs: z.number(), pod: z.string(), action: z.string(), detail: z.string() })),
  environment: z.strictObject({
    seed: z.number(),
    kernel: z.string(),
    cpus: z.number(),
    node: z.string(),
    user: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
  /** How busy the machine was meanwhile, as shares; null: not watched. */
  machine: z
    .strictObject({ busy: z.number(), stolen: z.number(), waited: spread.nullable(), networkWait: spread.nullable() })
    .nullable()
    .default(null),
  aborted: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  /** Differences from the state before the run; empty is clean; null: the run did not get so far as to look. */
  leftovers: z.array(z.string()).nullable(),
  notes: z.array(z.string()),
  whatThisDoesNotProve: z.array(z.string()),
});
export type ResultDocument = z.infer<typeof resultShape>;
export type ResultTarget = z.infer<typeof target>;
export type ResultFault = z.infer<typeof fault>;
export type ResultRecovery = z.infer<typeof recovery>;
