import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { makeTestAuthority } from '../testing/certificates.ts';
import { HttpsClient, parseJson } from './https-client.ts';
import { startHttpsServer, type HttpsServer } from './https-server.ts';
import { jsonReply, type HttpRequest, type Route } from './http.ts';
import { identityFromCommonName, type Credentials } from './tls.ts';

const seen: HttpRequest[] = [];
const routes: readonly Route[] = [
  { method: 'GET', path: '/health', roles: 'anyone', handle: () => jsonReply({ ok: true }) },
  {
    method: 'PUT',
    path: '/v1/kv/',
    prefix: true,
    roles: ['api'],
    bodyLimitBytes: 10,
    handle: (request) => (seen.push(request), jsonReply({ rest: request.rest })),
  },
  {
    method: 'GET',
    path: '/never',
    roles: 'anyone',
    handle: (request) => new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('gone')))),
  },
];

describe('HTTPS server and client', () => {
  let server: HttpsServer;
  let url: string;
  let credentials: Credentials;
  let api: HttpsClient;
  let stranger: HttpsClient;
  before(async () => {
    const authority = await makeTestAuthority();
    credentials = await authority.issue('database.us-east1');
    server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes, onError: () => undefined });
    url = `https://127.0.0.1:${server.port}`;
    api = new HttpsClient(await authority.issue('api.us-east1'));
    // Knows our CA, but is itself signed by another one.
    const other = await (await makeTestAuthority()).issue('api.us-east1');
    stranger = new HttpsClient({ ...other, ca: credentials.ca });
  });
  after(async () => {
    api.close();
    stranger.close();
    await server.close(0);
  });

  it('serves a route for anyone even to a certificate of another authority', async () => {
    const result = await stranger.call(`${url}/health`, { timeoutMs: 10_000 });
    expect(result.kind === 'reply' && result.status).to.equal(200);
  });
  it('refuses a role route to a certificate of another authority, and says that nothing was applied', async () => {
    const result = await stranger.call(`${url}/v1/kv/a`, { method: 'PUT', body: 'x', timeoutMs: 10_000 });
    if (result.kind !== 'reply') throw new Error(result.reason);
    expect(result.status).to.equal(403);
    expect(parseJson(result.body)).to.have.nested.property('error.applied', 'no');
  });
  it('lets the role in and hands over the decoded rest of the path', async () => {
    const result = await api.call(`${url}/v1/kv/${encodeURIComponent('ü/ä')}`, { method: 'PUT', body: 'x', timeoutMs: 10_000 });
    if (result.kind !== 'reply') throw new Error(result.reason);
    expect(parseJson(result.body)).to.deep.equal({ rest: 'ü/ä' });
    expect(seen.at(-1)?.caller).to.deep.equal({ role: 'api', region: 'us-east1' });
  });
  it('refuses a body above the limit of its route', async () => {
    const result = await api.call(`${url}/v1/kv/a`, { method: 'PUT', body: 'x'.repeat(11), timeoutMs: 10_000 });
    expect(result.kind === 'reply' && result.status).to.equal(413);
  });
  it('calls a request that got no answer in time no-reply, and one to a closed port not-sent', async () => {
    // A connection may have to be made first: of one that took longer than this on a busy machine nothing was sent.
    expect((await api.call(`${url}/never`, { timeoutMs: 1000 })).kind).to.equal('no-reply');
    expect((await api.call('https://127.0.0.1:1/', { timeoutMs: 10_000 })).kind).to.equal('not-sent');
  });
  it('calls a request no-reply that waited for a socket of another one, and so was sent on it', async () => {
    const single = new HttpsClient(credentials, 1);
    const [first, second] = await Promise.all([
      single.call(`${url}/health`, { timeoutMs: 10_000 }),
      single.call(`${url}/never`, { timeoutMs: 1000 }),
    ]);
    single.close();
    expect([first.kind, second.kind]).to.deep.equal(['reply', 'no-reply']);
  });
  it('calls a request whose handshake never ended not-sent', async () => {
    const silent: Server = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const result = await api.call(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/`, { timeoutMs: 50 });
    silent.close();
    expect(result).to.deep.equal({ kind: 'not-sent', reason: 'timeout-connecting' });
  });
});

describe('identityFromCommonName', () => {
  it('takes <role>.<region> and nothing else', () => {
    expect(identityFromCommonName('controller.europe-west1')).to.deep.equal({ role: 'controller', region: 'europe-west1' });
    for (const bad of ['', 'controller', 'controller.', '.x', 'root.us-east1']) expect(identityFromCommonName(bad), bad).to.equal(null);
  });
});
