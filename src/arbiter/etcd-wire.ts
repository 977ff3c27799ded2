import { z } from 'zod';
import { NO_RECORDS, RECORD_NAMES, type Held, type RecordName, type Records, type Snapshot } from './arbiter.ts';
import { decodeRecord } from './record-text.ts';

/** The JSON of etcd 3.4's gateway: bytes are base64, 64-bit numbers are strings, what is zero or false is left out. */
const revision = z.coerce.number().int().nonnegative();
const header = z.object({ revision });
const keyValue = z.object({ key: z.string(), value: z.string().default(''), mod_revision: revision });
export type KeyValue = z.infer<typeof keyValue>;

export const rangeReplyShape = z.object({ header, kvs: z.array(keyValue).default([]) });
export const txnReplyShape = z.object({
  header,
  succeeded: z.boolean().default(false),
  responses: z.array(z.object({ response_range: z.object({ kvs: z.array(keyValue).default([]) }).optional() })).default([]),
});
export const watchReplyShape = z.object({
  result: z.object({
    header,
    canceled: z.boolean().default(false),
    events: z.array(z.object({ type: z.enum(['PUT', 'DELETE']).default('PUT'), kv: keyValue.partial({ mod_revision: true }) })).default([]),
  }),
});
export type WatchReply = z.infer<typeof watchReplyShape>['result'];

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export function rangeRequest(prefix: string): string {
  return JSON.stringify({ key: base64(prefix), range_end: base64(endOfPrefix(prefix)) });
}

export function watchRequest(prefix: string, startRevision: number): string {
  return JSON.stringify({
    create_request: { key: base64(prefix), range_end: base64(endOfPrefix(prefix)), start_revision: String(startRevision) },
  });
}

/** Put if the key is at `expected` (null: absent), else tell what is there: one transaction. */
export function casRequest(key: string, expected: number | null, value: string): string {
  const at = expected === null ? { target: 'CREATE', create_revision: '0' } : { target: 'MOD', mod_revision: String(expected) };
  return JSON.stringify({
    compare: [{ key: base64(key), result: 'EQUAL', ...at }],
    success: [{ request_put: { key: base64(key), value: base64(value) } }],
    failure: [{ request_range: { key: base64(key) } }],
  });
}

export function decodeKeyValue<K extends RecordName>(name: K, kv: KeyValue): Held<Records[K]> {
  return { value: decodeRecord(name, Buffer.from(kv.value, 'base64').toString('utf8')), revision: kv.mod_revision };
}

export function nameOfKey(prefix: string, keyBase64: string): RecordName | undefined {
  const key = Buffer.from(keyBase64, 'base64').toString('utf8');
  return RECORD_NAMES.find((name) => key === prefix + name);
}

export function decodeSnapshot(prefix: string, reply: z.infer<typeof rangeReplyShape>): Snapshot {
  let snapshot: Snapshot = { ...NO_RECORDS, revision: reply.header.revision };
  for (const kv of reply.kvs) {
    const name = nameOfKey(prefix, kv.key);
    if (name !== undefined) snapshot = { ...snapshot, [name]: decodeKeyValue(name, kv) };
  }
  return snapshot;
}

/** The snapshot after a watch message; the same object where nothing of ours is newer than what is known. */
export function applyWatch(prefix: string, before: Snapshot, reply: WatchReply): Snapshot {
  let after = before;
  for (const event of reply.events) {
    const name = nameOfKey(prefix, event.kv.key);
    const at = event.kv.mod_revision ?? reply.header.revision;
    if (name === undefined || at <= (before[name]?.revision ?? 0)) continue;
    const held = event.type === 'DELETE' ? null : decodeKeyValue(name, { ...event.kv, mod_revision: at });
    after = { ...after, [name]: held, revision: Math.max(after.revision, at) };
  }
  return after;
}

/** Whether any record differs; the store's own revision also moves for what is not ours. */
export function sameRecords(a: Snapshot, b: Snapshot): boolean {
  return RECORD_NAMES.every((name) => a[name]?.revision === b[name]?.revision);
}

function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
