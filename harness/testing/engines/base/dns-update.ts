import { createSocket } from 'node:dgram';
import { createHmac, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import dnsPacket from 'dns-packet';
import type { Config } from './config.ts';

type Dns = Config['dns'];
const TYPE = { A: 1, SOA: 6, TXT: 16, AAAA: 28, TSIG: 250 } as const;
const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
const TIMEOUT_MS = 400;

/** The epoch that the service name carries and its addresses, asked of the authoritative server; epoch -1 when there is none. */
export async function readName(
  dns: Dns,
): Promise<{ readonly epoch: number; readonly txt: readonly string[]; readonly addresses: readonly string[] }> {
  const records = await Promise.all((['TXT', 'A', 'AAAA'] as const).map((type) => query(dns, type)));
  const txt = (records[0] ?? []).map(String);
  const epochs = txt.map((t) => Number(/(\d+)/.exec(t)?.[1] ?? -1));
  return { epoch: Math.max(-1, ...epochs), txt, addresses: [...(records[1] ?? []), ...(records[2] ?? [])].map(String) };
}

/**
 * Points the service name at these addresses under this epoch, one signed update with what we just read as prerequisite.
 * A higher epoch there is never overwritten.
 * @throws when the server refuses or does not answer.
 */
export async function publishName(dns: Dns, addresses: readonly string[], epoch: number): Promise<void> {
  const now = await readName(dns);
  if (now.epoch > epoch) throw new Error(`the name already carries epoch ${now.epoch}, which is above ${epoch}`);
  const prerequisites = now.txt.map((t) => record(dns.name, TYPE.TXT, CLASS.IN, 0, character(t)));
  if (prerequisites.length === 0) prerequisites.push(record(dns.name, TYPE.TXT, CLASS.NONE, 0, Buffer.alloc(0)));
  const updates = [
    ...([TYPE.A, TYPE.AAAA, TYPE.TXT] as const).map((type) => record(dns.name, type, CLASS.ANY, 0, Buffer.alloc(0))),
    ...addresses.map((a) => record(dns.name, isIPv6(a) ? TYPE.AAAA : TYPE.A, CLASS.IN, dns.ttl_seconds, address(a))),
    record(dns.name, TYPE.TXT, CLASS.IN, dns.ttl_seconds, character(`epoch=${epoch}`)),
  ];
  const id = randomInt(65536);
  const header = words(id, 5 << 11, 1, prerequisites.length, updates.length, 0);
  const message = Buffer.concat([header, name(dns.zone), words(TYPE.SOA, CLASS.IN), ...prerequisites, ...updates]);
  const reply = await exchange(dns, sign(dns, message, id), id);
  const rcode = reply.readUInt16BE(2) & 15;
  if (rcode !== 0) throw new Error(`the DNS server answered the update with rcode ${rcode}`);
}

async function query(dns: Dns, type: 'A' | 'AAAA' | 'TXT'): Promise<readonly unknown[]> {
  const id = randomInt(65536);
  const reply = await exchange(dns, dnsPacket.encode({ type: 'query', id, questions: [{ type, name: dns.name.slice(0, -1) }] }), id);
  const answers = dnsPacket.decode(reply).answers ?? [];
  return answers.filter((a) => a.type === type).map((a) => ('data' in a ? (Array.isArray(a.data) ? a.data.join('') : a.data) : ''));
}

function exchange(dns: Dns, message: Buffer, id: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(dns.server) ? 'udp6' : 'udp4');
    const timer = setTimeout(() => end(new Error(`no answer from the DNS server in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    const end = (error: Error | null, reply?: Buffer): void => {
      clearTimeout(timer);
      socket.close();
      if (reply) resolve(reply);
      else reject(error ?? new Error('no reply'));
    };
    socket.on('error', (error) => end(error));
    socket.on('message', (reply) => {
      if (reply.length >= 12 && reply.readUInt16BE(0) === id) end(null, reply);
    });
    socket.send(message, dns.port, dns.server);
  });
}

/** RFC 8945: the MAC covers the message and the TSIG variables. */
function sign(dns: Dns, message: Buffer, id: number): Buffer {
  const hash = dns.tsig.algorithm === 'hmac-sha512' ? 'sha512' : 'sha256';
  const seconds = Math.floor(Date.now() / 1000);
  const time = Buffer.concat([words(Math.floor(seconds / 2 ** 32)), long(seconds % 2 ** 32), words(300)]);
  const algorithm = name(`${dns.tsig.algorithm}.`);
  const variables = Buffer.concat([name(dns.tsig.name), words(CLASS.ANY), long(0), algorithm, time, words(0, 0)]);
  const secret = Buffer.from(readFileSync(dns.tsig.secret_file, 'utf8').trim(), 'base64');
  const mac = createHmac(hash, secret).update(message).update(variables).digest();
  const data = Buffer.concat([algorithm, time, words(mac.length), mac, words(id, 0, 0)]);
  const signed = Buffer.concat([message, record(dns.tsig.name, TYPE.TSIG, CLASS.ANY, 0, data)]);
  signed.writeUInt16BE(1, 10);
  return signed;
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, n) => buffer.writeUInt16BE(value, n * 2));
  return buffer;
}
function long(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
function name(text: string): Buffer {
  const labels = text
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
  return Buffer.concat([...labels.map(character), Buffer.from([0])]);
}
function character(text: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
}
function record(owner: string, type: number, classCode: number, ttl: number, data: Buffer): Buffer {
  return Buffer.concat([name(owner), words(type, classCode), long(ttl), words(data.length), data]);
}
function address(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const parts = (half: string): readonly number[] => (half === '' ? [] : half.split(':').map((part) => parseInt(part, 16)));
  const [before, after] = [parts(head), tail === undefined ? [] : parts(tail)];
  return words(...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after);
}
