import { z } from 'zod';
import { LONGEST_WAIT_MS } from '../config/policy.ts';

/**
 * What a controller says to a database (POST, role controller) and what it answers. Every one is idempotent: the controller repeats it until it has an answer,
 * and another controller may repeat it after a take-over.
 */
const count = z.number().int().nonnegative();

/** `POST /v1/fence`: stop serving any epoch below this one, durably, and end the lease now. Answered only when nothing more can be acknowledged. */
export const fenceRequestShape = z.strictObject({ epoch: count, runId: z.string() });
/** A fenced primary goes on shipping what it has (under its old epoch) until it or the standby is sealed, so that a planned target can catch up. */
export const fenceResponseShape = z.object({ region: z.string(), epoch: count, lastIndex: count, lastEpoch: count });
export type FenceResponse = z.infer<typeof fenceResponseShape>;

/** `POST /v1/seal`: durably refuse every append and every seal below this epoch; answer with the log's end. A primary of a lower epoch is fenced by it too. `waitMs`: for how long the process before this one may have promised a direct lease, by the replaced lease's word. */
export const sealRequestShape = z.strictObject({ epoch: count, runId: z.string(), waitMs: count.max(LONGEST_WAIT_MS).optional() });
export const sealResponseShape = z.object({
  region: z.string(),
  sealedEpoch: count,
  lastIndex: count,
  lastEpoch: count,
  /** How long a promise of this standby may still keep the old primary serving (a direct lease); none can follow, as its epoch is refused. */
  promisedMs: count,
});
export type SealResponse = z.infer<typeof sealResponseShape>;

/**
 * `POST /v1/promote`: take the pending lease of this epoch by CAS (at the revision where it is `{epoch, holder: null, incarnation: runId, …}` → `{epoch, holder: region, incarnation, seq: 0}`), write the
 * replication record with this `mode`, `set` (without the region itself), `w`, become primary, write the noop. Answered when that is committed
 * (`writable: true`), or after a while with `writable: false` where it holds the lease and still waits for a standby. Error 409 `epoch-passed`: it cannot be promoted in this
 * epoch (somebody else took it, or it is sealed by a higher one). Error 503 `promised`: bound by a direct lease, or by what the process before it may have promised; to be asked again.
 */
export const promoteRequestShape = z.strictObject({
  epoch: count,
  runId: z.string(),
  mode: z.enum(['sync', 'async']),
  set: z.array(z.string()),
  w: count,
});
export type PromoteRequest = z.infer<typeof promoteRequestShape>;
export const promoteResponseShape = z.object({ region: z.string(), epoch: count, writable: z.boolean(), lastIndex: count });
export type PromoteResponse = z.infer<typeof promoteResponseShape>;

/** `GET /v1/status` of a database. Ages are on the database's own monotonic clock. */
export const databaseStatusShape = z.object({
  region: z.string(),
  incarnation: z.string(),
  role: z.enum(['primary', 'standby', 'starting']),
  epoch: count,
  sealedEpoch: count,
  writable: z.boolean(),
  lease: z.object({ remainingMs: z.number(), by: z.enum(['arbiter', 'standbys']).optional() }).nullable(),
  lastIndex: count,
  lastEpoch: count,
  commitIndex: count,
  appliedIndex: count,
  mode: z.enum(['sync', 'async']),
  syncSet: z.array(z.string()),
  w: count,
  standbys: z.record(
    z.string(),
    z.object({ matchIndex: count, lagEntries: z.number(), lagMs: z.number(), ageMs: z.number(), inSync: z.boolean() }),
  ),
  /** On a standby that has heard a primary. */
  upstream: z.object({ region: z.string(), epoch: count, lagEntries: z.number(), ageMs: z.number() }).nullable().optional(),
  /** For how long this process has been there: what the one before it heard and promised until then nobody remembers. */
  upMs: z.number().optional(),
  /** On a primary whose database is elsewhere (FoundationDB, with the region's own data centre away): the region that serves better, and for how long that has been so. */
  better: z.object({ region: z.string(), forMs: z.number() }).nullable().optional(),
  /** The direct lease that it has given and that is in force. */
  promised: z.object({ to: z.string(), epoch: count, remainingMs: z.number() }).nullable().optional(),
});
export type DatabaseStatus = z.infer<typeof databaseStatusShape>;
