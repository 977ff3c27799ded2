import { readFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { DeviceCommand, DeviceReport } from './device-protocol.ts';

/**
 * The calibration device: a program that serves PUT, GET and DELETE of the key-value contract and stops serving for a known
 * time. It shares no code with what measures it: own server, own clock, own account of when it was away. Arguments: CA,
 * certificate, key. It also answers every DNS question with 127.0.0.1 and echoes datagrams while it serves.
 */
const HOST = '127.0.0.1';
/** Before the clients, which run before other programs (where that is allowed): a client that gets the answer would keep the device from saying when it gave it. */
const NICE = -15;

class Device {
  readonly #tls = { ca: file(2), cert: file(3), key: file(4), requestCert: true, rejectUnauthorized: true };
  readonly #values = new Map<string, string>();
  readonly #sockets = new Set<Socket>();
  #server: Server = this.#makeServer();
  #port = 0;
  #index = 0;
  #down = false;
  #answeredSince = true;

  async start(): Promise<void> {
    await this.#listen();
    const dns = await udp((question, answer) => answer(dnsAnswer(question)));
    const beacon = await udp((datagram, answer) => void (this.#down || answer(datagram)));
    report({ type: 'listening', port: this.#port, dnsPort: dns, beaconPort: beacon });
  }

  async outage({ inMs, forMs, how }: DeviceCommand): Promise<void> {
    await pause(inMs);
    this.#down = true;
    if (how === 'refuse') this.#stopListening();
    const beganNs = process.hrtime.bigint();
    await pause(forMs - 2);
    await untilNs(beganNs + BigInt(Math.round(forMs * 1e6)));
    this.#dropConnections(); // of a black hole: none of what fell into it comes back
    this.#answeredSince = false;
    this.#down = false;
    if (how === 'refuse') await this.#listen();
    const endedNs = process.hrtime.bigint();
    report({ type: 'outage', beganNs: String(beganNs), endedNs: String(endedNs) });
  }

  #makeServer(): Server {
    const server = createServer(this.#tls, (request, response) => void this.#serve(request, response));
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#down) socket.pause(); // connects and hears nothing more
    });
    server.on('tlsClientError', () => undefined);
    return server;
  }

  async #listen(): Promise<void> {
    this.#server = this.#makeServer();
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: HOST, port: this.#port, backlog: 511 }, resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #stopListening(): void {
    this.#server.close();
    this.#dropConnections();
  }

  #dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#down) return; // swallowed
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (this.#down) return;
    const key = request.url ?? '';
    if (request.method === 'PUT') this.#values.set(key, Buffer.concat(chunks).toString('utf8'));
    if (request.method === 'DELETE') this.#values.delete(key);
    const value = request.method === 'GET' ? this.#values.get(key) : undefined;
    const absent = request.method === 'GET' && value === undefined;
    const body = absent
      ? { region: 'device', epoch: 1, error: { code: 'not-found', message: 'no such key', applied: 'no' } }
      : { region: 'device', epoch: 1, index: (this.#index += 1), ...(value === undefined ? {} : { value }) };
    if (!this.#answeredSince) {
      this.#answeredSince = true;
      response.once('finish', () => report({ type: 'answered', atNs: String(process.hrtime.bigint()) }));
    }
    response.writeHead(absent ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }
}

function file(argument: number): Buffer {
  const path = process.argv[argument];
  if (path === undefined) throw new RangeError('usage: device-program CA CERTIFICATE KEY');
  return readFileSync(path);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** The last two milliseconds in turns of the event loop: timers are not exact enough for a calibration. */
async function untilNs(ns: bigint): Promise<void> {
  while (process.hrtime.bigint() < ns) await new Promise((resolve) => setImmediate(resolve));
}

async function udp(handle: (datagram: Buffer, answer: (reply: Buffer) => void) => void): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => handle(datagram, (reply) => socket.send(reply, from.port, from.address, () => undefined)));
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  return socket.address().port;
}

/** RFC 1035: the question again, and one A record that points to its name (offset 12), TTL 0. */
function dnsAnswer(question: Buffer): Buffer {
  const header = Buffer.from([question[0] ?? 0, question[1] ?? 0, 0x84, 0x00, 0, 1, 0, 1, 0, 0, 0, 0]);
  let end = 12;
  while (end < question.length && question[end] !== 0) end += 1 + (question[end] ?? 0);
  const asked = question.subarray(12, end + 5);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...HOST.split('.').map(Number)]);
  return Buffer.concat([header, asked, record]);
}

function report(message: DeviceReport): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function beFirst(): void {
  try {
    setPriority(NICE);
  } catch {
    return; // not allowed here, and then neither to the clients
  }
}

beFirst();
const device = new Device();
await device.start();
for await (const line of createInterface({ input: process.stdin })) await device.outage(JSON.parse(line) as DeviceCommand);
process.kill(process.pid, 'SIGTERM'); // stdin ended: the gate is done or gone
