import { DNS, type Record as RecordSet, type Zone } from '@google-cloud/dns';
import { isIPv4 } from 'node:net';
import { PassThroughClient } from 'google-auth-library';
import { bounded } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import type { DnsProvider, PublishResult, PublishedRoute } from './dns.ts';
import { judge, routeOf, textOf } from './route.ts';

export interface CloudDnsOptions {
  /** Default: the project of the credentials. */
  readonly project?: string;
  /** The zone's name in the project (not its domain). */
  readonly managedZone: string;
  readonly name: string;
  readonly ttlSeconds: number;
  /** Another server than Google's, as http://127.0.0.1:8080; it gets no credentials. */
  readonly endpoint?: string;
  /** Limit of one request. */
  readonly timeoutMs: number;
  /** How long a change may be pending before it is an error. */
  readonly pendingMs: number;
  readonly clock: Clock;
}

const TRIES = 3;
const LOOK_MS = 250;
/** Answers to a change whose deletions are not exactly what is there, or whose additions are there already. */
const OVERTAKEN: readonly unknown[] = [404, 409, 412];
const OURS = ['A', 'AAAA', 'TXT'];

/**
 * A name in a managed zone of Google Cloud DNS. A, AAAA and TXT `epoch=N region=R` change in one atomic change, which deletes exactly the records that were
 * read: whoever read an older TXT is refused by the service. A change counts as made when it is not `pending` any more: then it is on its way to
 * the authoritative servers, each of which answers it a little later. Credentials are Google's application default ones (role `dns.admin` on the zone).
 */
export function openCloudDns(options: CloudDnsOptions): DnsProvider {
  const closing = new AbortController();
  const zone = openZone(options);
  const bound = (signal?: AbortSignal): Bound => ({
    options,
    zone,
    signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]),
  });
  return {
    read: async (signal) => (await look(bound(signal))).route,
    publish: (route, signal) => publish(bound(signal), route),
    setTtl: (of, ttlSeconds, signal) => setTtl(bound(signal), of, ttlSeconds),
    close: () => Promise.resolve(closing.abort(new EngineError('dns-failed', 'closed'))),
  };
}

interface Bound {
  readonly options: CloudDnsOptions;
  readonly zone: Zone;
  readonly signal: AbortSignal;
}

interface Seen {
  readonly route: PublishedRoute | null;
  /** The records as the service has them: what a change must delete. */
  readonly records: readonly RecordSet[];
}

function openZone({ project, managedZone, endpoint, timeoutMs }: CloudDnsOptions): Zone {
  // The client brings an older release of the library with it, whose type of the same class this is.
  const authClient = new PassThroughClient() as unknown as NonNullable<ConstructorParameters<typeof DNS>[0]>['authClient'] & object;
  const dns = new DNS({
    ...(project === undefined ? {} : { projectId: project }),
    ...(endpoint === undefined ? {} : { authClient }),
  });
  dns.timeout = timeoutMs; // else a request given up here would go on until the socket ends
  // The client makes `https://<apiEndpoint>` of whatever it is given, also of http://….
  if (endpoint !== undefined) dns.baseUrl = `${new URL(endpoint).origin}/dns/v1`;
  return dns.zone(managedZone);
}

async function publish(to: Bound, route: PublishedRoute): Promise<PublishResult> {
  for (let tries = 0; tries < TRIES; tries++) {
    const seen = await look(to);
    const verdict = judge(seen.route, route);
    if (seen.route !== null && verdict === 'superseded') return { ok: false, reason: 'superseded', published: seen.route };
    if (verdict === 'there') return { ok: true, changed: tries > 0 };
    // Read back in the next turn, which also decides who won where we were overtaken.
    await change(to, seen, route);
  }
  const { route: published } = await look(to);
  if (judge(published, route) === 'there') return { ok: true, changed: true };
  throw new EngineError('dns-failed', `${to.options.name} is not what was written: epoch ${published?.epoch ?? 'none'}`);
}

async function setTtl(to: Bound, of: Pick<PublishedRoute, 'epoch' | 'region'>, ttlSeconds: number): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const seen = await look(to);
    if (seen.route === null || seen.route.epoch !== of.epoch || seen.route.region !== of.region) return;
    // The API leaves out what is zero.
    if (seen.records.every(({ metadata }) => ((metadata.ttl as number | undefined) ?? 0) === ttlSeconds)) return;
    await change({ ...to, options: { ...to.options, ttlSeconds } }, seen, seen.route);
  }
  throw new EngineError('dns-failed', `${to.options.name} does not get the time to live of ${ttlSeconds} s`);
}

/** One request, and so one moment: a change becomes visible as a whole. */
async function look(to: Bound): Promise<Seen> {
  const { name } = to.options;
  const [found, next] = await call(to, 'read', () => to.zone.getRecords({ name, autoPaginate: false }));
  if (next !== null && next !== undefined)
    throw new EngineError('dns-failed', `${name} has more record sets than fit a page; is it the name of the service?`);
  const records = found.filter(({ type }) => OURS.includes(type));
  const data = (type: string): readonly string[] =>
    records.flatMap((record) => (record.type === type ? (record.metadata.rrdatas ?? []) : []));
  return { records, route: routeOf(name, data('TXT').map(decodeText), [...data('A'), ...data('AAAA')]) };
}

/** Returns when the change is made or was refused because something else is there. */
async function change(to: Bound, before: Seen, route: PublishedRoute): Promise<void> {
  const { name, ttlSeconds: ttl } = to.options;
  const record = (type: string, data: string[]): RecordSet[] => (data.length === 0 ? [] : [to.zone.record(type, { name, ttl, data })]);
  const add = [
    ...record('A', route.addresses.filter(isIPv4)),
    ...record(
      'AAAA',
      route.addresses.filter((address) => !isIPv4(address)),
    ),
    // Without quotes it would be two texts.
    ...record('TXT', [`"${textOf(route)}"`]),
  ];
  const made = await call(to, 'change', async () => {
    try {
      return await to.zone.createChange({ add, delete: [...before.records] });
    } catch (error) {
      if (OVERTAKEN.includes((error as { readonly code?: unknown }).code)) return null;
      throw error;
    }
  });
  if (made !== null) await untilDone(to, made[0].id ?? '', made[1]);
}

async function untilDone(to: Bound, id: string, first: { readonly status?: string }): Promise<void> {
  const { clock, pendingMs, name } = to.options;
  const endMs = clock.monotonicMs() + pendingMs;
  let status = first.status;
  while (status === 'pending') {
    if (clock.monotonicMs() > endMs) throw new EngineError('dns-failed', `the change of ${name} is still pending after ${pendingMs} ms`);
    await clock.sleep(LOOK_MS, to.signal);
    const [metadata] = await call(to, 'change', () => to.zone.change(id).getMetadata());
    status = (metadata as { readonly status?: string }).status;
  }
}

/** The character-strings of a TXT record, joined as resolvers join them. */
function decodeText(rrdata: string): string {
  const parts = [...rrdata.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)];
  return parts.map(([, quoted, bare]) => quoted?.replaceAll(/\\(.)/g, '$1') ?? bare).join('');
}

async function call<T>(to: Bound, what: string, work: () => Promise<T>): Promise<T> {
  const { managedZone, name, timeoutMs } = to.options;
  const asError = (error: unknown, timedOut: boolean): EngineError => {
    const why = timedOut ? `no answer within ${timeoutMs} ms` : error instanceof Error ? error.message.slice(0, 300) : String(error);
    return new EngineError('dns-failed', `Cloud DNS zone ${managedZone}, ${what} ${name}: ${why}`, error);
  };
  return await bounded({ timeoutMs, signal: to.signal, asError }, work);
}
