import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import { z } from 'zod';
import type { Outcome } from '../history/event.ts';
import { parseJson } from '../platform/json.ts';
import { Connections } from './connections.ts';
import type { PlannedOperation } from './plan.ts';

export interface Answer {
  readonly outcome: Outcome;
  /** get, outcome ok: what was read, null when absent. */
  readonly value: string | null;
  readonly claimedRegion?: string;
  readonly claimedEpoch?: number;
  readonly reason?: string;
}

export interface Service {
  readonly name: string;
  readonly port: number;
  readonly tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
  /** Nothing takes longer than this. */
  readonly timeoutMs: number;
}

const METHOD = { put: 'PUT', get: 'GET', delete: 'DELETE' } as const;
const MAX_BODY_BYTES = 256 * 1024;

const claims = z.object({ region: z.string().optional(), epoch: z.number().optional(), value: z.string().optional() });
const refusal = z.object({ error: z.object({ code: z.string(), applied: z.enum(['no', 'unknown']).optional() }) });

/** Connections by address: one to the old primary is never used for the new one. */
export class Requester {
  readonly #service: Service;
  readonly #connections = new Map<string, Connections>();
  /** Made once: reading certificates and key costs more than a handshake, just when a new address is there to be met. */
  readonly #secureContext: SecureContext;

  constructor(service: Service) {
    this.#service = service;
    this.#secureContext = createSecureContext({ ...service.tls });
  }

  /**
   * Sends once, never again. Never rejects; resolves within timeoutMs. A write is `failed` only if it was certainly not
   * applied: no byte of it can have left, or the answer says so. Whatever else is not an answer is `unknown`.
   */
  send(operation: PlannedOperation, address: string, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve) => {
      let maybeSent = false;
      const outgoing = request({
        agent: this.#to(address),
        host: address,
        port: this.#service.port,
        method: METHOD[operation.op],
        path: `/v1/kv/${operation.key}`,
        headers: operation.value === null ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(operation.value) },
      });
      const settle = (answer: Answer): void => {
        clearTimeout(limit);
        resolve(answer);
      };
      const lost = (reason: string): void => settle(unanswered(operation, maybeSent, reason));
      const limit = setTimeout(() => {
        lost(maybeSent ? 'timeout-sent' : 'timeout-connecting');
        outgoing.destroy();
      }, timeoutMs);
      outgoing.on('socket', () => (maybeSent = true));
      outgoing.on('error', (error: NodeJS.ErrnoException) => lost(reasonOf(error, maybeSent)));
      outgoing.on('response', (response) => void readAnswer(response, operation).then(settle, () => lost('answer-cut-off')));
      outgoing.end(operation.value ?? undefined);
    });
  }

  close(): void {
    for (const connections of this.#connections.values()) connections.destroy();
  }

  #to(address: string): Connections {
    let connections = this.#connections.get(address);
    if (connections === undefined) {
      const { name, port, timeoutMs } = this.#service;
      connections = new Connections({ host: address, port, servername: name }, this.#secureContext, timeoutMs);
      this.#connections.set(address, connections);
    }
    return connections;
  }
}

/** A read without an answer has failed: it changes nothing. */
function unanswered(operation: PlannedOperation, maybeSent: boolean, reason: string): Answer {
  return { outcome: maybeSent && operation.op !== 'get' ? 'unknown' : 'failed', value: operation.value, reason };
}

function reasonOf(error: NodeJS.ErrnoException, maybeSent: boolean): string {
  const code = (error.code ?? error.name).toLowerCase();
  if (code === 'econnrefused') return 'connect-refused';
  return maybeSent ? `sent-${code}` : `connect-${code}`;
}

async function readAnswer(response: IncomingMessage, operation: PlannedOperation): Promise<Answer> {
  const body = await readBody(response);
  const status = response.statusCode ?? 0;
  const parsed = parseJson(body);
  const absent = operation.op === 'get' && status === 404;
  if (status === 200 || absent) return accepted(operation, parsed, absent);
  const refused = refusal.safeParse(parsed);
  const code = refused.success ? `http-${status}-${refused.data.error.code}` : `http-${status}`;
  const notApplied = operation.op === 'get' || (refused.success && refused.data.error.applied === 'no');
  return { outcome: notApplied ? 'failed' : 'unknown', value: operation.value, reason: code };
}

function accepted(operation: PlannedOperation, parsed: unknown, absent: boolean): Answer {
  const claimed = claims.safeParse(parsed);
  if (!claimed.success || (operation.op === 'get' && !absent && claimed.data.value === undefined)) {
    return { outcome: operation.op === 'get' ? 'failed' : 'unknown', value: operation.value, reason: 'answer-not-understood' };
  }
  const { region, epoch, value } = claimed.data;
  return {
    outcome: 'ok',
    value: operation.op === 'get' ? (absent ? null : (value ?? null)) : operation.value,
    ...(region === undefined ? {} : { claimedRegion: region }),
    ...(epoch === undefined ? {} : { claimedEpoch: epoch }),
  };
}

/** By events: an async iterator costs several times as much, and this runs for each operation. */
function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) response.destroy(new Error('answer too long'));
      else chunks.push(chunk);
    });
    response.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    response.on('error', reject);
    response.once('close', () => reject(new Error('broken off')));
  });
}
