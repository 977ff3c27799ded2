import type { ClientRequest, IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { parseJson, type HttpClient } from './https-client.ts';

/** An answer of the longest value, every character of it escaped. */
const MAX_ANSWER_CHARS = 1024 * 1024;

/** `not-sent`: no byte of the question can have left. `no-reply`: it may have been carried out. */
export type LinkResult<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'not-sent'; readonly reason: string }
  | { readonly kind: 'no-reply'; readonly reason: string };

export interface LinkOptions<T> {
  readonly client: HttpClient;
  readonly url: string;
  readonly answerShape: z.ZodType<T & { readonly id: number }>;
  /** A connection that is not there, or says nothing though it was asked, for so long is given up. */
  readonly silenceMs: number;
  readonly nowMs: () => number;
}

/**
 * Many questions at once over one request that goes on: a line each, answered in any order. Against a request for each this costs both sides half the CPU, and one handshake where
 * a service that moves would begin with one for each question that is under way. Owner calls `close`.
 */
export class QuestionLink<T> {
  readonly #options: LinkOptions<T>;
  #open: OpenLink<T> | null = null;
  #lastId = 0;

  constructor(options: LinkOptions<T>) {
    this.#options = options;
  }

  /** Never rejects; resolves within `timeoutMs`. A question that runs out of time before the connection is there never leaves. */
  ask(question: object, timeoutMs: number): Promise<LinkResult<T>> {
    if (this.#open === null || this.#open.ended) this.#open = new OpenLink(this.#options);
    this.#lastId += 1;
    return this.#open.ask({ id: this.#lastId, ...question }, timeoutMs);
  }

  close(): void {
    this.#open?.end('closed');
    this.#open = null;
  }
}

interface Pending<T> {
  readonly text: string;
  readonly settle: (result: LinkResult<T>) => void;
}

/** One connection of it. */
class OpenLink<T> {
  readonly #options: LinkOptions<T>;
  readonly #request: ClientRequest;
  readonly #pending = new Map<number, Pending<T>>();
  readonly #connecting: NodeJS.Timeout;
  /** Questions go out only on a connection that is there: what waits for one can still be taken back. */
  #connected = false;
  #heardAtMs: number;
  #rest = '';
  ended = false;

  constructor(options: LinkOptions<T>) {
    this.#options = options;
    this.#heardAtMs = options.nowMs();
    this.#request = options.client.begin(options.url);
    this.#connecting = setTimeout(() => this.end('timeout-connecting'), options.silenceMs);
    this.#request.once('socket', (socket) => {
      const secure = socket as TLSSocket & { readonly secureConnecting?: boolean };
      if (secure.secureConnecting === true) secure.once('secureConnect', () => this.#begin());
      else this.#begin();
    });
    this.#request.once('response', (response) => this.#listen(response));
    this.#request.on('error', (error: NodeJS.ErrnoException) => this.end((error.code ?? error.message).toLowerCase()));
    this.#request.once('close', () => this.end('closed'));
  }

  ask(question: { readonly id: number }, timeoutMs: number): Promise<LinkResult<T>> {
    const { id } = question;
    return new Promise((resolve) => {
      const limit = setTimeout(() => this.#tooLate(id), timeoutMs);
      const settle = (result: LinkResult<T>): void => {
        clearTimeout(limit);
        this.#pending.delete(id);
        resolve(result);
      };
      // Nobody was asked meanwhile: its silence until now means nothing.
      if (this.#pending.size === 0) this.#heardAtMs = this.#options.nowMs();
      const text = `${JSON.stringify(question)}\n`;
      this.#pending.set(id, { text, settle });
      if (this.#connected) this.#request.write(text);
    });
  }

  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.#connecting);
    this.#request.destroy();
    const kind = this.#connected ? 'no-reply' : 'not-sent';
    for (const { settle } of this.#pending.values()) settle({ kind, reason });
  }

  #begin(): void {
    if (this.ended) return;
    clearTimeout(this.#connecting);
    this.#connected = true;
    this.#heardAtMs = this.#options.nowMs();
    for (const { text } of this.#pending.values()) this.#request.write(text);
  }

  #tooLate(id: number): void {
    const sent = this.#connected;
    this.#pending.get(id)?.settle(sent ? { kind: 'no-reply', reason: 'timeout-sent' } : { kind: 'not-sent', reason: 'timeout-connecting' });
    if (sent && this.#options.nowMs() - this.#heardAtMs >= this.#options.silenceMs) this.end('silent');
  }

  #listen(response: IncomingMessage): void {
    const end = (): void => this.end('closed');
    response.on('error', end).once('close', end);
    if (response.statusCode !== 200) return this.end(`http-${response.statusCode}`);
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.#heardAtMs = this.#options.nowMs();
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = lines.pop() ?? '';
      if (this.#rest.length > MAX_ANSWER_CHARS) return this.end('answer-too-large');
      for (const line of lines) this.#answered(line);
    });
  }

  #answered(line: string): void {
    const parsed = this.#options.answerShape.safeParse(parseJson(line));
    if (!parsed.success) return this.end('answer-not-understood');
    // One that has been given up meanwhile is nobody's any more.
    this.#pending.get(parsed.data.id)?.settle({ kind: 'answer', answer: parsed.data });
  }
}
