import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { createSocket, type Socket } from 'node:dgram';

export type Resolution =
  | { readonly ok: true; readonly addresses: readonly string[] }
  /** `dns-timeout`, `dns-servfail`, `dns-nxdomain`, `dns-empty`, … */
  | { readonly ok: false; readonly reason: string };

/** A query that was not answered is sent again after this, with the same id. */
const RESEND_MS = 200;

interface Waiting {
  readonly settle: (resolution: Resolution) => void;
}

/** A stub resolver without any cache: each call is one question (A) to the caching resolver, as a fresh process would ask. */
export class StubResolver {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  readonly #server: { readonly address: string; readonly port: number };
  /** The question for each name, ready but for its id: hundreds are asked a second, of one name. */
  readonly #questions = new Map<string, Buffer>();

  constructor(server: { readonly address: string; readonly port: number }) {
    this.#server = server;
    const family = server.address.includes(':') ? 6 : 4;
    // An address needs no looking up, which node would do for each datagram.
    this.#socket = createSocket({ type: `udp${family}`, lookup: (host, _options, found) => found(null, host, family) });
    this.#socket.on('message', (message) => this.#answered(message));
    this.#socket.on('error', () => undefined);
  }

  /** Never rejects; resolves within timeoutMs. */
  resolve(name: string, timeoutMs: number): Promise<Resolution> {
    const id = this.#nextId();
    const query = this.#question(name, id);
    const send = (): void => this.#socket.send(query, this.#server.port, this.#server.address, () => undefined);
    return new Promise((resolve) => {
      const again = setInterval(send, RESEND_MS);
      const limit = setTimeout(() => settle({ ok: false, reason: 'dns-timeout' }), timeoutMs);
      const settle = (resolution: Resolution): void => {
        clearInterval(again);
        clearTimeout(limit);
        this.#waiting.delete(id);
        resolve(resolution);
      };
      this.#waiting.set(id, { settle });
      send();
    });
  }

  close(): void {
    for (const waiting of this.#waiting.values()) waiting.settle({ ok: false, reason: 'dns-timeout' });
    this.#socket.close();
  }

  #question(name: string, id: number): Buffer {
    let question = this.#questions.get(name);
    if (question === undefined) {
      question = Buffer.from(encode({ type: 'query', id: 0, flags: RECURSION_DESIRED, questions: [{ type: 'A', name }] }));
      this.#questions.set(name, question);
    }
    const own = Buffer.from(question);
    own.writeUInt16BE(id, 0);
    return own;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) & 0xffff;
    while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }

  #answered(message: Buffer): void {
    let packet: ReturnType<typeof decode> & { readonly rcode?: string };
    try {
      packet = decode(message);
    } catch {
      return; // not an answer to anything; the question is asked again
    }
    const waiting = this.#waiting.get(packet.id ?? -1);
    if (waiting === undefined) return;
    const addresses = (packet.answers ?? []).flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
    if (packet.rcode !== undefined && packet.rcode !== 'NOERROR')
      waiting.settle({ ok: false, reason: `dns-${packet.rcode.toLowerCase()}` });
    else if (addresses.length === 0) waiting.settle({ ok: false, reason: 'dns-empty' });
    else waiting.settle({ ok: true, addresses });
  }
}
