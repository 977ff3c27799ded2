import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { errorReply, type Route } from '../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../platform/https-server.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { PATIENT, REGIONS, testConfig } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const [CENTRAL, EAST] = REGIONS;
const LOCK = 'the whole FoundationDB cluster is locked under 4344';

describe('coditect-dr status', () => {
  let folder: string;
  let server: HttpsServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'status-'));
    const authority = await makeTestAuthority();
    const { ca, cert, key } = await authority.issue('operator.us-east1');
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, `${name}.pem`), pem);
    const handle: Route['handle'] = () => errorReply(503, 'database-locked', LOCK);
    const routes: readonly Route[] = [{ method: 'GET', path: '/v1/status', roles: 'anyone', handle }];
    const credentials = await authority.issue('database.us-central1');
    server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes, onError: () => undefined });
    const settings = {
      mode: 'sync',
      policy: PATIENT,
      arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
      dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
      more: {},
      pem: '',
      // Nobody listens at the others.
      portOf: (program: string, region: string) => (program === 'database' && region === CENTRAL ? server.port : 1),
    } as const;
    const arbiter = { ...settings.arbiter, endpoints: [...settings.arbiter.endpoints] };
    writeFileSync(join(folder, 'config.yaml'), testConfig({ ...settings, arbiter }, 'database', EAST));
  });
  after(async () => {
    await server.close(0);
    rmSync(folder, { recursive: true });
  });

  async function status(...words: readonly string[]): Promise<string> {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    expect(await runCli(['status', ...words, '--config', join(folder, 'config.yaml')], world)).to.equal(EXIT.undecided);
    return said;
  }

  it('tells why a database has no status, in its own words, and does not call that no answer', async () => {
    const said = await status();
    expect(said)
      .to.match(/^us-central1 +refuses /m)
      .and.to.match(/^us-east1 +no answer /m);
    expect(said).to.include(`! database of us-central1: database-locked: ${LOCK}\n`);
    const document = JSON.parse(await status('--json')) as Record<string, unknown>;
    expect(document).to.deep.include({ refusals: { [CENTRAL]: `database-locked: ${LOCK}` } });
  });
});
