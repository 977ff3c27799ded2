import { isUtf8 } from 'node:buffer';
import type { Policy } from '../config/policy.ts';
import { keyProblem, MAX_VALUE_BYTES, type Database } from '../database/database.ts';
import { errorReply, type HttpReply, type HttpRequest, type Route } from '../platform/http.ts';
import type { WriteOutcome } from '../replication/primary.ts';
import type { DatabaseNode } from './node.ts';

export interface KvOptions {
  readonly node: DatabaseNode;
  readonly database: Database;
  readonly policy: Policy;
  readonly region: string;
}

/** How long a write may wait for its standby: time enough for a dead one to be dropped from the set and the other to count. */
export function writeLimitMs(policy: Policy): number {
  return policy.syncDropAfterMs + policy.appendTimeoutMs + 4 * policy.arbiterRpcMs;
}

/** `/v1/kv/<key>`: linearizable reads and durable writes, on the primary only. */
export function kvRoutes(options: KvOptions): readonly Route[] {
  const common = { path: '/v1/kv/', prefix: true, roles: ['api', 'database', 'controller', 'operator'] } as const;
  return [
    { ...common, method: 'PUT', bodyLimitBytes: MAX_VALUE_BYTES, handle: (request) => write(options, 'put', request) },
    { ...common, method: 'DELETE', handle: (request) => write(options, 'delete', request) },
    { ...common, method: 'GET', handle: (request) => read(options, request) },
  ];
}

async function write({ node, policy, region }: KvOptions, op: 'put' | 'delete', request: HttpRequest): Promise<HttpReply> {
  const problem = keyProblem(request.rest);
  if (problem !== null) return errorReply(400, 'bad-request', problem, 'no');
  if (op === 'put' && !isUtf8(request.body)) return errorReply(400, 'bad-request', 'the value is not UTF-8', 'no');
  const { primary, lease } = node;
  if (primary === null || lease === null || !primary.established) return notPrimary(node);
  if (!lease.isValid()) return errorReply(503, 'lease-lost', 'this region cannot prove that it is still primary', 'no');
  const outcome = await primary.write(op, request.rest, op === 'put' ? request.body.toString('utf8') : '', writeLimitMs(policy));
  return replyTo(outcome, region, lease.epoch);
}

function replyTo(outcome: WriteOutcome, region: string, epoch: number): HttpReply {
  switch (outcome.kind) {
    case 'committed':
      return { status: 200, json: { region, epoch, index: outcome.index } };
    case 'refused':
      return errorReply(503, outcome.code, outcome.message, 'no');
    case 'unknown':
      return errorReply(503, outcome.code, outcome.message, 'unknown');
  }
}

function read({ node, database, region }: KvOptions, request: HttpRequest): HttpReply {
  const problem = keyProblem(request.rest);
  if (problem !== null) return errorReply(400, 'bad-request', problem);
  if (node.primary === null || !node.writable) return notPrimary(node);
  const { epoch } = node;
  const value = database.get(request.rest);
  // Reading may have taken long (a page from the disk, a stopped process): the answer is right only if we are primary still.
  if (!node.writable || node.epoch !== epoch) return notPrimary(node);
  if (value !== undefined) return { status: 200, json: { value, region, epoch } };
  return { status: 404, json: { region, epoch, error: { code: 'not-found', message: 'no such key' } } };
}

function notPrimary(node: DatabaseNode): HttpReply {
  return errorReply(
    503,
    'not-primary',
    `this region's database is ${node.role === 'primary' ? 'primary, but not serving yet or fenced' : node.role}`,
    'no',
  );
}
