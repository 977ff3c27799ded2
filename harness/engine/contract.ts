import { z } from 'zod';
import { parseJson } from '../platform/json.ts';
import { complain, whatIsWrong } from '../scenario/complain.ts';

/**
 * What the harness understands of an engine: the shapes of its answers and log lines (ARCHITECTURE §3). The harness has no other knowledge
 * of it; testing/contract-suite.ts holds every engine to this. Unknown fields are allowed: an engine may say more.
 */
const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

/** `applied: "no"` promises that the write was not and will not be applied. Only writes carry it. */
export const failureShape = z.object({
  error: z.object({ code: z.string().min(1), message: z.string(), applied: z.enum(['no', 'unknown']).optional() }),
});

/** 200 of PUT and DELETE: durable under the replication mode. */
export const writtenShape = z.object({ region: z.string(), epoch: count, index: count });

/** 200 of GET. */
export const foundShape = z.object({ value: z.string(), region: z.string(), epoch: count });
/** 404 of GET: an answer as good as the other. */
export const absentShape = z.object({ region: z.string(), epoch: count, error: z.unknown() });

const grade = z.enum(['Healthy', 'Degraded', 'Failed']);
/** 200, or 503 when Failed. */
export const healthShape = z.object({
  region: z.string(),
  status: grade,
  score: z.number().min(0).max(100),
  checks: z.array(
    z.object({ name: z.enum(['api', 'database', 'replication']), status: grade, latencyMs: milliseconds, detail: z.string().optional() }),
  ),
  role: z.string(),
  epoch: count,
  timestamp: z.iso.datetime(),
});

export const databaseStatusShape = z.object({
  region: z.string(),
  incarnation: z.string().min(1),
  role: z.enum(['primary', 'standby', 'starting']),
  epoch: count,
  sealedEpoch: count,
  writable: z.boolean(),
  lease: z.object({ remainingMs: z.number() }).nullable(),
  lastIndex: count,
  lastEpoch: count,
  commitIndex: count,
  appliedIndex: count,
  mode: z.enum(['sync', 'async']),
  syncSet: z.array(z.string()),
  w: count,
  standbys: z.record(
    z.string(),
    z.object({ matchIndex: count, lagEntries: milliseconds, lagMs: milliseconds, ageMs: milliseconds, inSync: z.boolean() }),
  ),
});
export type DatabaseStatus = z.infer<typeof databaseStatusShape>;

export const controllerStatusShape = z.object({
  region: z.string(),
  leader: z.string().nullable(),
  state: z.enum(['Normal', 'Degraded', 'Failover', 'Recovery']),
  step: z.string(),
  primary: z.string().nullable(),
  epoch: count,
  observers: z.record(z.string(), z.object({ verdict: z.string(), ageMs: z.number().nullable() })),
  lastFailover: z.unknown().optional(),
});

/** First line of `GET /v1/export`; the others follow sorted by key. */
export const exportHeadShape = z.object({ region: z.string(), epoch: count, role: z.string(), appliedIndex: count });
export const exportEntryShape = z.strictObject({ key: z.string(), value: z.string() });

/** A line of `GET /v1/divergent`. */
export const divergentFileShape = z.object({
  file: z.string(),
  entries: z.array(z.object({ epoch: count, index: count, op: z.string(), key: z.string(), value: z.string().optional() })),
});

export const logLineShape = z.object({
  timestamp: z.iso.datetime(),
  level: z.string(),
  component: z.string(),
  action: z.string(),
  /** The failover's run id; null where a line belongs to none. */
  correlation_id: z.string().nullable(),
  region: z.string(),
  monotonic_ms: z.number(),
  details: z.record(z.string(), z.unknown()),
});

/** Exit codes of the engine's programs. */
export const ENGINE_EXIT = { ok: 0, failed: 1, badInput: 2, undecided: 3, interrupted: 130 } as const;

/** The longest value that a PUT may carry. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** Lines of an NDJSON body, each decoded; the first is line `from` of it. @throws Error that names line and field of the first that is not what it should be */
export function decodeLines<T>(text: string, shape: z.ZodType<T>, from = 1): readonly T[] {
  return text.split('\n').flatMap((line, index) => (line === '' ? [] : [decodeLine(line, shape, from + index)]));
}

function decodeLine<T>(line: string, shape: z.ZodType<T>, number: number): T {
  const value = parseJson(line);
  if (value === undefined) throw new Error(`line ${number}: is no JSON`);
  const decoded = shape.safeParse(value, { error: complain });
  if (decoded.success) return decoded.data;
  throw new Error(`line ${number}: ${whatIsWrong(decoded.error)}`);
}

/** `GET /v1/export` as a whole. @throws as decodeLines, and when there is no head. */
export function decodeExport(text: string): {
  readonly head: z.infer<typeof exportHeadShape>;
  readonly entries: ReadonlyMap<string, string>;
} {
  const end = text.indexOf('\n');
  const head = decodeLine(end < 0 ? text : text.slice(0, end), exportHeadShape, 1);
  const entries = end < 0 ? [] : decodeLines(text.slice(end + 1), exportEntryShape, 2);
  return { head, entries: new Map(entries.map(({ key, value }) => [key, value])) };
}
