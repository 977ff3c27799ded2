import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on a free port of loopback, for a test's stand-in of somebody's service. The owner calls `stop`. */
export class LoopbackServer {
  readonly #serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  #server: Server | undefined;
  #endpoint = '';

  constructor(serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
    this.#serve = serve;
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (request.errored === null) throw error; // else its client gave it up while it was read
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
  }
}
