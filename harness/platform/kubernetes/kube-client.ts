import type { KubeConfig } from '@kubernetes/client-node';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { HarnessError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { splitLines } from '../local/lines.ts';

export const MANAGER = 'gameday';
const TIMEOUT_MS = 10_000;
/** Bookmarks come about once a minute; a stream that is silent for longer than this has lost its server. */
const SILENT_MS = 100_000;
const STALE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
const MAX_BODY_CHARS = 64 * 1024 * 1024;

export interface KubeAnswer<T = unknown> {
  readonly status: number;
  readonly body: T;
  /** What the server's clock said, to the second. */
  readonly dateMs?: number;
}

type Query = Readonly<Record<string, string | number | boolean>>;
interface Ask {
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/**
 * Requests to one context of a kubeconfig. Objects go in and come out as the API has them: the typed client's serializer drops fields of
 * custom resources and rounds times, so only its kubeconfig and its identities (certificates, tokens, exec plug-ins) are used.
 */
export class KubeClient {
  readonly context: string;
  readonly server: string;
  readonly #config: KubeConfig;

  private constructor(config: KubeConfig, context: string) {
    this.context = context;
    this.#config = config;
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new HarnessError('bad-input', `the kubeconfig has no cluster for the context ${context}`);
    if (!server.startsWith('https://'))
      throw new HarnessError('bad-input', `the kubeconfig's server of the context ${context} is ${server}; only https is spoken`);
    this.server = server;
  }

  /** Throws HarnessError `bad-input` for a file or a context that is not there. The library is loaded by the first call: it costs 0.3 s. */
  static async open(file: string, context: string): Promise<KubeClient> {
    const { KubeConfig: Config } = await import('@kubernetes/client-node');
    const config = new Config();
    try {
      config.loadFromFile(file);
    } catch (error) {
      throw new HarnessError('bad-input', `${file}: is no kubeconfig (${error instanceof Error ? error.message : String(error)})`, error);
    }
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context))
      throw new HarnessError('bad-input', `${file}: has no context \`${context}\`; it has ${known.join(', ') || 'none'}`);
    config.setCurrentContext(context);
    return new KubeClient(config, context);
  }

  /** Any answer of the server; throws HarnessError `cluster-failed` when there is none. */
  async ask<T = unknown>(method: string, path: string, { query = {}, body, contentType, signal }: Ask = {}): Promise<KubeAnswer<T>> {
    const limit = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined ? {} : { 'content-type': contentType ?? 'application/json', 'content-length': Buffer.byteLength(text) };
    const response = await this.#send(this.#url(path, query), { method, headers, signal: limit }, text);
    const answer = { status: response.statusCode ?? 0, body: parse(await wholeBody(response, `${method} ${path}`)) as T };
    const { date } = response.headers;
    return date === undefined ? answer : { ...answer, dateMs: Date.parse(date) };
  }

  /** As ask, but only 2xx is an answer: else HarnessError `cluster-failed` with the server's words. */
  async must<T = unknown>(method: string, path: string, options: Ask = {}): Promise<T> {
    const answer = await this.ask<T>(method, path, options);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw refusal(`${method} ${path}`, answer);
  }

  /** Server-side apply; strict: a field that the cluster does not know is an error, not a fault that is half applied. */
  apply<T = unknown>(path: string, object: unknown, signal?: AbortSignal): Promise<T> {
    return this.must<T>('PATCH', path, { ...applying(object), ...(signal ? { signal } : {}) });
  }

  /** What apply would answer; the cluster keeps nothing of it. */
  applyDry<T = unknown>(path: string, object: unknown, signal: AbortSignal): Promise<KubeAnswer<T>> {
    const { query, ...rest } = applying(object);
    return this.ask<T>('PATCH', path, { ...rest, query: { ...query, dryRun: 'All' }, signal });
  }

  merge<T = unknown>(path: string, patch: unknown, signal?: AbortSignal): Promise<T> {
    return this.must<T>('PATCH', path, { body: patch, contentType: 'application/merge-patch+json', ...(signal ? { signal } : {}) });
  }

  /** Hands over the lines of a watch or a log until the server ends it (resolves with the status) or the signal aborts (rejects). */
  async stream(path: string, query: Query, onLine: (line: string) => void, signal: AbortSignal): Promise<number> {
    // Its connection is not kept: one that goes back to the agent has nobody who hears its errors for a moment, and an abort by what was just read would end the process.
    const response = await this.#send(this.#url(path, query), { method: 'GET', headers: { connection: 'close' }, signal }, undefined);
    response.setTimeout(SILENT_MS, () => response.destroy(new Error(`silent for ${SILENT_MS} ms`)));
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      await wholeBody(response, path);
      return status;
    }
    return await new Promise((resolve, reject) => {
      const feed = splitLines(onLine, MAX_BODY_CHARS);
      response.setEncoding('utf8').on('data', feed);
      response.once('end', () => resolve(status));
      response.once('error', (error) => reject(unreachable(this.server, error)));
      response.once('aborted', () => reject(unreachable(this.server, new Error('the connection was cut'))));
    });
  }

  #url(path: string, query: Query): URL {
    const url = new URL(this.server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  async #send(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
    await this.#config.applyToHTTPSOptions(options);
    // The library makes one agent a cluster, with our identity, that closes each connection after one answer.
    Object.assign(options.agent ?? {}, { keepAlive: true });
    return await new Promise((resolve, reject) => {
      const asked = request(url, options, resolve);
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a kept connection just when it was used again: as node advises, asked anew where that does no harm.
        const stale = asked.reusedSocket && STALE.has(error.code ?? '') && options.method !== 'POST';
        if (stale) this.#send(url, options, body).then(resolve, reject);
        else reject(unreachable(this.server, error));
      });
      asked.end(body);
    });
  }
}

const applying = (body: unknown) => ({
  query: { fieldManager: MANAGER, fieldValidation: 'Strict', force: true },
  body,
  contentType: 'application/apply-patch+yaml',
});

/** The words of a Status object, or of whatever the server said instead. */
export function refusal(what: string, { status, body }: KubeAnswer): HarnessError {
  const message = (body as { message?: unknown } | undefined)?.message;
  return new HarnessError(
    'cluster-failed',
    `${what}: ${status} ${typeof message === 'string' ? message : JSON.stringify(body)?.slice(0, 500)}`,
  );
}

function unreachable(server: string, cause: Error): HarnessError {
  return new HarnessError('cluster-failed', `${server} does not answer: ${cause.message}`, cause);
}

const parse = (text: string): unknown => parseJson(text) ?? text;

function wholeBody(response: IncomingMessage, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > MAX_BODY_CHARS) response.destroy(new Error('the answer is too long'));
    });
    response.once('end', () => resolve(text));
    response.once('error', (error) => reject(new HarnessError('cluster-failed', `${what}: the answer broke off: ${error.message}`, error)));
  });
}
