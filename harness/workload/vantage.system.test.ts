import { expect } from 'chai';
import { decode, encode } from 'dns-packet';
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificates, type Credentials } from '../platform/local/certificates.ts';
import { threeRegions } from '../platform/local/topology.ts';
import { reportSchema, type VantageCommand, type VantageReport } from './protocol.ts';
import { WARM_TICKS } from './warm-up.ts';

type Configured = Extract<VantageCommand, { type: 'configure' }>;
type OperationReport = Extract<VantageReport, { readonly type: 'op' }>;

const PROGRAM = join(import.meta.dirname, 'vantage.js');
const NAME = 'api.coditect.test';

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5); // the test's own limit ends it
}

/** The real program against a real HTTPS server and a real DNS server on loopback. */
describe('vantage', function () {
  this.timeout(60_000);
  const store = new Map<string, string>();
  let folder: string;
  let server: Server;
  let dns: Socket;
  let vantage: ChildProcess | undefined;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vantage-'));
    const pods = threeRegions().pods.filter((pod) => ['api-us-east1', 'client-us-east1'].includes(pod.name));
    const credentials = await makeCertificates(pods, new Date());
    const api = credentials.get('api-us-east1');
    const client = credentials.get('client-us-east1');
    if (api === undefined || client === undefined) throw new Error('no certificates');
    writeCredentials(client);
    const tls = { ca: api.caPem, cert: api.certPem, key: api.keyPem, requestCert: true, rejectUnauthorized: true };
    server = createServer(tls, (request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    dns = createSocket('udp4');
    dns.on('message', (message, from) => {
      const { id, questions } = decode(message);
      const answers = [{ type: 'A' as const, name: NAME, ttl: 1, data: '127.0.0.1' }];
      dns.send(
        encode({ type: 'response', ...(id === undefined ? {} : { id }), questions: questions ?? [], answers }),
        from.port,
        from.address,
      );
    });
    await new Promise<void>((resolve) => dns.bind(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    store.clear();
    answer = serve;
  });
  afterEach(() => {
    vantage?.kill('SIGKILL');
    vantage = undefined;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    dns.close();
    rmSync(folder, { recursive: true });
  });

  function writeCredentials({ caPem, certPem, keyPem }: Credentials): void {
    for (const [name, pem] of Object.entries({ 'ca.crt': caPem, 'tls.crt': certPem, 'tls.key': keyPem }))
      writeFileSync(join(folder, name), pem);
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const key = (request.url ?? '').replace('/v1/kv/', '');
    const claim = { region: 'us-east1', epoch: 1 };
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      const value = store.get(key);
      if (request.method === 'PUT') store.set(key, body);
      if (request.method === 'DELETE') store.delete(key);
      if (request.method !== 'GET') return void response.end(JSON.stringify({ ...claim, index: 1 }));
      response.statusCode = value === undefined ? 404 : 200;
      response.end(JSON.stringify(value === undefined ? { ...claim, error: { code: 'not-found', message: '' } } : { ...claim, value }));
    });
  }

  /** Plays until `meanwhile` is over and gives everything that the vantage reported. */
  async function play(
    { port, resolverPort, ...change }: Partial<Configured> & { readonly port?: number; readonly resolverPort?: number },
    meanwhile: (child: ChildProcess, nowMs: () => number, reports: readonly VantageReport[]) => Promise<void>,
  ): Promise<readonly VantageReport[]> {
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    vantage = child;
    const originNs = process.hrtime.bigint();
    const nowMs = (): number => Number(process.hrtime.bigint() - originNs) / 1e6;
    const reports: VantageReport[] = [];
    let during = Promise.resolve();
    const send = (command: VantageCommand): void => void child.stdin.write(`${JSON.stringify(command)}\n`);
    const ended = new Promise((resolve) => child.once('close', resolve));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const report = reportSchema.parse(JSON.parse(line));
      reports.push(report);
      if (report.type === 'ready') {
        send({ type: 'begin', startMs: nowMs() });
        during = meanwhile(child, nowMs, reports);
        void Promise.allSettled([during]).then(() => send({ type: 'stop' }));
      }
    });
    send({
      type: 'configure',
      vantage: 'us-east1',
      vantages: ['us-east1'],
      originNs: originNs.toString(),
      service: {
        kind: 'engine',
        resolver: '127.0.0.1',
        resolverPort: resolverPort ?? dns.address().port,
        name: NAME,
        port: port ?? (server.address() as AddressInfo).port,
        tls: { ca: join(folder, 'ca.crt'), cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') },
      },
      periodMs: 20,
      timeoutMs: 3000,
      ...change,
    });
    await ended;
    await during;
    return reports;
  }
  const operations = (reports: readonly VantageReport[]): readonly OperationReport[] =>
    reports.filter((report) => report.type === 'op').toSorted((a, b) => a.seq - b.seq);

  it('reports every operation once, each at the instant at which it was due, and its writes are there', async () => {
    let priority: number | undefined;
    const reports = await play({}, async (child, nowMs, seen) => {
      priority = getPriority(child.pid);
      const fullRateMs = nowMs() + (WARM_TICKS + 10) * 20;
      await until(() => operations(seen).some(({ intendedMs }) => intendedMs > fullRateMs));
    });
    const all = operations(reports);
    const finished = reports.find((report) => report.type === 'finished');
    expect(finished).to.deep.equal({ type: 'finished', issued: all.length, scheduledFirst: priority === -10 });
    expect(all.map((one) => one.seq)).to.deep.equal(all.map((_, index) => index));
    const due = [...new Set(all.map((one) => one.intendedMs))];
    const apart = due.slice(1).map((ms, index) => Math.round((ms - (due[index] ?? 0)) * 1000) / 1000);
    expect(new Set(apart)).to.deep.equal(new Set([160, 60, 20])); // warm-up: every 8th tick, then every 3rd, then all
    const [first] = all;
    expect(first).to.deep.include({
      outcome: 'ok',
      op: 'put',
      key: 'us-east1/0',
      value: 'us-east1/0',
      address: '127.0.0.1',
      claimedEpoch: 1,
    });
    const last = all.findLast((one) => one.op === 'put' && one.outcome === 'ok');
    expect(store.get(last?.key ?? '')).to.equal(last?.value);
    expect(reports.find((report) => report.type === 'dns')).to.deep.equal({ type: 'dns', addresses: ['127.0.0.1'] });
  });

  it('says of what it was late with since when it had not been awake', async () => {
    let stopped: { readonly sinceMs: number; readonly untilMs: number } | undefined;
    const all = operations(
      await play({}, async (child, nowMs, reports) => {
        await until(() => store.size >= 40);
        child.kill('SIGSTOP');
        await until(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T '));
        const sinceMs = nowMs();
        await sleep(300);
        const untilMs = nowMs();
        stopped = { sinceMs, untilMs };
        child.kill('SIGCONT');
        // Told to stop before it has run again, it would leave out what was due meanwhile.
        await until(() => operations(reports).some(({ intendedMs }) => intendedMs > untilMs));
      }),
    );
    if (stopped === undefined) throw new Error('it was never stopped');
    const { sinceMs, untilMs } = stopped;
    const late = all.filter(({ intendedMs }) => intendedMs > sinceMs && intendedMs < untilMs);
    expect(late).to.not.have.length(0);
    for (const { intendedMs, lateMs = 0 } of late) expect(intendedMs + lateMs).to.be.at.least(untilMs - 0.1);
    const awake = new Set(late.map(({ awakeMs }) => awakeMs));
    expect(awake.size).to.equal(1);
    expect([...awake][0]).to.be.at.most(sinceMs);
  });

  it('calls a write failed when it was certainly not applied, and unknown when nobody can say', async () => {
    answer = (request, response) => {
      request.resume();
      const refuse = (applied: string): void => {
        response.statusCode = 503;
        response.end(JSON.stringify({ error: { code: 'not-primary', message: '', applied } }));
      };
      const turn = Number(/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0) % 4;
      if (turn === 0) refuse('no');
      else if (turn === 1) refuse('unknown');
      else if (turn === 2) request.socket.destroy();
      // turn 3: never answered
    };
    const refused = /^http-503-not-primary$/;
    const turns: readonly (readonly [RegExp, OperationReport['outcome']])[] = [
      [refused, 'failed'],
      [refused, 'unknown'],
      [/^sent-/, 'unknown'],
      [/^timeout-sent$/, 'unknown'],
    ];
    const putsOf = (reports: readonly VantageReport[]): readonly OperationReport[] =>
      operations(reports).filter((one) => one.op === 'put' && !one.key.startsWith('reg/'));
    // On a busy machine some never get as far as the server, or have its answer too late: they say so themselves.
    const outcomes = (of: readonly OperationReport[], turn: number, reason: RegExp): readonly string[] => [
      ...new Set(of.filter((one) => one.seq % 4 === turn && reason.test(one.reason ?? '')).map((one) => one.outcome)),
    ];
    const reports = await play({ timeoutMs: 1500 }, async (_, __, seen) => {
      await until(() => turns.every(([reason], turn) => outcomes(putsOf(seen), turn, reason).length > 0));
    });
    const puts = putsOf(reports);
    for (const [turn, [reason, expected]] of turns.entries()) expect(outcomes(puts, turn, reason), `${turn}`).to.deep.equal([expected]);
    expect(puts.filter(({ outcome }) => outcome === 'ok')).to.deep.equal([]);
    const neverSent = puts.filter(({ reason = '' }) => /^(timeout-connecting|connect-|dns-)/.test(reason));
    expect(neverSent.every(({ outcome }) => outcome === 'failed')).to.equal(true);
  });

  it('calls a write failed when it never had a connection, and never waits for earlier ones', async () => {
    const closed = createSocket('udp4'); // a port that nobody listens on
    await new Promise<void>((resolve) => closed.bind(0, '127.0.0.1', resolve));
    const { port } = closed.address();
    const all = operations(await play({ port }, async (_, __, reports) => await until(() => operations(reports).length >= 30)));
    closed.close();
    expect(new Set(all.map((one) => `${one.outcome} ${one.reason}`))).to.deep.equal(new Set(['failed connect-refused']));
  });

  it('drops what is beyond its operations in flight, as failures', async () => {
    answer = (request) => void request.resume();
    const all = operations(
      await play({ periodMs: 5, timeoutMs: 6000 }, async (_, __, reports) => {
        await until(() => operations(reports).some(({ reason }) => reason === 'dropped'));
      }),
    );
    const dropped = all.filter((one) => one.reason === 'dropped');
    expect(dropped).to.not.have.length(0);
    expect(dropped.every((one) => one.outcome === 'failed')).to.equal(true);
    expect(all.length - dropped.length).to.equal(64);
  });

  it('fails when the name does not resolve', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const change = { resolverPort: silent.address().port, timeoutMs: 300 };
    const all = operations(await play(change, async (_, __, reports) => await until(() => operations(reports).length >= 10)));
    silent.close();
    expect(new Set(all.map((one) => one.reason))).to.deep.equal(new Set(['dns-timeout']));
    expect(all.every((one) => one.address === undefined)).to.equal(true);
  });
});
