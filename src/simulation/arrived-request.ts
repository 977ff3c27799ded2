import type { Readable } from 'node:stream';
import type { HttpRequest } from '../platform/http.ts';
import type { Caller, Gone } from './exchange.ts';

/** A request as a handler gets it. */
export class ArrivedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly rest: string;
  readonly body: Buffer;
  readonly stream: Readable;
  readonly caller: HttpRequest['caller'];
  readonly correlationId = '';
  readonly #gone: Gone;

  constructor(parts: Pick<HttpRequest, 'method' | 'path' | 'rest' | 'body' | 'stream'> & { readonly caller: Caller; readonly gone: Gone }) {
    const { method, path, rest, body, stream, caller, gone } = parts;
    this.method = method;
    this.path = path;
    this.rest = rest;
    this.body = body;
    this.stream = stream;
    this.caller = { role: caller.role, region: caller.from.region };
    this.#gone = gone;
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }
}
