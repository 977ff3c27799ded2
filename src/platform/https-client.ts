import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { collect } from './collect.ts';
import { EngineError } from './errors.ts';
import type { Credentials } from './tls.ts';

/** Below the server's keep-alive time: an idle socket is dropped here first. */
const IDLE_SOCKET_MS = 15_000;
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

export interface CallOptions {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: string | Buffer | Readable;
  /** For everything: name, connection, handshake, answer. At its end the socket is destroyed, so that a cut path is never tried twice. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly correlationId?: string;
  readonly maxReplyBytes?: number;
}

/** `not-sent`: no byte of the request can have reached the other side. `no-reply`: it may have been carried out. */
export type CallResult =
  | { readonly kind: 'reply'; readonly status: number; readonly body: Buffer }
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'no-reply'; readonly reason: string };

export type StreamResult =
  { readonly kind: 'reply'; readonly status: number; readonly stream: Readable } | Exclude<CallResult, { kind: 'reply' }>;

/** What programs ask each other with. */
export type HttpClient = Pick<HttpsClient, 'call' | 'begin'>;

/** Every connection of a client has the same identity, so an address is name enough. Node's own name lists all TLS options, made anew for each request and each answer. */
class AddressAgent extends Agent {
  override getName(options: { readonly host?: string | null | undefined; readonly port?: number | string | null | undefined }): string {
    return `${options.host ?? ''}:${options.port ?? ''}`;
  }
}

interface Origin {
  readonly host: string;
  readonly port: number;
}

/** A mutual-TLS client with keep-alive. Owner calls `close`. Never throws for what the network does. */
export class HttpsClient {
  readonly #agent: Agent;
  /** Parsed once: of those that the configuration names there are few. */
  readonly #origins = new Map<string, Origin>();
  /** Sockets whose handshake is done: a request that gets one of them may have been sent at once. */
  readonly #connected = new WeakSet<object>();

  constructor(credentials: Credentials, maxSocketsPerHost = 64) {
    // Made once: without it node reads certificates and key anew for each connection.
    const secureContext = createSecureContext({ ...credentials });
    this.#agent = new AddressAgent({
      secureContext,
      keepAlive: true,
      timeout: IDLE_SOCKET_MS,
      maxSockets: maxSocketsPerHost,
      scheduling: 'lifo',
    });
  }

  /** One request with its whole answer. */
  async call(url: string, options: CallOptions): Promise<CallResult> {
    const exchange = this.#start(url, options);
    const head = await exchange.head;
    if (head.kind !== 'reply') return exchange.end(head);
    try {
      const body = await collect(head.stream, options.maxReplyBytes ?? MAX_REPLY_BYTES);
      if (body !== 'too-large') return exchange.end({ kind: 'reply', status: head.status, body });
      head.stream.destroy();
      return exchange.end({ kind: 'no-reply', reason: 'answer-too-large' });
    } catch (error) {
      return exchange.end({ kind: 'no-reply', reason: exchange.reason() ?? reasonOf(error) });
    }
  }

  /** One request whose answer the caller reads as a stream (and must read or destroy); the time limit covers the whole stream. */
  async open(url: string, options: CallOptions): Promise<StreamResult> {
    const exchange = this.#start(url, options);
    const head = await exchange.head;
    if (head.kind !== 'reply') return exchange.end(head);
    head.stream.once('close', () => exchange.end(undefined));
    return head;
  }

  /** A POST whose body and answer the caller writes and reads as long as it likes; the caller bounds every wait and destroys it. */
  begin(url: string): ClientRequest {
    return httpsRequest({ agent: this.#agent, method: 'POST', ...this.#target(url) });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A host that let a request run out of time has perhaps been cut off or replaced: its idle sockets would only cost others the same time. */
  #dropIdle(origin: Origin): void {
    for (const socket of this.#agent.freeSockets[this.#agent.getName(origin)] ?? []) socket.destroy();
  }

  #target(url: string): Origin & { readonly path: string } {
    const end = url.indexOf('/', 'https://'.length);
    const prefix = end < 0 ? url : url.slice(0, end);
    let origin = this.#origins.get(prefix);
    if (origin === undefined) {
      const { hostname, port } = new URL(prefix);
      origin = { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) };
      this.#origins.set(prefix, origin);
    }
    return { ...origin, path: end < 0 ? '/' : url.slice(end) };
  }

  #start(url: string, options: CallOptions): Exchange {
    const { body, correlationId } = options;
    const headers: Record<string, string | number> = correlationId === undefined ? {} : { 'x-correlation-id': correlationId };
    if (typeof body === 'string' || Buffer.isBuffer(body)) headers['content-length'] = Buffer.byteLength(body);
    const target = this.#target(url);
    const request = httpsRequest({ agent: this.#agent, method: options.method ?? 'GET', headers, ...target });
    const exchange = watch(request, options, { connected: this.#connected, onSilent: () => this.#dropIdle(target) });
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) request.end(body);
    else body.once('error', (error) => request.destroy(error)).pipe(request);
    return exchange;
  }
}

interface Exchange {
  readonly head: Promise<StreamResult>;
  /** Why we cut it ourselves, if we did. */
  reason(): string | undefined;
  /** Releases timer and signal. */
  end<T>(result: T): T;
}

interface Watching {
  readonly connected: WeakSet<object>;
  readonly onSilent: () => void;
}

function watch(request: ClientRequest, options: CallOptions, { connected, onSilent }: Watching): Exchange {
  let cut: string | undefined;
  let sent = false;
  const destroy = (reason: string): void => {
    cut ??= reason;
    request.destroy(new EngineError('timeout', reason));
  };
  const timer = setTimeout(() => {
    destroy(sent ? 'timeout-sent' : 'timeout-connecting');
    onSilent();
  }, options.timeoutMs);
  const abort = (): void => destroy('aborted');
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener('abort', abort, { once: true });
  request.once('socket', (socket) => {
    if (connected.has(socket)) {
      sent = true;
      return;
    }
    socket.once('secureConnect', () => {
      connected.add(socket);
      sent = true;
    });
  });
  const head = new Promise<StreamResult>((resolve) => {
    request.once('response', (response: IncomingMessage) => {
      response.on('error', () => undefined);
      resolve({ kind: 'reply', status: response.statusCode ?? 0, stream: response });
    });
    request.on('error', (error) => resolve({ kind: sent ? 'no-reply' : 'not-sent', reason: cut ?? reasonOf(error) }));
    request.once('close', () => resolve({ kind: sent ? 'no-reply' : 'not-sent', reason: cut ?? 'closed' }));
  });
  return {
    head,
    reason: () => cut,
    end: (result) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
      return result;
    },
  };
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code.toLowerCase() : String((error as Error).message);
}

/** Parses an answer's JSON; undefined when it is none. The caller decodes it. */
export function parseJson(body: Buffer | string): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
