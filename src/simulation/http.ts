import type { ClientRequest } from 'node:http';
import { Readable } from 'node:stream';
import type { HttpReply, HttpRequest, Route } from '../platform/http.ts';
import type { CallOptions, CallResult, HttpClient } from '../platform/https-client.ts';
import { EngineError } from '../platform/errors.ts';
import type { Role } from '../platform/tls.ts';
import { AnswerBody } from './answer-body.ts';
import { ArrivedRequest } from './arrived-request.ts';
import { Connection } from './connection.ts';
import { Exchange, Gone, type Caller } from './exchange.ts';
import { LightStream } from './light-stream.ts';
import type { Network, Place } from './network.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A program that listens. */
export interface Listener {
  readonly process: SimulatedProcess;
  readonly routes: readonly Route[];
  /** A handler threw what is no answer. */
  readonly onError: (error: unknown) => void;
}

/** What goes wrong with requests that match, at the other end. */
export interface Mishap {
  readonly path: string;
  readonly region: string;
  /** `fails`: answered with an error, not carried out. `hangs`: carried out, never answered. `errs`: carried out, answered with an error. */
  readonly how: 'fails' | 'hangs' | 'errs';
}

/** An answer that somebody got. */
export interface Heard {
  readonly by: Place;
  readonly path: string;
  readonly from: Place;
  readonly result: Extract<CallResult, { kind: 'reply' }>;
  readonly sentAtMs: number;
}

export interface HttpWitness {
  /** A server begins to carry a request out. */
  serves(request: HttpRequest, at: Place): void;
  /** A server has handed its answer to the network. */
  replied(to: HttpRequest, at: Place, status: number, json: unknown): void;
  /** An answer has arrived at who asked. */
  heard(heard: Heard): void;
}

const EMPTY = Buffer.alloc(0);
const NO_STREAM = null as unknown as Readable;

/** Requests and answers between programs, by the simulated network, to the real routes. Urls are `https://<program>.<region>/…`. */
export class Http {
  readonly mishaps = new Set<Mishap>();
  readonly #time: VirtualTime;
  readonly #network: Network;
  readonly #witness: HttpWitness;
  readonly #listeners = new Map<string, Listener>();
  readonly #addresses = new Map<string, Address>();

  constructor(parts: { readonly time: VirtualTime; readonly network: Network; readonly witness: HttpWitness }) {
    this.#time = parts.time;
    this.#network = parts.network;
    this.#witness = parts.witness;
  }

  listen(host: string, listener: Listener): void {
    this.#listeners.set(host, listener);
  }

  /** A client of one process, or of somebody outside. */
  client(from: Place, role: Role, process: SimulatedProcess | null): HttpClient {
    const caller = { from, role, process };
    return {
      call: (url, options) => this.#call(caller, url, options),
      begin: (url) => this.#begin(caller, url),
    };
  }

  /** A request that goes on: messages on one connection, in order, to one life of one program. */
  #begin(caller: Caller, url: string): ClientRequest {
    const { host, to, path } = this.#split(url);
    const connection = new Connection({
      time: this.#time,
      caller: caller.process,
      accept: () => {
        const listener = this.#listeners.get(host);
        return listener === undefined ? null : { ...listener, route: routeFor(listener.routes, { caller, method: 'POST', path }) };
      },
      there: () => this.#network.deliveries(caller.from, to)[0],
      back: () => this.#network.deliveries(to, caller.from)[0],
      request: (stream) => new ArrivedRequest({ caller, method: 'POST', path, rest: '', body: EMPTY, stream, gone: new Gone() }),
      mishap: () => this.#mishapAt(to, path)?.how ?? null,
    });
    return connection as unknown as ClientRequest;
  }

  /** Programs ask the same few addresses again and again. */
  #split(url: string): Address {
    const known = this.#addresses.get(url);
    if (known !== undefined) return known;
    const address = split(url);
    this.#addresses.set(url, address);
    return address;
  }

  #mishapAt({ region }: Place, path: string): Mishap | undefined {
    for (const mishap of this.mishaps) if (mishap.region === region && mishap.path === path) return mishap;
    return undefined;
  }

  #call(caller: Caller, url: string, options: CallOptions): Promise<CallResult> {
    if (!(options.body instanceof Readable)) return this.#exchange(caller, url, options, toBuffer(options.body));
    return gather(options.body).then(
      (body) => this.#exchange(caller, url, options, body),
      (error: unknown): CallResult => ({ kind: 'no-reply', reason: String(error) }),
    );
  }

  #exchange(caller: Caller, url: string, options: CallOptions, body: Buffer): Promise<CallResult> {
    const { host, to, path } = this.#split(url);
    const exchange = new Exchange(this.#time, caller, options);
    const message = { host, to, path, method: options.method ?? 'GET', body };
    const arrive = (): void => this.#arrive(exchange, message);
    const deliveries = this.#network.deliveries(caller.from, to);
    // A write is not repeated by anybody on its way; everything else may be.
    const once = options.method === 'PUT' ? deliveries.slice(0, 1) : deliveries;
    for (const delayMs of once) this.#time.after(delayMs, null, arrive);
    return exchange.result;
  }

  /** At the other host: its kernel takes it, or says that nobody listens. */
  #arrive(exchange: Exchange, message: Message): void {
    const listener = this.#listeners.get(message.host);
    if (listener === undefined || listener.process.isDead) {
      return this.#back(exchange, message, () => exchange.end({ kind: 'not-sent', reason: 'econnrefused' }));
    }
    this.#time.handOver(listener.process, () => this.#serve(exchange, message, listener));
  }

  #serve(exchange: Exchange, message: Message, { routes, onError }: Listener): void {
    const { path, method, to, body } = message;
    const { caller } = exchange;
    const route = routeFor(routes, { caller, method, path });
    const mishap = this.#mishapAt(to, path);
    if (mishap?.how === 'fails') return this.#answer(exchange, message, { status: 500, json: {} });
    const request = new ArrivedRequest({
      caller,
      method,
      path,
      rest: route.prefix === true ? decodeURIComponent(path.slice(route.path.length)) : '',
      body,
      stream: route.streamBody === true ? (new LightStream().push(body.toString()).end() as unknown as Readable) : NO_STREAM,
      gone: exchange.gone,
    });
    const answer = (reply: HttpReply): void => {
      if (mishap?.how === 'hangs') return;
      this.#witness.replied(request, to, reply.status, reply.json);
      this.#answer(exchange, message, mishap?.how === 'errs' ? { status: 500, json: {} } : reply);
    };
    const failed = (error: unknown): void => {
      const code = error instanceof EngineError ? error.code : 'internal';
      answer({ status: 500, json: { error: { code, message: String(error), applied: 'unknown' } } });
      onError(error);
    };
    this.#witness.serves(request, to);
    try {
      const reply = route.handle(request);
      if (reply instanceof Promise) reply.then(answer, failed);
      else answer(reply);
    } catch (error) {
      failed(error);
    }
  }

  #answer(exchange: Exchange, message: Message, reply: HttpReply): void {
    const body = reply.json === undefined ? EMPTY : new AnswerBody(reply.json).asBuffer();
    this.#back(exchange, message, () => {
      const result = { kind: 'reply', status: reply.status, body } as const;
      if (!exchange.end(result)) return;
      this.#witness.heard({ by: exchange.caller.from, path: message.path, from: message.to, result, sentAtMs: exchange.sentAtMs });
    });
  }

  #back(exchange: Exchange, { to }: Message, arrived: () => void): void {
    const { from, process } = exchange.caller;
    const [delayMs] = this.#network.deliveries(to, from);
    if (delayMs !== undefined) this.#time.after(delayMs, process, arrived);
  }
}

interface Message {
  readonly host: string;
  readonly to: Place;
  readonly path: string;
  readonly method: NonNullable<CallOptions['method']>;
  readonly body: Buffer;
}

interface Address {
  readonly host: string;
  readonly to: Place;
  readonly path: string;
}

function split(url: string): Address {
  const slash = url.indexOf('/', 8);
  const host = url.slice(8, slash);
  const dot = host.indexOf('.');
  return { host, to: { program: host.slice(0, dot) as Place['program'], region: host.slice(dot + 1) }, path: url.slice(slash) };
}

function routeFor(routes: readonly Route[], asked: { readonly caller: Caller; readonly method: string; readonly path: string }): Route {
  const { caller, method, path } = asked;
  const route = routes.find((one) => one.method === method && (one.prefix === true ? path.startsWith(one.path) : path === one.path));
  if (route !== undefined && (route.roles === 'anyone' || route.roles.includes(caller.role))) return route;
  throw new RangeError(`${caller.role} may not ${method} ${path}: no real program does so`);
}

function toBuffer(body: string | Buffer | undefined): Buffer {
  return body === undefined ? EMPTY : typeof body === 'string' ? Buffer.from(body) : body;
}

async function gather(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk as string));
  return Buffer.concat(chunks);
}
