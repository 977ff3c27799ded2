import type { RemoteInfo } from 'node:dgram';
import { SocketAddress } from 'node:net';
import { decodeProbe, encodeProbe, type Probe } from './datagram.ts';
import type { PodSocket } from './make-sockets.ts';
import { FAMILIES, type Family, type ReachPod } from './protocol.ts';

/** One direction between two pods in one family. */
export interface ProbeLink {
  readonly from: string;
  readonly to: string;
  readonly family: Family;
}

/** What a session does when one of its probes came in at the right pod from the right address. */
export interface Session {
  readonly links: readonly ProbeLink[];
  arrived(link: number, seq: number): void;
}

interface Endpoint {
  readonly pod: string;
  readonly address: string;
  readonly made: PodSocket;
}

/** All sockets of all pods, and which session a probe belongs to. Owner: the reach process; close() closes them. */
export class Endpoints {
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #sessions = new Map<number, Session>();
  #lastSession = 0;

  constructor(pods: readonly ReachPod[], sockets: ReadonlyMap<string, readonly PodSocket[]>) {
    for (const pod of pods) {
      for (const made of sockets.get(pod.name) ?? []) {
        const endpoint = { pod: pod.name, address: made.family === 4 ? pod.ipv4 : canonical(pod.ipv6), made };
        this.#endpoints.set(key(pod.name, made.family), endpoint);
        made.socket.on('message', (data, from) => this.#received(endpoint, data, from));
        made.socket.on('error', () => undefined); // an endpoint that cannot receive shows as lost probes
      }
    }
  }

  /** Throws RangeError for a pod that has no sockets. */
  links(pairs: readonly { readonly from: string; readonly to: string }[]): readonly ProbeLink[] {
    for (const name of new Set(pairs.flatMap(({ from, to }) => [from, to])))
      if (!this.#endpoints.has(key(name, 4))) throw new RangeError(`no pod ${name} in this lab`);
    return pairs.flatMap(({ from, to }) => FAMILIES.map((family) => ({ from, to, family })));
  }

  open(session: Session): number {
    this.#sessions.set(++this.#lastSession, session);
    return this.#lastSession;
  }

  shut(session: number): void {
    this.#sessions.delete(session);
  }

  /** Sends one probe. `done` is called when the system call has returned, whatever it said: an error is a probe that does not arrive. */
  send(link: ProbeLink, probe: Probe, done: () => void): void {
    const from = this.#endpoints.get(key(link.from, link.family));
    const to = this.#endpoints.get(key(link.to, link.family));
    if (!from || !to) return done();
    from.made.socket.send(encodeProbe(probe), to.made.port, to.address, done);
  }

  close(): void {
    for (const { made } of this.#endpoints.values()) made.socket.close();
  }

  #received(endpoint: Endpoint, data: Buffer, from: RemoteInfo): void {
    const probe = decodeProbe(data);
    const session = probe && this.#sessions.get(probe.session);
    const link = session?.links[probe?.link ?? -1];
    if (!probe || !session || !link || link.to !== endpoint.pod || link.family !== endpoint.made.family) return;
    const sender = this.#endpoints.get(key(link.from, link.family));
    if (sender?.address === (link.family === 6 ? canonical(from.address) : from.address)) session.arrived(probe.link, probe.seq);
  }
}

const key = (pod: string, family: Family): string => `${pod}/${family}`;
const canonical = (ipv6: string): string => new SocketAddress({ address: ipv6, family: 'ipv6' }).address;
