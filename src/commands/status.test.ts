import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { errorReply, jsonReply, type Route } from '../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../platform/https-server.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { PATIENT, REGIONS, testConfig, type TestSettings } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const [CENTRAL, EAST] = REGIONS;
const LOCK = 'the whole FoundationDB cluster is locked under 4344';

describe('coditect-dr status', () => {
  let folder: string;
  const servers: HttpsServer[] = [];
  /** What the one controller that answers says. */
  let follower: ControllerStatus | null = null;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'status-'));
    const authority = await makeTestAuthority();
    const { ca, cert, key } = await authority.issue('operator.us-east1');
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), pem);
    const credentials = await authority.issue('database.us-central1');
    const serve = async (handle: Route['handle']): Promise<HttpsServer> => {
      const routes: readonly Route[] = [{ method: 'GET', path: '/v1/status', roles: 'anyone', handle }];
      const server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes, onError: () => undefined });
      servers.push(server);
      return server;
    };
    const database = await serve(() => errorReply(503, 'database-locked', LOCK));
    const controller = await serve(() => (follower === null ? errorReply(503, 'arbiter-unavailable', 'not yet') : jsonReply(follower)));
    const settings: TestSettings = {
      mode: 'sync',
      policy: PATIENT,
      arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
      dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
      more: {},
      pem: '',
      // Nobody listens at the others.
      portOf: (program, region) =>
        region !== CENTRAL ? 1 : program === 'database' ? database.port : program === 'controller' ? controller.port : 1,
    };
    writeFileSync(join(folder, 'config.yaml'), testConfig(settings, 'database', EAST));
  });
  after(async () => {
    await Promise.all(servers.map((server) => server.close(0)));
    rmSync(folder, { recursive: true });
  });

  async function status(words: readonly string[], code: number = EXIT.undecided): Promise<string> {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    expect(await runCli(['status', ...words, '--config', join(folder, 'config.yaml')], world)).to.equal(code);
    return said;
  }

  it('tells why a database has no status, in its own words, and does not call that no answer', async () => {
    const said = await status([]);
    expect(said)
      .to.match(/^us-central1 +refuses /m)
      .and.to.match(/^us-east1 +no answer /m);
    expect(said).to.include(`! database of us-central1: database-locked: ${LOCK}\n`);
    const document = JSON.parse(await status(['--json'])) as Record<string, unknown>;
    expect(document).to.deep.include({ refusals: { [CENTRAL]: `database-locked: ${LOCK}` } });
  });

  it('says that nobody leads, and why it is not Normal by who answers', async () => {
    const told = { region: CENTRAL, leader: EAST, leads: false, step: 'OBSERVE', primary: CENTRAL, epoch: 3, observers: {} } as const;
    follower = { ...told, state: 'Degraded', reasons: ['the arbiter does not answer'] };
    expect(await status([], EXIT.failed))
      .to.match(/^state Degraded /m)
      .and.include('! no controller that answers leads: no failover begins, and no order is taken\n')
      .and.include('! the arbiter does not answer\n');
    follower = { ...told, state: 'Normal', leads: true, reasons: [] };
    expect(await status([], EXIT.ok))
      .to.not.include('leads:')
      .and.not.include('arbiter');
  });
});
