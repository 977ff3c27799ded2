import { z } from 'zod';
import { parseJson } from '../../platform/json.ts';
import type { PlannedOperation } from '../plan.ts';
import { notUnderstood, type Answer, type Dialect } from './dialect.ts';

const METHOD = { put: 'PUT', get: 'GET', delete: 'DELETE' } as const;

const claims = z.object({ region: z.string().optional(), epoch: z.number().optional(), value: z.string().optional() });
const refusal = z.object({ error: z.object({ code: z.string(), applied: z.enum(['no', 'unknown']).optional() }) });

/** The engine's contract (ARCHITECTURE §3). */
export const engineDialect: Dialect = {
  outgoing: ({ op, key, value }) => ({
    method: METHOD[op],
    path: `/v1/kv/${key}`,
    headers: value === null ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(value) },
    body: value,
  }),
  answer: (operation, status, body) => {
    const parsed = parseJson(body);
    const absent = operation.op === 'get' && status === 404;
    if (status === 200 || absent) return accepted(operation, parsed, absent);
    const refused = refusal.safeParse(parsed);
    const code = refused.success ? `http-${status}-${refused.data.error.code}` : `http-${status}`;
    const notApplied = operation.op === 'get' || (refused.success && refused.data.error.applied === 'no');
    return { outcome: notApplied ? 'failed' : 'unknown', value: operation.value, reason: code };
  },
};

function accepted(operation: PlannedOperation, parsed: unknown, absent: boolean): Answer {
  const claimed = claims.safeParse(parsed);
  if (!claimed.success || (operation.op === 'get' && !absent && claimed.data.value === undefined)) return notUnderstood(operation);
  const { region, epoch, value } = claimed.data;
  return {
    outcome: 'ok',
    value: operation.op === 'get' ? (absent ? null : (value ?? null)) : operation.value,
    ...(region === undefined ? {} : { claimedRegion: region }),
    ...(epoch === undefined ? {} : { claimedEpoch: epoch }),
  };
}
