import { z } from 'zod';
import { complain } from '../scenario/complain.ts';
import { backupEvents } from './backup-event-schema.ts';
import { EVENT_SCHEMA, type EventBody, type RunEvent } from './event.ts';

const ms = z.number();
const texts = z.record(z.string(), z.string());
const target = z.object({ pod: z.string(), region: z.string() });
const moment = z.enum(['before', 'during', 'after-heal']);
const pods = z.array(z.string());
const family = z.union([z.literal(4), z.literal(6)]);
const expected = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('links-cut'),
    pods,
    families: z.array(family).min(1).exactOptional(),
    cut: z.array(z.object({ from: z.string(), to: z.string(), families: z.array(family) })),
    unobservable: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('links-lossy'),
    pods,
    families: z.array(family).min(1).exactOptional(),
    lossy: z.array(z.object({ from: z.string(), to: z.string(), families: z.array(family) })),
    share: z.number(),
  }),
  z.object({ kind: z.literal('processes-gone'), pods, afterwards: z.enum(['replaced', 'restarted', 'held']) }),
  z.object({ kind: z.literal('processes-frozen'), pods, share: z.number() }),
  z.object({ kind: z.literal('clocks-moved'), pods, offsetMs: ms }),
  z.object({ kind: z.literal('unseen'), pods, what: z.string() }),
]);
const beacon = z.object({
  from: z.string(),
  to: z.string(),
  family,
  lastArrivedSentMs: ms.nullable(),
  firstLostSentMs: ms.nullable(),
  lastLostSentMs: ms.nullable(),
  firstArrivedAgainSentMs: ms.nullable(),
  firstBackSentMs: ms.nullable().exactOptional(),
  arrivedSinceLost: z.number().exactOptional(),
  sent: z.number(),
  received: z.number(),
});
const evidence = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('links'), beacons: z.array(beacon) }),
  z.object({ kind: z.literal('losses'), sample: z.array(beacon), spanning: z.array(beacon), sinceMs: ms }),
  z.object({
    kind: z.literal('processes'),
    processes: z.array(z.object({ pod: z.string(), pid: z.number(), startedTicks: z.number(), command: z.string(), state: z.string() })),
    lastThereMs: ms.exactOptional(),
  }),
  z.object({
    kind: z.literal('states'),
    states: z.array(z.object({ atMs: ms, pod: z.string(), pid: z.number(), state: z.string() })),
  }),
  z.object({ kind: z.literal('clocks'), readings: z.array(z.object({ atMs: ms, pod: z.string(), offsetMs: ms.nullable() })) }),
  z.object({ kind: z.literal('none') }),
]);
const call = { fault: z.string(), requestedMs: ms, acknowledgedMs: ms };

const bodies = [
  z.object({
    kind: z.literal('run-started'),
    schema: z.literal(EVENT_SCHEMA),
    runId: z.string(),
    originNs: z.string(),
    scenario: z.unknown(),
    scenarioFile: z.string(),
    seed: z.number(),
    platform: z.string(),
    ledger: z.literal('templates').exactOptional(),
    machine: z.object({ kernel: z.string(), cpus: z.number(), node: z.string(), user: z.string() }),
    versions: texts,
    regionOfAddress: texts,
    primaryRegion: z.string().exactOptional(),
    vantages: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('phase'),
    phase: z.enum(['setup', 'steady', 'inject', 'observe', 'heal', 'settle', 'readback', 'teardown']),
  }),
  z.object({
    kind: z.literal('op'),
    vantage: z.string(),
    seq: z.number().int().nonnegative(),
    op: z.enum(['put', 'get', 'delete']),
    key: z.string(),
    value: z.string().nullable(),
    intendedMs: ms,
    completedMs: ms,
    outcome: z.enum(['ok', 'failed', 'unknown']),
    lateMs: ms.exactOptional(),
    awakeMs: ms.exactOptional(),
    dnsMs: ms,
    address: z.string().exactOptional(),
    claimedRegion: z.string().exactOptional(),
    claimedEpoch: z.number().exactOptional(),
    reason: z.string().exactOptional(),
  }),
  z.object({
    kind: z.literal('fault-planned'),
    fault: z.string(),
    manifestFile: z.string(),
    manifestSha256: z.string(),
    manifestKind: z.string(),
    action: z.string(),
    mode: z.string(),
    durationMs: ms.nullable().exactOptional(),
    seed: z.number(),
    sources: z.array(target),
    targets: z.array(target),
    expected,
    notes: z.array(z.string()),
  }),
  z.object({ kind: z.literal('fault-injected'), ...call }),
  z.object({
    kind: z.literal('fault-effect'),
    fault: z.string(),
    moment: z.enum(['before', 'during', 'before-heal', 'after-heal']),
    confirmed: z.boolean(),
    betweenMs: z.tuple([ms, ms]).exactOptional(),
    skewMs: ms.exactOptional(),
    asked: z.string(),
    measured: z.string(),
    evidence,
  }),
  z.object({ kind: z.literal('fault-healed'), ...call }),
  z.object({
    kind: z.literal('reachability'),
    moment,
    fault: z.string().nullable(),
    cells: z.array(z.object({ from: z.string(), to: z.string(), family, sent: z.number(), received: z.number() })),
  }),
  z.object({
    kind: z.literal('pod'),
    pod: z.string(),
    region: z.string(),
    change: z.enum(['started', 'ready', 'exited', 'killed', 'held', 'released', 'frozen', 'thawed', 'restart-scheduled']),
    pid: z.number().exactOptional(),
    exitCode: z.number().nullable().exactOptional(),
    signal: z.string().nullable().exactOptional(),
    restartInMs: ms.exactOptional(),
  }),
  z.object({
    kind: z.literal('order'),
    args: z.array(z.string()),
    givenMs: ms,
    endedMs: ms,
    exitCode: z.number().nullable(),
    said: z.string().exactOptional(),
  }),
  ...backupEvents,
  z.object({ kind: z.literal('engine-log'), pod: z.string(), action: z.string(), line: z.record(z.string(), z.unknown()) }),
  z.object({
    kind: z.literal('engine-status'),
    region: z.string(),
    program: z.enum(['api', 'db', 'dr-controller']),
    ok: z.boolean(),
    body: z.unknown().exactOptional(),
    error: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('dns'), vantage: z.string(), addresses: z.array(z.string()) }),
  z.object({
    kind: z.literal('client-finished'),
    vantage: z.string(),
    issued: z.number().int().nonnegative(),
    scheduledFirst: z.boolean().exactOptional(),
  }),
  z.object({
    kind: z.literal('readback'),
    region: z.string(),
    ok: z.boolean(),
    error: z.string().exactOptional(),
    role: z.string().exactOptional(),
    epoch: z.number().exactOptional(),
    entries: texts.exactOptional(),
    bytes: z.number().exactOptional(),
  }),
  z.object({
    kind: z.literal('divergent-tail'),
    region: z.string(),
    file: z.string(),
    entries: z.array(
      z.object({ epoch: z.number(), index: z.number(), op: z.string(), key: z.string(), value: z.string().exactOptional() }),
    ),
  }),
  z.object({ kind: z.literal('redundancy-restored') }),
  z.object({
    kind: z.literal('machine'),
    processorsMs: ms,
    idleMs: ms,
    stolenMs: ms,
    waitedMs: ms.exactOptional(),
    networkWaitsMs: z.array(ms).exactOptional(),
  }),
  z.object({ kind: z.literal('note'), message: z.string() }),
  z.object({ kind: z.literal('run-aborted'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('run-ended'), leftovers: z.array(z.string()) }),
] as const;

const bodySchema: z.ZodType<EventBody> = z.discriminatedUnion('kind', bodies);
const stampSchema = z.object({ atMs: ms, wall: z.string() });

/** The event, or why it is none. Fields that this version does not know are kept as they are. */
export function decodeEvent(
  record: unknown,
): { readonly ok: true; readonly event: RunEvent } | { readonly ok: false; readonly problem: string } {
  for (const schema of [stampSchema, bodySchema]) {
    const result = schema.safeParse(record, { error: complain });
    if (!result.success) return { ok: false, problem: describe(result.error.issues[0], record) };
  }
  return { ok: true, event: record as RunEvent };
}

function describe(issue: z.core.$ZodIssue | undefined, record: unknown): string {
  if (issue === undefined) return 'not an event';
  if (issue.code === 'invalid_union') return `unknown kind of event ${JSON.stringify((record as { kind?: unknown }).kind)}`;
  return `${issue.path.length === 0 ? 'record' : issue.path.join('.')}: ${issue.message}`;
}
