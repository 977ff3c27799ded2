import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { collect } from './collect.ts';
import { EngineError } from './errors.ts';
import { errorReply, type HttpReply, type Route } from './http.ts';
import { peerIdentity, type Credentials } from './tls.ts';

const DEFAULT_BODY_LIMIT_BYTES = 64 * 1024;
/** More requests at once are refused before they are looked at, so that a stalled disk cannot fill memory. */
const MAX_REQUESTS = 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 10_000;
/** Above the client's own limit on idle sockets, so that it is never we who close a socket that a request is just using. */
const KEEP_ALIVE_MS = 75_000;

export interface HttpsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: Credentials;
  readonly routes: readonly Route[];
  /** A handler threw: the caller gets 500, the owner logs. */
  readonly onError: (error: unknown, request: { readonly method: string; readonly path: string; readonly correlationId: string }) => void;
}

export interface HttpsServer {
  readonly port: number;
  /** Stops accepting, lets running requests end for `graceMs`, then cuts them. */
  close(graceMs: number): Promise<void>;
}

/** Listens with mutual TLS; a route's handler runs only for callers of its roles. Rejects when the address cannot be bound. */
export async function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  const closing = new AbortController();
  const stopping = new AbortController();
  const { ca, cert, key } = options.credentials;
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: KEEP_ALIVE_MS });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  // A stream may take as long as it goes on; whole bodies have a limit of their own.
  server.requestTimeout = 0;
  let running = 0;
  const context: Context = {
    routes: options.routes,
    onError: options.onError,
    closing: closing.signal,
    stopping: stopping.signal,
    overloaded: () => running > MAX_REQUESTS,
  };
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    running++;
    void serve(message, response, context).finally(() => running--);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => {
      stopping.abort();
      return close(server, graceMs, closing);
    },
  };
}

interface Context {
  readonly routes: readonly Route[];
  readonly onError: HttpsServerOptions['onError'];
  /** What runs is cut. */
  readonly closing: AbortSignal;
  /** Nothing new is taken. */
  readonly stopping: AbortSignal;
  readonly overloaded: () => boolean;
}

async function close(server: Server, graceMs: number, closing: AbortController): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    closing.abort(new EngineError('timeout', 'the server is stopping'));
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}

async function serve(message: IncomingMessage, response: ServerResponse, context: Context): Promise<void> {
  const { closing, onError } = context;
  const given = message.headers['x-correlation-id'];
  const correlationId = typeof given === 'string' && given.length <= 128 ? given : randomUUID();
  const gone = new Gone(response, closing);
  const path = message.url?.split('?', 1)[0] ?? '/';
  let reply: HttpReply;
  try {
    reply = await answer(message, { path, correlationId, gone }, context);
  } catch (error) {
    if (!gone.aborted) onError(error, { method: message.method ?? '', path, correlationId });
    const code = error instanceof EngineError ? error.code : 'internal';
    reply = errorReply(500, code, error instanceof EngineError ? error.message : 'internal error', 'unknown');
  }
  try {
    await write(response, reply, gone);
  } catch (error) {
    response.destroy();
    if (!gone.aborted && !isBrokenOff(error)) onError(error, { method: message.method ?? '', path, correlationId });
  } finally {
    gone.forget();
    // An unread body would be parsed as the next request.
    if (!message.complete) message.resume();
  }
}

/** Whether the caller has gone or the server closes. Most handlers never ask for the signal, and making one costs as much as parsing the request. */
class Gone {
  readonly #closing: AbortSignal;
  #reason: unknown;
  #signal: AbortController | null = null;
  readonly #onClosing = (): void => this.#abort(this.#closing.reason);

  constructor(response: ServerResponse, closing: AbortSignal) {
    this.#closing = closing;
    response.once('close', () => {
      if (!response.writableFinished) this.#abort(new EngineError('timeout', 'the caller has gone'));
    });
  }

  get aborted(): boolean {
    return this.#reason !== undefined || this.#closing.aborted;
  }

  get signal(): AbortSignal {
    if (this.#signal !== null) return this.#signal.signal;
    this.#signal = new AbortController();
    if (this.aborted) this.#signal.abort(this.#reason ?? this.#closing.reason);
    else this.#closing.addEventListener('abort', this.#onClosing, { once: true });
    return this.#signal.signal;
  }

  /** The request is over. */
  forget(): void {
    if (this.#signal !== null) this.#closing.removeEventListener('abort', this.#onClosing);
  }

  #abort(reason: unknown): void {
    this.#reason ??= reason;
    this.#signal?.abort(reason);
  }
}

/** The caller went, or was cut, in the middle of what it was sending. */
function isBrokenOff(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
}

interface Arrival {
  readonly path: string;
  readonly correlationId: string;
  readonly gone: Gone;
}

async function answer(message: IncomingMessage, arrival: Arrival, context: Context): Promise<HttpReply> {
  const { path } = arrival;
  const here = context.routes.filter((route) => (route.prefix === true ? path.startsWith(route.path) : path === route.path));
  if (here.length === 0) return errorReply(404, 'not-found', `no such route: ${path}`, 'no');
  const route = here.find((candidate) => candidate.method === message.method);
  if (route === undefined) return errorReply(405, 'bad-request', `${message.method ?? ''} is not allowed here`, 'no');
  const caller = peerIdentity(message.socket as TLSSocket);
  if (route.roles !== 'anyone' && (caller === null || !route.roles.includes(caller.role))) {
    const who = caller === null ? 'a caller without a valid certificate' : `role ${caller.role}`;
    return errorReply(403, 'forbidden', `${who} may not call ${route.method} ${route.path}; allowed: ${route.roles.join(', ')}`, 'no');
  }
  if (context.overloaded()) return errorReply(503, 'overloaded', 'too many requests at once', 'no');
  if (route.lasting === true) cutAtOnce(message, context.stopping);
  const rest = route.prefix === true ? decode(path.slice(route.path.length)) : '';
  if (rest === null) return errorReply(400, 'bad-request', 'the path is not valid percent-encoded UTF-8', 'no');
  const limit = route.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES;
  const body = route.streamBody === true || message.method === 'GET' ? Buffer.alloc(0) : await bodyOf(message, limit);
  if (body === 'too-large') return errorReply(413, 'too-large', `the body is larger than ${limit} bytes`, 'no');
  const { correlationId, gone } = arrival;
  return route.handle({
    method: route.method,
    path,
    rest,
    caller,
    correlationId,
    body,
    stream: message,
    get signal() {
      return gone.signal;
    },
  });
}

function cutAtOnce(message: IncomingMessage, stopping: AbortSignal): void {
  const cut = (): void => void message.destroy();
  if (stopping.aborted) cut();
  stopping.addEventListener('abort', cut, { once: true });
  message.once('close', () => stopping.removeEventListener('abort', cut));
}

function bodyOf(message: IncomingMessage, limitBytes: number): Promise<Buffer | 'too-large'> {
  if (Number(message.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve('too-large');
  return collect(message, limitBytes, BODY_TIMEOUT_MS);
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

async function write(response: ServerResponse, reply: HttpReply, gone: Gone): Promise<void> {
  if (response.destroyed) return;
  if (reply.json !== undefined || reply.body === undefined || typeof reply.body === 'string' || Buffer.isBuffer(reply.body)) {
    const body = reply.json === undefined ? (reply.body ?? '') : JSON.stringify(reply.json);
    response.writeHead(reply.status, {
      'content-type': reply.contentType ?? (reply.json === undefined ? 'text/plain; charset=utf-8' : 'application/json'),
      'content-length': Buffer.byteLength(body as string | Buffer),
    });
    response.end(body);
    return;
  }
  response.writeHead(reply.status, { 'content-type': reply.contentType ?? 'application/x-ndjson' });
  for await (const chunk of reply.body as AsyncIterable<string | Buffer>) {
    if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal });
  }
  response.end();
}
