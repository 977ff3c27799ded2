import { expect } from 'chai';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { z } from 'zod';
import { makeTestAuthority } from '../testing/certificates.ts';
import { answersTo } from './answers.ts';
import { HttpsClient } from './https-client.ts';
import { startHttpsServer, type HttpsServer } from './https-server.ts';
import { QuestionLink } from './question-link.ts';

const LONG_MS = 15_000;
const questionShape = z.object({ id: z.number(), say: z.string() });
const answerShape = z.object({ id: z.number(), said: z.string() });

describe('question link', () => {
  const problems: string[] = [];
  let connections = 0;
  let stopping: AbortController;
  /** Until when 'later' is. */
  let held: PromiseWithResolvers<void>;
  let server: HttpsServer;
  let client: HttpsClient;
  let link: QuestionLink<z.infer<typeof answerShape>>;

  async function answer(line: string): Promise<string> {
    const { id, say } = questionShape.parse(JSON.parse(line));
    if (say === 'nonsense') return 'nonsense';
    if (say === 'throw') throw new Error('broken');
    if (say === 'later') await held.promise;
    if (say === 'never') await new Promise(() => undefined);
    return JSON.stringify({ id, said: say.toUpperCase() });
  }
  const linkTo = (port: number, silenceMs = LONG_MS, nowMs = () => performance.now()) =>
    new QuestionLink({ client, url: `https://127.0.0.1:${port}/q`, answerShape, silenceMs, nowMs });

  beforeEach(async () => {
    const authority = await makeTestAuthority();
    problems.length = 0;
    connections = 0;
    held = Promise.withResolvers();
    stopping = new AbortController();
    server = await startHttpsServer({
      host: '127.0.0.1',
      port: 0,
      credentials: await authority.issue('database.us-east1'),
      routes: [
        {
          method: 'POST',
          path: '/q',
          roles: ['api'],
          streamBody: true,
          handle: ({ stream }) => {
            connections++;
            return { status: 200, body: answersTo({ stream, maxChars: 1000, stopping: stopping.signal, answer }) };
          },
        },
      ],
      onError: (error) => problems.push(String(error)),
    });
    client = new HttpsClient(await authority.issue('api.us-east1'));
    link = linkTo(server.port);
  });
  afterEach(async () => {
    link.close();
    client.close();
    await server.close(0);
  });

  it('asks many at once over one connection; whichever is ready first is answered first', async () => {
    const order: string[] = [];
    const late = link.ask({ say: 'later' }, LONG_MS).then((result) => order.push(JSON.stringify(result)));
    const results = await Promise.all(['a', 'ü', 'line\nend', 'x'.repeat(900)].map((say) => link.ask({ say }, LONG_MS)));
    expect(results.map((result) => (result.kind === 'answer' ? result.answer.said : result.kind))).to.deep.equal([
      'A',
      'Ü',
      'LINE\nEND',
      'X'.repeat(900),
    ]);
    expect(order).to.deep.equal([]);
    held.resolve();
    await late;
    expect(order[0]).to.contain('LATER');
    expect(connections).to.equal(1);
  });

  it("a question that ran out of time is not known; the others go on, and its late answer is nobody's", async () => {
    await link.ask({ say: 'connect' }, LONG_MS); // or it would run out of time before anything was sent
    expect(await link.ask({ say: 'later' }, 30)).to.deep.equal({ kind: 'no-reply', reason: 'timeout-sent' });
    held.resolve();
    expect(await link.ask({ say: 'a' }, LONG_MS)).to.have.property('kind', 'answer');
    expect(connections).to.equal(1);
  });

  it('a connection that says nothing for too long is given up, with all that is under way on it', async () => {
    let passedMs = 0;
    const silent = linkTo(server.port, LONG_MS, () => performance.now() + passedMs);
    await silent.ask({ say: 'a' }, LONG_MS);
    const other = silent.ask({ say: 'never' }, LONG_MS);
    const late = silent.ask({ say: 'never' }, 40);
    passedMs = LONG_MS;
    expect(await late).to.have.property('kind', 'no-reply');
    expect(await other).to.deep.equal({ kind: 'no-reply', reason: 'silent' });
    expect(await silent.ask({ say: 'a' }, LONG_MS)).to.have.property('kind', 'answer');
    expect(connections).to.equal(2);
    silent.close();
  });

  it('nobody there: certainly not sent', async () => {
    expect(await linkTo(1).ask({ say: 'a' }, LONG_MS)).to.deep.equal({ kind: 'not-sent', reason: 'econnrefused' });
  });

  it('what ran out of time before the connection was there never leaves', async () => {
    const sockets: Socket[] = [];
    const silent: Server = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const waiting = linkTo((silent.address() as AddressInfo).port, 100);
    expect(await waiting.ask({ say: 'a' }, 20)).to.deep.equal({ kind: 'not-sent', reason: 'timeout-connecting' });
    expect(await waiting.ask({ say: 'b' }, LONG_MS)).to.deep.equal({ kind: 'not-sent', reason: 'timeout-connecting' });
    waiting.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('what the other side breaks off, refuses or answers with nonsense is not known, and the next question finds a new connection', async () => {
    for (const say of ['nonsense', 'throw', 'y'.repeat(30_000)])
      expect(await link.ask({ say }, LONG_MS)).to.have.property('kind', 'no-reply');
    expect(problems.filter((problem) => problem.includes('broken') || problem.includes('longer than'))).to.have.length(2);
    const stranger = new QuestionLink({
      client,
      url: `https://127.0.0.1:${server.port}/none`,
      answerShape,
      silenceMs: LONG_MS,
      nowMs: () => 0,
    });
    expect(await stranger.ask({ say: 'a' }, LONG_MS)).to.deep.equal({ kind: 'no-reply', reason: 'http-404' });
    expect(await link.ask({ say: 'a' }, LONG_MS)).to.have.property('kind', 'answer');
  });

  it('a server that stops answers what it took and takes no more', async () => {
    const taken = link.ask({ say: 'later' }, LONG_MS);
    await link.ask({ say: 'a' }, LONG_MS);
    stopping.abort();
    const refused = link.ask({ say: 'b' }, LONG_MS);
    const closed = server.close(LONG_MS);
    held.resolve();
    expect(await taken).to.have.property('kind', 'answer');
    expect(await refused).to.have.property('kind', 'no-reply');
    await closed;
    expect(problems).to.deep.equal([]);
  });
});
