import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import type { HttpReply, HttpRequest, Route } from '../platform/http.ts';
import { LightStream } from './light-stream.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface ConnectionEnds {
  readonly time: VirtualTime;
  readonly caller: SimulatedProcess | null;
  /** Who listens at the other end now, and with which route. */
  readonly accept: () => { readonly process: SimulatedProcess; readonly route: Route; readonly onError: (error: unknown) => void } | null;
  /** Milliseconds on the way there and back; undefined: lost. */
  readonly there: () => number | undefined;
  readonly back: () => number | undefined;
  readonly request: (stream: Readable) => HttpRequest;
  readonly mishap: () => 'fails' | 'hangs' | 'errs' | null;
}

/** A request that goes on, as its caller holds it (of ClientRequest, what is used): chunks there and back, to one life of one program. What is lost is not sent again. */
export class Connection extends EventEmitter {
  readonly #ends: ConnectionEnds;
  #served: { readonly process: SimulatedProcess; readonly stream: LightStream } | null = null;
  #answers: EventEmitter | null = null;
  #closed = false;

  constructor(ends: ConnectionEnds) {
    super();
    this.#ends = ends;
  }

  write(chunk: string): void {
    const delayMs = this.#ends.there();
    if (delayMs !== undefined) this.#ends.time.after(delayMs, null, () => this.#arrive(chunk));
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { time, there } = this.#ends;
    const delayMs = there();
    const served = this.#served;
    // Where its end does not arrive, the other side waits for nothing; a connection of its own costs it nothing here.
    if (delayMs !== undefined && served !== null) time.after(delayMs, served.process, () => served.stream.destroy());
  }

  #arrive(chunk: string): void {
    if (this.#closed) return;
    const { time, accept, request, mishap } = this.#ends;
    const how = mishap();
    const listener = this.#served ?? accept();
    if (how === 'fails' || listener === null || listener.process.isDead) return this.#reset();
    time.handOver(listener.process, () => {
      if (this.#served === null && 'route' in listener) {
        const stream = new LightStream();
        this.#served = { process: listener.process, stream };
        void this.#serve(listener.route.handle(request(stream as unknown as Readable)), stream, listener.onError);
      }
      this.#served?.stream.push(chunk);
    });
  }

  /** Hands the answers back one by one. */
  async #serve(handled: HttpReply | Promise<HttpReply>, stream: LightStream, onError: (error: unknown) => void): Promise<void> {
    try {
      const reply = await handled;
      for await (const answer of reply.body as AsyncIterable<string>) {
        const how = this.#ends.mishap();
        if (how === 'errs') return this.#reset();
        if (how === null) this.#send(() => this.#hear(reply.status, answer));
      }
    } catch (error) {
      this.#reset();
      if (error !== stream.broken) onError(error);
    }
  }

  #hear(statusCode: number, answer: string): void {
    if (this.#closed) return;
    if (this.#answers === null) {
      this.#answers = Object.assign(new EventEmitter(), { statusCode, setEncoding: () => this.#answers });
      this.emit('response', this.#answers);
    }
    this.#answers.emit('data', answer);
  }

  #reset(): void {
    this.#send(() => void this.emit('close'));
  }

  #send(arrived: () => void): void {
    const { time, back, caller } = this.#ends;
    const delayMs = back();
    if (delayMs !== undefined) time.after(delayMs, caller, arrived);
  }
}
