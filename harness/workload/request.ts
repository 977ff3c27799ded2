import { request, type IncomingMessage } from 'node:http';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Connections } from './connections.ts';
import type { Answer, Dialect } from './dialect/dialect.ts';
import type { PlannedOperation } from './plan.ts';

export interface Service {
  /** As its certificate calls it. */
  readonly name: string;
  readonly port: number;
  /** null: plain HTTP; authorities that are left out: those of the system. */
  readonly tls: { readonly ca?: Buffer | undefined; readonly cert?: Buffer | undefined; readonly key?: Buffer | undefined } | null;
  /** Nothing takes longer than this. */
  readonly timeoutMs: number;
  readonly dialect: Dialect;
}

const MAX_BODY_BYTES = 256 * 1024;

/** Connections by address: one to the old primary is never used for the new one. */
export class Requester {
  readonly #service: Service;
  readonly #connections = new Map<string, Connections>();
  /** Made once: reading certificates and key costs more than a handshake, just when a new address is there to be met. */
  readonly #secureContext: SecureContext | null;

  constructor(service: Service) {
    this.#service = service;
    this.#secureContext = service.tls === null ? null : createSecureContext({ ...service.tls });
  }

  /**
   * Sends once, never again. Never rejects; resolves within timeoutMs. A write is `failed` only if it was certainly not
   * applied: no byte of it can have left, or the answer says so. Whatever else is not an answer is `unknown`.
   */
  send(operation: PlannedOperation, address: string, timeoutMs: number): Promise<Answer> {
    const { dialect, port } = this.#service;
    return new Promise((resolve) => {
      let maybeSent = false;
      const { method, path, headers, body } = dialect.outgoing(operation);
      const agent = this.#to(address);
      const outgoing = request({ agent, protocol: agent.protocol, host: address, port, method, path, headers: { ...headers } });
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
      outgoing.on('response', (response) => {
        const answered = readBody(response).then((text) => dialect.answer(operation, response.statusCode ?? 0, text));
        void answered.then(settle, () => lost('answer-cut-off'));
      });
      outgoing.end(body ?? undefined);
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
