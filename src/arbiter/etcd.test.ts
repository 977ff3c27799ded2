import { expect } from 'chai';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { jsonReply, type Route } from '../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../platform/https-server.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import type { Arbiter } from './arbiter.ts';
import { openEtcd } from './etcd.ts';

/** An endpoint of the configuration that is some other program's: it answers, with JSON, and knows nothing of etcd. */
describe('an arbiter whose endpoint is no etcd', () => {
  let server: HttpsServer;
  let arbiter: Arbiter;
  before(async () => {
    const credentials = await (await makeTestAuthority()).issue('database.us-east1');
    const route = (path: string): Route => ({ method: 'POST', path, roles: 'anyone', handle: () => jsonReply({ ok: true }) });
    const routes = [route('/v3/kv/range'), route('/v3/kv/txn')];
    server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes, onError: () => undefined });
    const endpoints = [`https://127.0.0.1:${server.port}`];
    arbiter = openEtcd({ endpoints, prefix: '/x/', credentials, rpcMs: 2000, silenceMs: 1000, clock: systemClock });
  });
  after(async () => {
    await arbiter.close();
    await server.close(0);
  });

  it('is not there, and its endpoints are named; what was to be written is not known', async () => {
    const error: unknown = await arbiter.read().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EngineError).with.property('code', 'arbiter-unavailable');
    expect((error as Error).message).to.match(/^no etcd member answered, or what answered is no etcd \(https:\/\/127\.0\.0\.1:\d+\)/);
    const run = { epoch: 1, holder: null, incarnation: 'run', seq: 0 } as const;
    expect(await arbiter.cas('lease', null, run)).to.deep.equal({ ok: false, reason: 'unknown' });
  });
});
