import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP, isIPv4 } from 'node:net';
import packet from 'dns-packet';
import type { Clock } from '../platform/clock.ts';
import { whenAborted } from '../platform/abort.ts';
import { EngineError } from '../platform/errors.ts';
import type { DnsProvider, PublishResult, PublishedRoute } from './dns.ts';
import { judge, routeOf, textOf } from './route.ts';
import { signMessage, verifyAnswer, type TsigKey } from './tsig.ts';
import { encodeUpdate, type WireRecord } from './wire.ts';

export interface Rfc2136Options {
  readonly server: string;
  readonly port: number;
  readonly zone: string;
  readonly name: string;
  readonly ttlSeconds: number;
  readonly key: TsigKey;
  /** Until a query is sent again; three times in all. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const TRIES = 3;
/** Answers to a prerequisite that does not hold: somebody else wrote since we read. */
const OVERTAKEN = ['NXRRSET', 'YXRRSET', 'NXDOMAIN', 'YXDOMAIN'];
const TYPES = ['A', 'AAAA', 'TXT'] as const;

/**
 * DNS UPDATE signed with TSIG. A, AAAA and TXT `epoch=N region=R` change in one update whose prerequisite is the exact TXT that was read: whoever
 * read an older one is refused by the server.
 */
export function openRfc2136(options: Rfc2136Options): DnsProvider {
  const closing = new AbortController();
  const bounded = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
  return {
    read: (signal) => read(options, bounded(signal)),
    publish: (route, signal) => publish(options, route, bounded(signal)),
    setTtl: (of, ttlSeconds, signal) => setTtl({ ...options, ttlSeconds }, of, bounded(signal)),
    close: () => Promise.resolve(closing.abort(new EngineError('dns-failed', 'closed'))),
  };
}

async function publish(options: Rfc2136Options, route: PublishedRoute, signal: AbortSignal): Promise<PublishResult> {
  for (let tries = 0; tries < TRIES; tries++) {
    const published = await read(options, signal);
    const verdict = judge(published, route);
    if (published !== null && verdict === 'superseded') return { ok: false, reason: 'superseded', published };
    if (verdict === 'there') return { ok: true, changed: tries > 0 };
    const rcode = await update(options, published, route, signal);
    if (rcode !== 'NOERROR' && !OVERTAKEN.includes(rcode)) {
      throw new EngineError('dns-failed', `${options.server} refused to update ${options.name}: ${rcode}`);
    }
    // Read back in the next turn, which also decides who won where we were overtaken.
  }
  const published = await read(options, signal);
  if (judge(published, route) === 'there') return { ok: true, changed: true };
  throw new EngineError('dns-failed', `${options.name} does not answer what was written: epoch ${published?.epoch ?? 'none'}`);
}

async function setTtl(options: Rfc2136Options, of: Pick<PublishedRoute, 'epoch' | 'region'>, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const published = await read(options, signal);
    if (published === null || published.epoch !== of.epoch || published.region !== of.region) return;
    const ttls = (await answers(options, 'TXT', signal)).map(({ ttl }) => ttl);
    if (ttls.every((ttl) => ttl === options.ttlSeconds)) return;
    const rcode = await update(options, published, published, signal);
    if (rcode !== 'NOERROR' && !OVERTAKEN.includes(rcode))
      throw new EngineError('dns-failed', `${options.server} refused to update ${options.name}: ${rcode}`);
  }
  throw new EngineError('dns-failed', `${options.name} does not get the time to live of ${options.ttlSeconds} s`);
}

async function update(options: Rfc2136Options, before: PublishedRoute | null, route: PublishedRoute, signal: AbortSignal): Promise<string> {
  const { name, clock, key } = options;
  const id = randomInt(0x10000);
  const add = (type: WireRecord['type'], data: string): WireRecord => ({ name, type, class: 'IN', ttl: options.ttlSeconds, data });
  const prerequisite: WireRecord =
    before === null ? { name, type: 'TXT', class: 'NONE' } : { name, type: 'TXT', class: 'IN', data: textOf(before) };
  const message = encodeUpdate({
    id,
    zone: options.zone,
    prerequisites: [prerequisite],
    updates: [
      ...TYPES.map((type): WireRecord => ({ name, type, class: 'ANY' })),
      ...route.addresses.map((address) => add(isIPv4(address) ? 'A' : 'AAAA', address)),
      add('TXT', textOf(route)),
    ],
  });
  const seconds = (): number => Math.floor(clock.wall().getTime() / 1000);
  const signed = signMessage(message, key, seconds());
  const answer = await exchange(options, signed.bytes, signal);
  const { rcode } = decode(answer);
  const verdict = verifyAnswer(answer, signed.mac, key, seconds());
  // An unsigned refusal (wrong key, clock off) is told as what it is; an unsigned consent is none.
  if (!verdict.ok) throw new EngineError('dns-failed', `answer of ${options.server} (${rcode}) is not to be trusted: ${verdict.why}`);
  return rcode;
}

async function read(options: Rfc2136Options, signal: AbortSignal): Promise<PublishedRoute | null> {
  // The epoch is read before and after the addresses: an update in between would pair one region's addresses with another's epoch.
  for (let tries = 0; tries < TRIES; tries++) {
    const before = await texts(options, signal);
    const addresses = (await Promise.all((['A', 'AAAA'] as const).map((type) => query(options, type, signal)))).flat();
    const after = await texts(options, signal);
    if (before.join() !== after.join()) continue;
    return routeOf(
      options.name,
      after,
      addresses.filter((address) => isIP(address) !== 0),
    );
  }
  throw new EngineError('dns-failed', `${options.name} changes all the time`);
}

function texts(options: Rfc2136Options, signal: AbortSignal): Promise<readonly string[]> {
  return query(options, 'TXT', signal);
}

async function query(options: Rfc2136Options, type: (typeof TYPES)[number], signal: AbortSignal): Promise<readonly string[]> {
  return (await answers(options, type, signal)).map(({ data }) => data);
}

interface AnsweredRecord {
  readonly data: string;
  readonly ttl: number | undefined;
}

async function answers(options: Rfc2136Options, type: (typeof TYPES)[number], signal: AbortSignal): Promise<readonly AnsweredRecord[]> {
  const id = randomInt(0x10000);
  const answer = decode(
    await exchange(options, packet.encode({ id, type: 'query', questions: [{ type, name: bare(options.name) }] }), signal),
  );
  if (answer.rcode === 'NXDOMAIN') return [];
  if (answer.rcode !== 'NOERROR' || !answer.flag_aa) {
    throw new EngineError('dns-failed', `${options.server} is no authority for ${options.name}: ${answer.rcode}`);
  }
  return (answer.answers ?? []).flatMap((record) => {
    if (record.type !== type) return [];
    const data = type === 'TXT' ? Buffer.concat([record.data].flat() as Buffer[]).toString() : String(record.data);
    return [{ data, ttl: 'ttl' in record ? record.ttl : undefined }];
  });
}

/** `rcode` is in what dns-packet decodes, but not in its types. */
function decode(bytes: Buffer): packet.DecodedPacket & { readonly rcode: string } {
  try {
    return packet.decode(bytes) as packet.DecodedPacket & { readonly rcode: string };
  } catch (cause) {
    throw new EngineError('dns-failed', 'the answer is no DNS message', cause);
  }
}

/** Sends until an answer with the same id comes from the server; `dns-failed` when none does. */
async function exchange(options: Rfc2136Options, message: Buffer, signal: AbortSignal): Promise<Buffer> {
  const socket = createSocket(isIPv4(options.server) ? 'udp4' : 'udp6');
  try {
    socket.connect(options.port, options.server);
    await once(socket, 'connect', { signal });
    for (let tries = 0; tries < TRIES; tries++) {
      socket.send(message);
      const answer = await answerTo(socket, message.readUInt16BE(0), AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]));
      if (answer !== null) return answer;
      signal.throwIfAborted();
    }
    throw new EngineError('dns-failed', `no answer from DNS server ${options.server} port ${options.port}`);
  } finally {
    socket.close();
  }
}

/** Null when there is none in time; a refused port (ICMP) counts as silence, the server may be starting. */
async function answerTo(socket: Socket, id: number, deadline: AbortSignal): Promise<Buffer | null> {
  try {
    for (;;) {
      const [bytes] = (await once(socket, 'message', { signal: deadline })) as [Buffer];
      if (bytes.length >= 12 && bytes.readUInt16BE(0) === id) return bytes;
    }
  } catch (error) {
    if (deadline.aborted) return null;
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED')
      throw new EngineError('dns-failed', 'cannot talk to the DNS server', error);
    await whenAborted(deadline);
    return null;
  }
}

function bare(name: string): string {
  return name.replace(/\.$/, '');
}
