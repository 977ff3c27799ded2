import type { Readable } from 'node:stream';
import type { EngineErrorCode } from './errors.ts';
import type { Identity, Role } from './tls.ts';

/** `no` promises that the write was not and will not be applied anywhere. */
export type Applied = 'no' | 'unknown';
export type WireErrorCode = EngineErrorCode | 'not-found' | 'overloaded' | 'pair-lacks' | 'pair-moves' | 'promised' | 'too-large';

export interface ErrorBody {
  readonly error: { readonly code: WireErrorCode; readonly message: string; readonly applied?: Applied };
}

export interface HttpRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  /** What follows a prefix route's path, percent-decoded; empty for exact routes. */
  readonly rest: string;
  readonly caller: Identity | null;
  readonly correlationId: string;
  /** Whole body; empty for routes with `streamBody`. */
  readonly body: Buffer;
  readonly stream: Readable;
  /** Aborted when the caller has gone or the server closes. */
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly json?: unknown;
  readonly body?: Buffer | string | AsyncIterable<string | Buffer>;
  readonly contentType?: string;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  /** Also everything below `path` (which then ends in `/`). */
  readonly prefix?: boolean;
  /** Roles of the caller's certificate; `anyone` needs no certificate. */
  readonly roles: readonly Role[] | 'anyone';
  readonly bodyLimitBytes?: number;
  /** The handler reads `request.stream` itself and must bound it. */
  readonly streamBody?: boolean;
  /** Goes on as long as the caller likes: it is cut as soon as the server begins to close. */
  readonly lasting?: boolean;
  readonly handle: (request: HttpRequest) => HttpReply | Promise<HttpReply>;
}

export function errorReply(status: number, code: WireErrorCode, message: string, applied?: Applied): HttpReply {
  const body: ErrorBody = { error: { code, message, ...(applied === undefined ? {} : { applied }) } };
  return { status, json: body };
}

export function jsonReply(json: unknown, status = 200): HttpReply {
  return { status, json };
}

/** `GET /metrics` in Prometheus' text format. */
export function metricsRoute(roles: Route['roles'], text: () => Promise<string>): Route {
  const contentType = 'text/plain; version=0.0.4; charset=utf-8';
  return { method: 'GET', path: '/metrics', roles, handle: async () => ({ status: 200, body: await text(), contentType }) };
}
