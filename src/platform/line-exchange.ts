import type { ClientRequest, IncomingMessage } from 'node:http';
import type { HttpClient } from './https-client.ts';

const MAX_LINE_CHARS = 1024 * 1024;

/** One request that goes on: lines there, an answer for each back, in order. A request of its own for each costs both sides several times as much. */
export class LineExchange {
  readonly #client: HttpClient;
  readonly #url: string;
  #open: Open | null = null;

  constructor(client: HttpClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /**
   * Sends one line (without its end) and resolves to the answer; null when there was none in time, it was refused, or the signal aborted: then it is not known whether
   * the line arrived, and the next one goes out on a new connection. One question at a time.
   */
  async ask(line: string, timeoutMs: number, signal: AbortSignal): Promise<string | null> {
    if (signal.aborted) return null;
    this.#open ??= new Open(this.#client.begin(this.#url));
    const open = this.#open;
    const cut = (): void => open.end();
    const timer = setTimeout(cut, timeoutMs);
    signal.addEventListener('abort', cut, { once: true });
    const answer = await open.ask(line);
    clearTimeout(timer);
    signal.removeEventListener('abort', cut);
    if (open.ended && this.#open === open) this.#open = null;
    return answer;
  }

  close(): void {
    this.#open?.end();
    this.#open = null;
  }
}

/** One connection of it. */
class Open {
  readonly #request: ClientRequest;
  #rest = '';
  #answer: ((line: string | null) => void) | null = null;
  ended = false;

  constructor(request: ClientRequest) {
    this.#request = request;
    const end = (): void => this.end();
    request.once('response', (response) => this.#listen(response));
    request.on('error', end);
    request.once('close', end);
  }

  ask(line: string): Promise<string | null> {
    return new Promise((resolve) => {
      if (this.ended) {
        resolve(null);
        return;
      }
      this.#answer = resolve;
      this.#request.write(`${line}\n`);
    });
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#request.destroy();
    this.#settle(null);
  }

  #listen(response: IncomingMessage): void {
    const end = (): void => this.end();
    response.on('error', end).once('close', end);
    if (response.statusCode !== 200) {
      end();
      return;
    }
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.#rest += chunk;
      const at = this.#rest.indexOf('\n');
      if (at < 0) {
        if (this.#rest.length > MAX_LINE_CHARS) end();
        return;
      }
      const line = this.#rest.slice(0, at);
      this.#rest = this.#rest.slice(at + 1);
      this.#settle(line);
    });
  }

  #settle(line: string | null): void {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(line);
  }
}
