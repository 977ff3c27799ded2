import { z } from 'zod';
import { LONGEST_WAIT_MS } from '../config/policy.ts';
import type { Entry, Operation } from '../database/database.ts';
import type { EpochTable, LogEnd } from './epochs.ts';

const count = z.number().int().nonnegative();
const OPERATIONS = ['put', 'delete', 'noop'] as const;
const end = z.strictObject({ epoch: count, index: count });
const table = z.array(z.tuple([count, count]));

/** Entries follow `prev`; without any it is a heartbeat. An entry is [epoch, operation, key, value]. */
const appendShape = z.strictObject({
  epoch: count,
  region: z.string().min(1),
  prev: end,
  commitIndex: count,
  lastIndex: count,
  entries: z.array(z.tuple([count, z.enum(OPERATIONS), z.string(), z.string()])),
  promise: count.optional(),
  promiseMs: count.max(LONGEST_WAIT_MS).optional(),
});

export interface AppendRequest {
  readonly epoch: number;
  readonly region: string;
  readonly prev: LogEnd;
  readonly commitIndex: number;
  /** Where the primary's log ends, so that the standby knows how far it is behind. */
  readonly lastIndex: number;
  readonly entries: readonly Entry[];
  /** Asks for a direct lease; the number tells which answer belongs to it. */
  readonly promise?: number | undefined;
  /** For how long at least, from when it is received. */
  readonly promiseMs?: number | undefined;
}

export interface LogSummary {
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly epochs: EpochTable;
}

export type AppendReply =
  /** Durable there up to here and the same as the primary's. */
  | { readonly kind: 'ok'; readonly matchIndex: number; readonly promised?: number | undefined }
  /** Its log differs from the primary's at `prev`. */
  | { readonly kind: 'mismatch'; readonly log: LogSummary; readonly promised?: number | undefined }
  | { readonly kind: 'epoch-passed'; readonly sealedEpoch: number };

const replyShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ok'), matchIndex: count, promised: count.optional() }),
  z.object({
    kind: z.literal('mismatch'),
    log: z.object({ lastIndex: count, commitIndex: count, epochs: table }),
    promised: count.optional(),
  }),
  z.object({ kind: z.literal('epoch-passed'), sealedEpoch: count }),
]);

export function encodeAppend(request: AppendRequest): string {
  return JSON.stringify({ ...request, entries: request.entries.map(({ epoch, op, key, value }) => [epoch, op, key, value]) });
}

/** Null for what is no append request. */
export function decodeAppend(json: unknown): AppendRequest | null {
  const parsed = appendShape.safeParse(json);
  if (!parsed.success) return null;
  const { entries, prev, ...rest } = parsed.data;
  return {
    ...rest,
    prev,
    entries: entries.map(([epoch, op, key, value], i) => ({ epoch, index: prev.index + 1 + i, op: op satisfies Operation, key, value })),
  };
}

/** Null for what is no reply to an append. */
export function decodeAppendReply(json: unknown): AppendReply | null {
  const parsed = replyShape.safeParse(json);
  return parsed.success ? parsed.data : null;
}

/** First line of a snapshot; the rows follow, one `[key, value]` a line, and `{"rows": n}` closes it. */
const snapshotHeaderShape = z.strictObject({ epoch: count, region: z.string().min(1), end, epochs: table, commonIndex: count });
export interface SnapshotHeader {
  readonly epoch: number;
  readonly region: string;
  readonly end: LogEnd;
  readonly epochs: EpochTable;
  /** Up to here the standby's log was the same; what it has above is not in the copy (or is replaced by it) and is exported first. */
  readonly commonIndex: number;
}
export function decodeSnapshotHeader(json: unknown): SnapshotHeader | null {
  const parsed = snapshotHeaderShape.safeParse(json);
  return parsed.success ? parsed.data : null;
}
