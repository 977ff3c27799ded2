import type { ClientRequest } from 'node:http';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as startTls, type TLSSocket } from 'node:tls';

export interface Identity {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** Handshakes at a time. They cost a server a thousand times what a SYN costs: unlimited, clients whose answers are late would keep it from ever answering. */
const HANDSHAKES = 2;
/** An idle connection is closed before any sensible server does, so that no request meets a connection which is just being closed. */
const IDLE_MS = 2000;

/**
 * Keep-alive connections to one address. An operation that finds none idle starts one at once, so that the first moment in which the
 * address can be reached again is seen; it then takes whichever is ready first, new or set free. Only TLS handshakes take turns. A request
 * gets its socket when the handshake is done: before that no byte of it can have left.
 */
export class Connections extends Agent {
  readonly #address: ServiceAddress;
  readonly #identity: Identity;
  readonly #limitMs: number;
  readonly #open = new Set<Socket>();
  readonly #idle: TLSSocket[] = [];
  readonly #waiting: ClientRequest[] = [];
  readonly #turns: (() => void)[] = [];
  #handshakes = 0;

  constructor(address: ServiceAddress, identity: Identity, limitMs: number) {
    super({ keepAlive: true });
    this.#address = address;
    this.#identity = identity;
    this.#limitMs = limitMs;
  }

  /** What node calls with every request of this agent. */
  addRequest(request: ClientRequest): void {
    while (this.#waiting[0]?.destroyed === true) this.#waiting.shift(); // given up by their own limits
    this.#waiting.push(request);
    const idle = this.#idle.pop();
    if (idle === undefined) this.#start(request);
    else this.#give(idle);
  }

  /** Closes everything, also what is still being connected. */
  override destroy(): void {
    for (const socket of this.#open) socket.destroy();
    super.destroy();
  }

  /** To the youngest request that waits: when there are too few connections the oldest are too late anyway. Kept when none waits. */
  #give(socket: TLSSocket): void {
    if (socket.destroyed) return;
    socket.setTimeout(0);
    for (let request = this.#waiting.pop(); request !== undefined; request = this.#waiting.pop()) {
      if (!request.destroyed) return request.onSocket(socket);
    }
    socket.setTimeout(IDLE_MS);
    this.#idle.push(socket);
  }

  #start(request: ClientRequest): void {
    const { host, port } = this.#address;
    const socket = connect({ host, port, noDelay: true });
    const limit = setTimeout(() => socket.destroy(timedOut()), this.#limitMs);
    this.#open.add(socket);
    // Only whoever wanted this connection learns that it failed; it may have got another meanwhile.
    const failed = (error: Error): void => {
      const index = this.#waiting.indexOf(request);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      fail(request, error);
    };
    socket.on('error', failed);
    socket.once('close', () => {
      clearTimeout(limit);
      this.#open.delete(socket);
    });
    socket.once('connect', () =>
      this.#takeTurn(socket, failed, (secure) => {
        clearTimeout(limit);
        this.#keep(secure);
        this.#give(secure);
      }),
    );
  }

  #keep(secure: TLSSocket): void {
    const forget = (): void => {
      const index = this.#idle.indexOf(secure);
      if (index >= 0) this.#idle.splice(index, 1);
    };
    secure.on('free', () => this.#give(secure)); // node: the request is done and the connection can serve the next
    secure.on('timeout', () => secure.destroy());
    secure.on('close', forget);
    secure.on('error', forget); // its request, if any, hears of it by itself
  }

  #takeTurn(socket: Socket, failed: (error: Error) => void, ready: (secure: TLSSocket) => void): void {
    const start = (): void => {
      if (socket.destroyed || this.#waiting.every((one) => one.destroyed)) {
        socket.destroy(); // whoever wanted it has been served by another connection meanwhile
        return this.#turns.pop()?.();
      }
      this.#handshakes += 1;
      const secure = startTls({ socket, servername: this.#address.servername, ...this.#identity });
      const over = (): void => {
        secure.off('secureConnect', over).off('close', over);
        this.#handshakes -= 1;
        this.#turns.pop()?.();
      };
      secure.once('secureConnect', over).once('close', over);
      secure.once('error', failed);
      secure.once('secureConnect', () => ready(secure));
    };
    if (this.#handshakes < HANDSHAKES) start();
    else this.#turns.push(start);
  }
}

/** A request without a socket says nothing when it is destroyed; this is how node's own agents tell it. */
function fail(request: ClientRequest, error: Error): void {
  (request.onSocket as unknown as (socket: null, error: Error) => void).call(request, null, error);
}

function timedOut(): Error {
  return Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' });
}
