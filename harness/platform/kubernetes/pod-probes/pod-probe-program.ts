/**
 * A probe in a pod, as an ephemeral container: sends a datagram to every peer each period, and writes when it sent and what came in. It judges nothing, and needs no right, no file and nothing
 * but node. It ends when its time is over, or when it is told to.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import process from 'node:process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { decodeProbe, encodeProbe } from '../../local/reach/datagram.ts';
import type { Family } from '../../local/reach/protocol.ts';
import { END_SEQ, endsOf, linkNumber, PROBE_VERSION, type Arrived, type ProbeLine, type ProbeOrder, type Tick } from './probe-order.ts';

const REPORT_MS = 250;
const FAMILIES = [4, 6] as const;
const LOOPBACK: Readonly<Record<Family, string>> = { 4: '127.0.0.1', 6: '::1' };
/** A probe of an earlier run has the port until it hears that it is to end. */
const BIND_TRIES = 50;
const BIND_AGAIN_MS = 100;
const END_TIMES = 3;
/** For as long as this process may not be scheduled; the kernel gives less where it is set to. */
const BUFFER_BYTES = 4 * 1024 * 1024;

const order = JSON.parse(process.argv[2] ?? '{}') as ProbeOrder;
const sockets = new Map<Family, Socket>();
const arrivals = new Map<string, (readonly [first: number, last: number])[]>();
let arrivedEver = 0;
let ticks: Tick[] = [];
let lines = 0;
let over = false;

const now = (): number => performance.now();
/** A tenth of a millisecond is enough; rounded so that no interval between two of them becomes shorter or longer than it may be said to be. */
const earlier = (ms: number): number => Math.floor(ms * 10) / 10;
const later = (ms: number): number => Math.ceil(ms * 10) / 10;
const say = (line: ProbeLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function end(why: string): void {
  if (over) return;
  over = true;
  say({ line: lines, ended: why });
  process.exit(0);
}

function received(family: Family, data: Buffer, { address }: RemoteInfo): void {
  const probe = decodeProbe(data);
  if (probe === undefined) return;
  if (probe.seq === END_SEQ) {
    if (probe.session === order.session) end('it was told that the run is over');
    if (address === LOOPBACK[family]) end('a probe of another run came into this pod');
    return;
  }
  const { from, to } = endsOf(probe.link);
  if (probe.session !== order.session || to !== order.me) return;
  arrivedEver += 1;
  const key = `${from}/${family}`;
  const ranges = arrivals.get(key) ?? [];
  const last = ranges.at(-1);
  if (last !== undefined && last[1] + 1 === probe.seq) ranges[ranges.length - 1] = [last[0], probe.seq];
  else ranges.push([probe.seq, probe.seq]);
  arrivals.set(key, ranges);
}

/** Throws when the port is taken by something that does not end. */
async function bind(family: Family): Promise<Socket> {
  for (let tried = 1; ; tried++) {
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6, recvBufferSize: BUFFER_BYTES });
    try {
      socket.bind(order.port);
      await once(socket, 'listening');
      return socket;
    } catch (error) {
      socket.close();
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tried === BIND_TRIES) throw error;
      await tellToEnd(family, [LOOPBACK[family]], 0);
      await sleep(BIND_AGAIN_MS);
    }
  }
}

async function tellToEnd(family: Family, addresses: readonly string[], session: number): Promise<void> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  socket.on('error', () => undefined); // who does not hear it ends in time
  for (const address of addresses) await sendTo(socket, address, { session, link: 0, seq: END_SEQ });
  socket.close();
}

/** Resolves when the system call has returned, whatever it said: an error is a datagram that does not arrive. */
const sendTo = (socket: Socket, address: string, probe: Parameters<typeof encodeProbe>[0]): Promise<void> =>
  new Promise((done) => socket.send(encodeProbe(probe), order.port, address, () => done()));

async function sendRound(seq: number): Promise<void> {
  const beforeMs = earlier(now());
  const sent = order.peers.flatMap(({ number, addresses }) =>
    [...sockets].flatMap(([family, socket]) => {
      const address = addresses[family];
      if (number === order.me || address === undefined) return [];
      return [sendTo(socket, address, { session: order.session, link: linkNumber(order.me, number), seq })];
    }),
  );
  await Promise.all(sent);
  ticks.push([seq, beforeMs, later(now())]);
}

/** A late round is not made up for by a burst: the next is due at the next multiple of the period. */
async function sendAll(): Promise<void> {
  const startedMs = now();
  for (let seq = 0, period = 0; !over; seq++) {
    await sendRound(seq);
    period = Math.max(period, Math.floor((now() - startedMs) / order.periodMs)) + 1;
    await sleep(Math.max(0, startedMs + period * order.periodMs - now()));
  }
}

/** Until two turns of the event loop in a row brought nothing in: what lay in a buffer while this process was not scheduled has arrived. */
async function drained(): Promise<void> {
  for (let turn = 0, quiet = 0, had = arrivedEver; turn < 1000 && quiet < 2; turn++) {
    await nextTurn();
    quiet = had === arrivedEver ? quiet + 1 : 0;
    had = arrivedEver;
  }
}

async function reportAll(): Promise<void> {
  while (!over) {
    await sleep(REPORT_MS);
    const atMs = earlier(now());
    await drained();
    const arrived = [...arrivals].flatMap(([key, ranges]) => {
      const [peer, family] = key.split('/').map(Number) as [number, Family];
      return ranges.map(([first, last]): Arrived => [peer, family, first, last]);
    });
    if (over) return;
    say({ line: lines++, atMs, ticks, arrived });
    arrivals.clear();
    ticks = [];
  }
}

async function main(): Promise<void> {
  if (order.version !== PROBE_VERSION)
    throw new Error(`this image has version ${PROBE_VERSION} of the probe, and ${order.version} is asked for`);
  const addressesOf = (family: Family): readonly string[] =>
    order.peers.flatMap(({ addresses }) => (addresses[family] === undefined ? [] : [addresses[family]]));
  if (order.end === true) {
    for (let n = 0; n < END_TIMES; n++, await sleep(BIND_AGAIN_MS))
      for (const family of FAMILIES) await tellToEnd(family, addressesOf(family), order.session);
    return;
  }
  const mine = order.peers.find(({ number }) => number === order.me)?.addresses ?? {};
  setTimeout(() => end('its time is over'), order.forMs);
  process.once('SIGTERM', () => end('its pod ends'));
  for (const family of FAMILIES.filter((one) => mine[one] !== undefined)) {
    const socket = await bind(family);
    socket.on('message', (data, from) => received(family, data, from)).on('error', () => undefined);
    sockets.set(family, socket);
  }
  say({ line: 0, version: PROBE_VERSION, session: order.session, me: order.me, atMs: later(now()) });
  lines = 1;
  await Promise.all([sendAll(), reportAll()]);
}

main().catch((error: unknown) => {
  process.stdout.write(`the probe cannot run: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
