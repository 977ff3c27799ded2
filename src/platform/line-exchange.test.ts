import { expect } from 'chai';
import { makeTestAuthority } from '../testing/certificates.ts';
import { HttpsClient } from './https-client.ts';
import { startHttpsServer, type HttpsServer } from './https-server.ts';
import { LineExchange } from './line-exchange.ts';
import { linesOf } from './lines.ts';
import type { HttpRequest } from './http.ts';

const MAX_CHARS = 1000;
const LONG_MS = 15_000;

describe('line exchange', () => {
  const problems: unknown[] = [];
  const never = new AbortController().signal;
  let connections = 0;
  let server: HttpsServer;
  let client: HttpsClient;
  let url: string;
  async function* answers(request: HttpRequest): AsyncGenerator<string> {
    for await (const line of linesOf(request.stream, MAX_CHARS)) {
      if (line === 'silence') await new Promise(() => undefined);
      if (line === 'nonsense') throw new Error('nonsense');
      yield `${line.toUpperCase()}\n`;
    }
  }
  beforeEach(async () => {
    const authority = await makeTestAuthority();
    problems.length = 0;
    connections = 0;
    server = await startHttpsServer({
      host: '127.0.0.1',
      port: 0,
      credentials: await authority.issue('database.us-east1'),
      routes: [
        {
          method: 'POST',
          path: '/lines',
          roles: ['database'],
          streamBody: true,
          lasting: true,
          handle: (request) => {
            connections++;
            return { status: 200, body: answers(request) };
          },
        },
      ],
      onError: (error) => problems.push(error),
    });
    client = new HttpsClient(await authority.issue('database.us-east1'));
    url = `https://127.0.0.1:${server.port}`;
  });
  afterEach(async () => {
    client.close();
    await server.close(0);
  });

  it('asks many times over one connection, each answer to its question', async () => {
    const exchange = new LineExchange(client, `${url}/lines`);
    for (const line of ['a', 'b', 'ü', 'x'.repeat(900)]) expect(await exchange.ask(line, LONG_MS, never)).to.equal(line.toUpperCase());
    expect(connections).to.equal(1);
    exchange.close();
  });
  it('takes a new connection after a question without an answer, so that a late one is never taken for another', async () => {
    const exchange = new LineExchange(client, `${url}/lines`);
    expect(await exchange.ask('a', LONG_MS, never)).to.equal('A');
    expect(await exchange.ask('silence', 30, never)).to.equal(null);
    expect(await exchange.ask('b', LONG_MS, never)).to.equal('B');
    expect(connections).to.equal(2);
    exchange.close();
  });
  it('has no answer where the other side ends it, refuses it, is not there, or the signal aborts', async () => {
    const exchange = new LineExchange(client, `${url}/lines`);
    expect(await exchange.ask('nonsense', LONG_MS, never)).to.equal(null);
    expect(problems.map(String)).to.deep.equal(['Error: nonsense']);
    expect(await exchange.ask('y'.repeat(MAX_CHARS + 20_000), LONG_MS, never)).to.equal(null);
    expect(await new LineExchange(client, `${url}/none`).ask('a', LONG_MS, never)).to.equal(null);
    expect(await new LineExchange(client, 'https://127.0.0.1:1/lines').ask('a', LONG_MS, never)).to.equal(null);
    expect(await exchange.ask('silence', LONG_MS, AbortSignal.timeout(20))).to.equal(null);
    exchange.close();
  });
  it('does not keep a server that stops, and neither side going is an error of the server', async () => {
    const exchange = new LineExchange(client, `${url}/lines`);
    await exchange.ask('a', LONG_MS, never);
    const other = new LineExchange(client, `${url}/lines`);
    await other.ask('b', LONG_MS, never);
    other.close();
    await server.close(60_000);
    expect(await exchange.ask('c', LONG_MS, never)).to.equal(null);
    expect(problems).to.deep.equal([]);
  });
});
