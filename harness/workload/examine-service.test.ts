import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { isReady } from '../platform/local/doctor.ts';
import { readServiceFile } from '../platform/own-service/service-shape.ts';
import { NOTES_LEDGER } from '../testing/notes/notes-description.ts';
import { examineService } from './examine-service.ts';

describe("doctor of somebody's own service", function () {
  this.timeout(60_000);
  let folder: string;
  let server: Server;
  let asked: string[];
  let answer: RequestListener;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'examine-'));
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      request.resume().on('end', () => answer(request, response));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => (asked = []));
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const url = (scheme = 'http'): string => `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = (): string => path.join(folder, 'system.yaml');

  async function examined(service: object = {}): Promise<readonly string[]> {
    writeFileSync(file(), stringify({ service: { clients: { outside: url() }, ledger: NOTES_LEDGER, ...service } }));
    const features = await examineService(file(), readServiceFile(file()));
    return features.map(({ has, fix }) => (has === true ? 'yes' : `${has} FIX ${fix.replace(folder, '')}`));
  }
  const says =
    (status: number, body = '', headers: Readonly<Record<string, string>> = {}): RequestListener =>
    (_, response) =>
      void response.writeHead(status, headers).end(body);

  it('asks each client once, with GET, for a key that nobody wrote; what is absent is as it should be', async () => {
    answer = says(404);
    expect(await examined({ clients: { outside: url(), 'us-east1': url() } })).to.deep.equal(['yes', 'yes']);
    expect(asked.length).to.equal(2);
    for (const one of asked) expect(one).to.match(/^GET \/notes\/gameday\.doctor-[0-9a-f-]+\.nobody\.wrote\.this$/);
  });

  it('sends nothing where a read is a POST', async () => {
    const [told] = await examined({ ledger: { ...NOTES_LEDGER, read: { ...NOTES_LEDGER.read, method: 'POST' } } });
    expect(told).to.match(/^was not tried/);
    expect(asked).to.deep.equal([]);
    expect(isReady(await examineService(file(), readServiceFile(file()))), 'it may well be measured').to.equal(true);
  });

  const cases: readonly (readonly [string, RequestListener, object, RegExp])[] = [
    ['a status in neither list', says(400), {}, /^answers 400 .* FIX \/system\.yaml:\d+:\d+: service\.ledger\.read\.absent: name 400 in/],
    [
      'trouble of its own, which is no word of any key',
      says(503),
      {},
      /^answers 503 for a key that nobody wrote: it is in trouble, or refuses to serve FIX .*: service\.clients\.outside: look there/,
    ],
    [
      'a page for everything',
      says(200, '<html>'),
      {},
      /^answers for a key that nobody wrote with a status of `found` \(200\).* FIX .*: service\.ledger\.read\.value: /,
    ],
    [
      'a page for everything, taken whole',
      says(200, '<html>'),
      { ledger: { ...NOTES_LEDGER, read: { path: '/notes/{key}' } } },
      /^answers .* as for one that is there: a lost write would be read as kept FIX .*: service\.ledger\.read\.found: /,
    ],
    ['a redirect', says(302, '', { location: '/login' }), {}, /^redirects \(302\) FIX .*: service\.clients\.outside: /],
    ['no entry', says(401), { headers: { 'x-tenant': 'one' } }, /^does not let us in \(401\) FIX .*: service\.headers: /],
    ['no entry, nothing given', says(403), {}, /^does not let us in \(403\) FIX .*: service\.clients\.outside: /],
    [
      'a cut answer',
      (_, response) => void response.destroy(),
      {},
      /^takes the connection and gives no answer .* FIX .*: service\.clients\.outside: /,
    ],
  ];
  for (const [what, listener, service, told] of cases)
    it(`${what} is told with its place and what to do`, async () => {
      answer = listener;
      const [first] = await examined(service);
      expect(first).to.match(told);
    });

  it('nobody there, no such name, and https:// to what has no TLS are told of the client', async () => {
    const clients = { closed: 'http://127.0.0.1:1', nowhere: 'http://nobody.invalid', plain: url('https') };
    const told = await examined({ clients });
    expect(told[0]).to.match(/^nobody answers there \(connect-refused\) FIX .*:\d+: service\.clients\.closed: /);
    expect(told[1]).to.match(/^its name has no address \(dns-\w+\) FIX .*: service\.clients\.nowhere: /);
    expect(told[2]).to.match(/^no TLS with it .* FIX .*: service\.clients\.plain: /);
  });
});
