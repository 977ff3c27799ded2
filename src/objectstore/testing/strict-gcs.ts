import { crc32c } from '@node-rs/crc32';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackServer } from '../../testing/loopback-server.ts';

/** How the next request goes wrong. `cut-after`: carried out, but the connection breaks before the answer. */
export type GcsFault = { readonly status: number } | 'cut-before' | 'cut-after' | 'corrupt-download' | 'store-short' | 'silence';

interface Kept {
  readonly body: Buffer;
  readonly generation: string;
  readonly atMs: number;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Buffer;
}

/**
 * The part of the JSON API of Google Cloud Storage that the adapter uses, over HTTP, with what fake-gcs-server leaves out: preconditions on every
 * call, refusal of a wrong CRC32C, and generations that do not grow. One bucket, in memory, for tests.
 */
export class StrictGcs {
  readonly requests: string[] = [];
  /** An object that is written again sooner is refused with 429, as a bucket does at about 1000. */
  updatesApartMs = 0;
  /** Awaited before a request is carried out; what it does meanwhile comes first. */
  before: ((request: string) => Promise<void>) | null = null;
  readonly #objects = new Map<string, Kept>();
  readonly #sessions = new Map<string, { readonly name: string; readonly url: URL; readonly metadata: Metadata }>();
  readonly #faults: GcsFault[] = [];
  readonly #pageObjects: number;
  readonly #server = new LoopbackServer((request, response) => this.#serve(request, response));
  #counter = 1n;

  constructor(pageObjects = 3) {
    this.#pageObjects = pageObjects;
  }

  get endpoint(): string {
    return this.#server.endpoint;
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** As somebody else puts it there, whatever its name. */
  add(name: string, body: Buffer): void {
    this.#objects.set(name, { body, generation: '1', atMs: 0 });
  }

  clear(): void {
    this.#objects.clear();
    this.#faults.length = 0;
    this.requests.length = 0;
  }

  /** The next requests go wrong so, one after the other. */
  fail(...faults: readonly GcsFault[]): void {
    this.#faults.push(...faults);
  }

  /** Takes back what no request has met. */
  failNoMore(): void {
    this.#faults.length = 0;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const url = new URL(request.url ?? '/', this.endpoint);
    const upload = url.searchParams.get('uploadType');
    const line = `${request.method} ${url.pathname}${upload === null ? '' : ` ${upload}`}`;
    this.requests.push(line);
    const fault = this.#faults.shift();
    await this.before?.(line);
    if (fault === 'silence') return;
    if (fault === 'cut-before') return void request.socket.destroy();
    const reply =
      typeof fault === 'object'
        ? { status: fault.status, json: { error: { code: fault.status, message: 'as told' } } }
        : this.#answer(request, url, parts, fault);
    if (fault === 'cut-after') return void request.socket.destroy();
    const body = reply.body ?? (reply.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(reply.json)));
    response.writeHead(reply.status, {
      'content-type': reply.body === undefined ? 'application/json' : 'application/octet-stream',
      ...reply.headers,
    });
    response.end(fault === 'corrupt-download' ? Buffer.from(body).fill(0x7f, 0, 1) : body);
  }

  #answer(request: IncomingMessage, url: URL, parts: readonly Buffer[], fault: GcsFault | undefined): Reply {
    const body = Buffer.concat(parts);
    const name = decodeURIComponent(/^\/storage\/v1\/b\/[^/]+\/o\/(.+)$/.exec(url.pathname)?.[1] ?? '');
    const upload = url.searchParams.get('uploadType');
    if (upload === 'multipart') return this.#multipart(request, url, body, fault);
    if (upload === 'resumable') return this.#resumable(request, url, body);
    if (request.method === 'GET' && name === '') return this.#list(url);
    const kept = this.#objects.get(name);
    if (kept === undefined) return failure(404, `no object ${name}`);
    if (request.method === 'DELETE') return this.#delete(url, name, kept);
    return url.searchParams.get('alt') === 'media' ? download(request, kept) : { status: 200, json: describe(name, kept) };
  }

  #multipart(request: IncomingMessage, url: URL, body: Buffer, fault: GcsFault | undefined): Reply {
    const boundary = /boundary=([^;]+)/.exec(request.headers['content-type'] ?? '')?.[1]?.replaceAll('"', '') ?? '';
    const [metadataPart, mediaPart] = splitMultipart(body, boundary);
    const metadata = JSON.parse(metadataPart?.toString() ?? '{}') as Metadata;
    const media = mediaPart ?? Buffer.alloc(0);
    return this.#insert(
      url,
      url.searchParams.get('name') ?? metadata.name ?? '',
      metadata,
      fault === 'store-short' ? media.subarray(1) : media,
      fault,
    );
  }

  #resumable(request: IncomingMessage, url: URL, body: Buffer): Reply {
    const id = url.searchParams.get('upload_id');
    if (id === null) {
      const session = `s${this.#nextGeneration()}`;
      const metadata = JSON.parse(body.toString() || '{}') as Metadata;
      this.#sessions.set(session, { name: url.searchParams.get('name') ?? '', url, metadata });
      const location = new URL(url);
      location.searchParams.set('upload_id', session);
      return { status: 200, headers: { location: location.href } };
    }
    const session = this.#sessions.get(id);
    return session === undefined
      ? failure(404, 'no such session')
      : this.#insert(session.url, session.name, session.metadata, body, undefined);
  }

  #insert(url: URL, name: string, metadata: Metadata, body: Buffer, fault: GcsFault | undefined): Reply {
    const condition = url.searchParams.get('ifGenerationMatch');
    if (condition === null) return failure(400, 'this adapter never writes without a precondition');
    if ((this.#objects.get(name)?.generation ?? '0') !== condition) return failure(412, 'conditionNotMet');
    if (fault !== 'store-short' && metadata.crc32c !== encode(body)) return failure(400, 'the CRC32C does not match');
    const atMs = performance.now();
    if (atMs - (this.#objects.get(name)?.atMs ?? -Infinity) < this.updatesApartMs) return failure(429, 'rateLimitExceeded');
    const kept = { body, generation: this.#nextGeneration(), atMs };
    this.#objects.set(name, kept);
    return { status: 200, json: describe(name, kept) };
  }

  /** Beyond 2^50, as Google's are, unique, and in no order: Google promises none. */
  #nextGeneration(): string {
    return (1_700_000_000_000_000n + ((this.#counter++ * 7919n) % 1_000_003n)).toString();
  }

  #delete(url: URL, name: string, kept: Kept): Reply {
    const condition = url.searchParams.get('ifGenerationMatch');
    if (condition !== null && condition !== kept.generation) return failure(412, 'conditionNotMet');
    this.#objects.delete(name);
    return { status: 204 };
  }

  #list(url: URL): Reply {
    const from = url.searchParams.get('pageToken') ?? url.searchParams.get('startOffset') ?? '';
    const prefix = url.searchParams.get('prefix') ?? '';
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name >= from).toSorted();
    const page = names.slice(0, this.#pageObjects);
    const next = names[this.#pageObjects];
    const items = page.map((name) => describe(name, this.#objects.get(name)!));
    return { status: 200, json: { kind: 'storage#objects', items, ...(next === undefined ? {} : { nextPageToken: next }) } };
  }
}

interface Metadata {
  readonly name?: string;
  readonly crc32c?: string;
}

function download(request: IncomingMessage, { body, generation }: Kept): Reply {
  const headers = {
    'x-goog-generation': generation,
    'x-goog-hash': `crc32c=${encode(body)},md5=AAAAAAAAAAAAAAAAAAAAAA==`,
    'x-goog-stored-content-encoding': 'identity',
    'x-goog-stored-content-length': String(body.length),
  };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range === null) return { status: 200, headers, body };
  const begin = Number(range[1]);
  if (begin >= body.length) return failure(416, 'the range is beyond the object');
  const part = body.subarray(begin, Number(range[2]) + 1);
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${begin}-${begin + part.length - 1}/${body.length}` }, body: part };
}

function describe(name: string, { body, generation }: Kept): object {
  return { kind: 'storage#object', name, bucket: 'test', size: String(body.length), crc32c: encode(body), generation, metageneration: '1' };
}

function failure(code: number, message: string): Reply {
  return { status: code, json: { error: { code, message, errors: [{ message }] } } };
}

function encode(body: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32c(body));
  return bytes.toString('base64');
}

function splitMultipart(body: Buffer, boundary: string): Buffer[] {
  const parts: Buffer[] = [];
  const mark = Buffer.from(`--${boundary}`);
  for (let at = body.indexOf(mark); at >= 0;) {
    const next = body.indexOf(mark, at + mark.length);
    if (next < 0) break;
    const part = body.subarray(at + mark.length, next);
    const content = part.indexOf('\r\n\r\n');
    parts.push(part.subarray(content + 4, part.length - 2));
    at = next;
  }
  return parts;
}
