import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackServer } from '../../testing/loopback-server.ts';
import { applyChange, isRefusal, keyOf, type Change, type RecordSet, type RecordSets } from './record-sets.ts';

/** How a request goes. `cut-after`: carried out, but the connection breaks before the answer. */
export type CloudDnsFault = 'none' | 'cut-before' | 'cut-after' | 'silence';

interface Kept extends Change {
  readonly kind: 'dns#change';
  readonly id: string;
  readonly startTime: string;
  /** So many more looks find it pending. */
  readonly pendingLooks: number;
}

interface Reply {
  readonly status: number;
  readonly json: unknown;
}

const PROJECT = 'project';
const ZONE = 'zone';
const DOMAIN = 'coditect.test.';

/**
 * The part of the API of Google Cloud DNS that the adapter uses, over HTTP, as strict as its documentation: changes are atomic, deletions must match
 * what is there exactly, additions must be new, TXT data without quotes is split into words. One zone, in memory, for tests.
 */
export class StrictCloudDns {
  readonly project = PROJECT;
  readonly managedZone = ZONE;
  /** One line each: method, path, and `with credentials` where there were any. */
  readonly requests: string[] = [];
  /** How many looks at a new change find it pending. */
  pendingLooks = 1;
  /** Called before a change is looked at: somebody else may be quicker. */
  onChange: (() => void) | null = null;
  #records: RecordSets = new Map();
  readonly #changes: Kept[] = [];
  readonly #faults: CloudDnsFault[] = [];
  readonly #server = new LoopbackServer((request, response) => this.#serve(request, response));

  get endpoint(): string {
    return this.#server.endpoint;
  }

  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The next requests go so, one after the other. */
  fail(...faults: readonly CloudDnsFault[]): void {
    this.#faults.push(...faults);
  }

  /** Takes back what no request has met. */
  failNoMore(): void {
    this.#faults.length = 0;
  }

  get changes(): readonly Change[] {
    return this.#changes;
  }

  recordsOf(name: string): readonly RecordSet[] {
    return [...this.#records.values()].filter((record) => record.name === name);
  }

  /** What somebody else wrote: a change that must be accepted. */
  change(change: Partial<Change>): void {
    const after = applyChange(DOMAIN, this.#records, { additions: [], deletions: [], ...change });
    if (isRefusal(after)) throw new Error(after.message);
    this.#records = after;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const url = new URL(request.url ?? '/', this.endpoint);
    this.requests.push(`${request.method} ${url.pathname}${request.headers.authorization === undefined ? '' : ' with credentials'}`);
    const fault = this.#faults.shift();
    if (fault === 'silence') return;
    if (fault === 'cut-before') return void request.socket.destroy();
    const reply = this.#answer(request, url, Buffer.concat(parts).toString());
    if (fault === 'cut-after') return void request.socket.destroy();
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.json));
  }

  #answer(request: IncomingMessage, url: URL, body: string): Reply {
    const path = /^\/dns\/v1\/projects\/([^/]+)\/managedZones\/([^/]+)\/(rrsets|changes)(?:\/([^/]+))?$/.exec(url.pathname);
    if (path === null) return failure(404, `no such path ${url.pathname}`);
    const [, project, zone, what, id] = path;
    if (project !== PROJECT || zone !== ZONE) return failure(404, `The 'parameters.managedZone' resource named '${zone}' does not exist.`);
    if (request.method === 'GET' && what === 'rrsets' && id === undefined) return this.#list(url);
    if (request.method === 'GET' && what === 'changes' && id !== undefined) return this.#changed(id);
    if (request.method === 'POST' && what === 'changes' && id === undefined) return this.#make(body);
    return failure(405, `${request.method} ${url.pathname}`);
  }

  #list(url: URL): Reply {
    const [name, type] = [url.searchParams.get('name'), url.searchParams.get('type')];
    if (type !== null && name === null) return failure(400, 'type needs a name');
    const rrsets = [...this.#records.values()]
      .filter((record) => (name === null || record.name === name) && (type === null || record.type === type))
      .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      // What is zero is left out.
      .map(({ ttl, ...record }) => ({ kind: 'dns#resourceRecordSet', ...record, ...(ttl === 0 ? {} : { ttl }), signatureRrdatas: [] }));
    return { status: 200, json: { kind: 'dns#resourceRecordSetsListResponse', rrsets } };
  }

  #make(body: string): Reply {
    this.onChange?.();
    const { additions = [], deletions = [] } = JSON.parse(body) as Partial<Change>;
    const after = applyChange(DOMAIN, this.#records, { additions, deletions });
    if (isRefusal(after)) return failure(after.code, after.message);
    this.#records = after;
    const id = String(this.#changes.length);
    const kept: Kept = { kind: 'dns#change', id, startTime: '2026-01-01T00:00:00Z', additions, deletions, pendingLooks: this.pendingLooks };
    this.#changes.push(kept);
    return { status: 200, json: shown(kept) };
  }

  #changed(id: string): Reply {
    const kept = this.#changes[Number(id)];
    if (kept === undefined) return failure(404, `no change ${id}`);
    this.#changes[Number(id)] = { ...kept, pendingLooks: Math.max(0, kept.pendingLooks - 1) };
    return { status: 200, json: shown(this.#changes[Number(id)] as Kept) };
  }
}

function shown({ pendingLooks, ...change }: Kept): object {
  return { ...change, status: pendingLooks > 0 ? 'pending' : 'done' };
}

function failure(code: number, message: string): Reply {
  return { status: code, json: { error: { code, message, errors: [{ message, domain: 'global' }] } } };
}
