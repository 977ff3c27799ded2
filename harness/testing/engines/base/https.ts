import { readFileSync } from 'node:fs';
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Config } from './config.ts';

export type Role = 'api' | 'database' | 'controller' | 'client' | 'operator';
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** A string body is sent as it is, with this type. */
  readonly type?: string;
}
export interface Route {
  readonly method: string;
  /** The path, or the beginning of it when it ends with `/`. */
  readonly path: string;
  /** Who may; undefined: anyone, even without a certificate. */
  readonly roles?: readonly Role[];
  readonly maxBytes?: number;
  readonly answer: (rest: string, body: Buffer) => Promise<Answer> | Answer;
}

export type Applied = 'no' | 'unknown';
export function failure(status: number, code: string, message: string, applied?: Applied): Answer {
  return { status, body: { error: { code, message, ...(applied ? { applied } : {}) } } };
}

/** Serves the routes over HTTPS with client certificates; resolves when listening. */
export async function serve(config: Config, routes: readonly Route[]): Promise<Server> {
  const tls = tlsFiles(config);
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 60_000 }, (request, response) => {
    void handle(routes, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.listen.port, config.listen.host, resolve);
  });
  return server;
}

async function handle(routes: readonly Route[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const matching = routes.filter((r) =>
      r.path.endsWith('/') ? path.startsWith(r.path) && path.length > r.path.length : path === r.path,
    );
    const route = matching.find((r) => r.method === request.method);
    if (!route)
      return send(
        response,
        matching.length > 0 ? failure(405, 'bad-request', 'wrong method', 'no') : failure(404, 'bad-request', 'no such route', 'no'),
      );
    const socket = request.socket as TLSSocket;
    const role = socket.authorized ? String(socket.getPeerCertificate().subject?.CN ?? '').split('.')[0] : undefined;
    if (route.roles && !route.roles.includes(role as Role))
      return send(response, failure(403, 'forbidden', `role ${role ?? 'none'} may not do this`, 'no'));
    const body = await receive(request, route.maxBytes ?? 64 * 1024 * 1024);
    if (!body) return send(response, failure(413, 'bad-request', `the body is larger than ${route.maxBytes} bytes`, 'no'));
    send(response, await route.answer(path.slice(route.path.length), body));
  } catch (error) {
    send(response, failure(500, 'internal', (error as Error).message, 'unknown'));
  }
}

async function receive(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? null : Buffer.concat(chunks);
}

function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}
/** `sent: false` promises that the peer has not seen the request. */
export class NoReply extends Error {
  readonly sent: boolean;
  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** One client for all peers: keeps connections, and drops one that did not answer in time. */
export class Client {
  readonly #agent: Agent;
  constructor(config: Config) {
    this.#agent = new Agent({ ...tlsFiles(config), keepAlive: true, maxSockets: 48 });
  }

  /** @throws NoReply when there was no complete answer within timeoutMs. */
  ask(method: string, url: string, body: string | Buffer | undefined, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      let connected = false;
      const request = httpsRequest(url, { method, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      });
      const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      function fail(error: Error): void {
        clearTimeout(timer);
        reject(new NoReply(`${method} ${url}: ${error.message}`, connected));
      }
      request.on('socket', (socket) => {
        if (request.reusedSocket || !socket.connecting) connected = true;
        else socket.once('secureConnect', () => (connected = true));
      });
      request.on('error', fail);
      request.end(body);
    });
  }

  /** As ask, for JSON both ways; a status other than 200 gives null. */
  async json(method: 'GET' | 'POST', url: string, body: unknown, timeoutMs: number): Promise<unknown> {
    const reply = await this.ask(method, url, body === undefined ? undefined : JSON.stringify(body), timeoutMs);
    return reply.status === 200 ? JSON.parse(reply.text) : null;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function tlsFiles(config: Config): { ca: Buffer; cert: Buffer; key: Buffer; minVersion: 'TLSv1.3' } {
  const { ca, cert, key } = config.tls;
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.3' };
}
