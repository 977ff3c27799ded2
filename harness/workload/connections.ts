import { Agent, type ClientRequest } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as startTls, type SecureContext, type TLSSocket } from 'node:tls';

export interface ServiceAddress {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/**
 * One handshake begins when the one before is done, or after so long. They cost a server a thousand times what a SYN costs: all at once,
 * clients whose answers are late would keep it from ever answering, and the first answer of all would wait for the last handshake.
 */
const HANDSHAKE_TURN_MS = 100;
/** Connections go to the request that waits longest, but of those that have waited longer than this only when no other is there: they are late anyway. */
const FRESH_MS = 200;
/**
 * So many connections are enough for an address that goes on answering: more would only take from it the time in which it answers, and while it is late
 * (right after a move everything there is cold) the handshakes would keep it late. One that has not answered for so long gets a new connection with each operation.
 */
const ENOUGH_CONNECTIONS = 8;
const ANSWERING_MS = 100;
/** An idle connection is closed before any sensible server does, so that no request meets a connection which is just being closed. */
const IDLE_MS = 2000;

interface Waiting {
  readonly request: ClientRequest;
  readonly sinceMs: number;
}

/**
 * Keep-alive connections to one address. An operation that finds none idle starts one at once, so that the first moment in which the
 * address can be reached again is seen; it then takes whichever is ready first, new or set free. Only TLS handshakes take turns. A request
 * gets its socket when the handshake is done: before that no byte of it can have left.
 */
export class Connections extends Agent {
  readonly #address: ServiceAddress;
  /** null: plain HTTP. */
  readonly #secureContext: SecureContext | null;
  /** What node asks of an agent, to know what a request of it speaks. */
  readonly protocol: 'http:' | 'https:';
  /** The last ticket of the server: a handshake that resumes costs both sides a fraction. */
  #session: Buffer | undefined;
  readonly #limitMs: number;
  readonly #open = new Set<Socket>();
  readonly #ready = new Set<Socket>();
  #answeredMs = -Infinity;
  readonly #idle: Socket[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #turns: (() => void)[] = [];
  #handshaking = false;

  constructor(address: ServiceAddress, secureContext: SecureContext | null, limitMs: number) {
    super({ keepAlive: true });
    this.protocol = secureContext === null ? 'http:' : 'https:';
    this.#address = address;
    this.#secureContext = secureContext;
    this.#limitMs = limitMs;
  }

  /** What node calls with every request of this agent. */
  addRequest(request: ClientRequest): void {
    this.#forgetDestroyed();
    this.#waiting.push({ request, sinceMs: performance.now() });
    const idle = this.#idle.pop();
    if (idle !== undefined) this.#give(idle);
    else if (!this.#hasEnough()) this.#start(request);
  }

  /** Closes everything, also what is still being connected. */
  override destroy(): void {
    for (const socket of this.#open) socket.destroy();
    super.destroy();
  }

  /** Kept for the next request when none waits. */
  #give(socket: Socket): void {
    if (socket.destroyed) return;
    socket.setTimeout(0);
    const next = this.#next();
    if (next !== undefined) return next.onSocket(socket);
    socket.setTimeout(IDLE_MS);
    this.#idle.push(socket);
  }

  #hasEnough(): boolean {
    return this.#ready.size >= ENOUGH_CONNECTIONS && performance.now() - this.#answeredMs < ANSWERING_MS;
  }

  #next(): ClientRequest | undefined {
    this.#forgetDestroyed();
    const freshMs = performance.now() - FRESH_MS;
    const fresh = this.#waiting.findIndex(({ sinceMs }) => sinceMs >= freshMs);
    return this.#waiting.splice(fresh, 1)[0]?.request; // −1 is the last, the youngest of the late ones
  }

  /** Those that were given up by their own limits. */
  #forgetDestroyed(): void {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      if (this.#waiting[index]?.request.destroyed === true) this.#waiting.splice(index, 1);
    }
  }

  #start(request: ClientRequest): void {
    const { host, port } = this.#address;
    const socket = connect({ host, port, noDelay: true });
    const limit = setTimeout(() => socket.destroy(timedOut()), this.#limitMs);
    this.#open.add(socket);
    // Only whoever wanted this connection learns that it failed; it may have got another meanwhile.
    const failed = (error: Error): void => {
      const index = this.#waiting.findIndex((one) => one.request === request);
      if (index < 0) return;
      this.#waiting.splice(index, 1);
      fail(request, error);
    };
    socket.on('error', failed);
    socket.once('close', () => {
      clearTimeout(limit);
      this.#open.delete(socket);
    });
    const ready = (open: Socket): void => {
      clearTimeout(limit);
      this.#keep(open);
      this.#give(open);
    };
    const secureContext = this.#secureContext;
    socket.once('connect', () => (secureContext === null ? ready(socket) : this.#takeTurn({ socket, secureContext }, failed, ready)));
  }

  #keep(open: Socket): void {
    this.#ready.add(open);
    const forget = (): void => {
      this.#ready.delete(open);
      const index = this.#idle.indexOf(open);
      if (index >= 0) this.#idle.splice(index, 1);
    };
    // node: the request is done and the connection can serve the next
    open.on('free', () => {
      this.#answeredMs = performance.now();
      this.#give(open);
    });
    open.on('timeout', () => open.destroy());
    open.on('close', forget);
    open.on('error', forget); // its request, if any, hears of it by itself
  }

  #takeTurn(
    { socket, secureContext }: { readonly socket: Socket; readonly secureContext: SecureContext },
    failed: (error: Error) => void,
    ready: (secure: TLSSocket) => void,
  ): void {
    const start = (): void => {
      this.#forgetDestroyed();
      if (socket.destroyed || this.#waiting.length === 0) {
        socket.destroy(); // whoever wanted it has been served by another connection meanwhile
        return this.#nextTurn();
      }
      this.#handshaking = true;
      const { servername } = this.#address;
      const secure = startTls({
        socket,
        // Of a server that has only an address, that is what its certificate names.
        ...(isIP(servername) === 0 ? { servername } : { host: servername }),
        secureContext,
        ...(this.#session === undefined ? {} : { session: this.#session }),
      });
      secure.on('session', (session) => (this.#session = session));
      let mine = true;
      const over = (): void => {
        clearTimeout(enough);
        if (mine) this.#nextTurn();
        mine = false;
      };
      const enough = setTimeout(over, HANDSHAKE_TURN_MS);
      secure.once('secureConnect', over).once('close', over);
      secure.once('error', failed);
      secure.once('secureConnect', () => ready(secure));
    };
    if (this.#handshaking) this.#turns.push(start);
    else start();
  }

  #nextTurn(): void {
    this.#handshaking = false;
    this.#turns.shift()?.();
  }
}

/** A request without a socket says nothing when it is destroyed; this is how node's own agents tell it. */
function fail(request: ClientRequest, error: Error): void {
  (request.onSocket as unknown as (socket: null, error: Error) => void).call(request, null, error);
}

function timedOut(): Error {
  return Object.assign(new Error('not connected in time'), { code: 'ETIMEDOUT' });
}
