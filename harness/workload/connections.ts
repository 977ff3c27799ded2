import { Agent, type RequestOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as startTls, type TLSSocket } from 'node:tls';

export interface Identity {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Handshakes at a time. They cost a server a thousand times what a SYN costs: without a limit clients whose answers are late keep it from ever answering. */
const HANDSHAKES = 8;

/** Node's type wants a stream even with an error; Node itself does not. */
type Created = (error: Error | null, stream: Duplex) => void;

/**
 * Keep-alive connections to one address. Every operation that finds none idle connects at once, so that the first moment in which the
 * address can be reached again is seen; only TLS handshakes take turns. A request gets its socket when the handshake is done: before
 * that no byte of it can have left. A connection that comes too late for its operation is kept for the next.
 */
export class Connections extends Agent {
  readonly #address: { readonly host: string; readonly port: number };
  readonly #servername: string;
  readonly #identity: Identity;
  readonly #limitMs: number;
  readonly #open = new Set<Socket>();
  readonly #queue: (() => void)[] = [];
  #handshakes = 0;

  constructor(address: { host: string; port: number }, servername: string, identity: Identity, limitMs: number) {
    super({ keepAlive: true });
    this.#address = address;
    this.#servername = servername;
    this.#identity = identity;
    this.#limitMs = limitMs;
  }

  /** What node asks for a new connection; never gives up before the limit, never after. */
  override createConnection(_options: RequestOptions, created?: Created): null {
    const socket = connect({ ...this.#address, noDelay: true });
    this.#open.add(socket);
    const limit = setTimeout(() => socket.destroy(Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' })), this.#limitMs);
    let reported = false;
    const settle = (error: Error | null, secure?: TLSSocket): void => {
      clearTimeout(limit);
      if (reported) return;
      reported = true;
      created?.(error, secure as Duplex);
    };
    socket.on('error', (error) => settle(error));
    socket.on('close', () => {
      this.#open.delete(socket);
      settle(Object.assign(new Error('closed before it was connected'), { code: 'ECONNRESET' }));
    });
    socket.once('connect', () => this.#takeTurn(() => this.#handshake(socket, settle)));
    return null;
  }

  /** Closes everything, also what is still being connected. */
  override destroy(): void {
    for (const socket of this.#open) socket.destroy();
    super.destroy();
  }

  #handshake(socket: Socket, settle: (error: Error | null, secure?: TLSSocket) => void): void {
    const done = (): void => {
      if (over) return;
      over = true;
      this.#handshakes -= 1;
      this.#queue.shift()?.();
    };
    let over = false;
    if (socket.destroyed) return done();
    const secure = startTls({ socket, servername: this.#servername, ...this.#identity });
    secure.on('error', (error) => settle(error));
    secure.once('close', done);
    secure.once('secureConnect', () => {
      done();
      settle(null, secure);
    });
  }

  #takeTurn(handshake: () => void): void {
    const start = (): void => {
      this.#handshakes += 1;
      handshake();
    };
    if (this.#handshakes < HANDSHAKES) start();
    else this.#queue.push(start);
  }
}
