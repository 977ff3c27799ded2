import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { regionsConfig } from '../foundationdb/regions.ts';
import type { ControllerStatus } from '../health/controller-status.ts';
import { errorReply, jsonReply, type Route } from '../platform/http.ts';
import { startHttpsServer, type HttpsServer } from '../platform/https-server.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { PATIENT, REGIONS, testConfig } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const [CENTRAL, EAST, SATELLITE] = REGIONS;
type Paused = NonNullable<ControllerStatus['paused']>;

/** With a program in the place of fdbcli, which changes what it was told to, and one controller. */
describe('pauses of coditect-dr region', function () {
  this.timeout(60_000);
  let folder: string;
  let server: HttpsServer;
  let paused: Paused | undefined;
  let asked: string[];
  /** What somebody pauses for while FoundationDB is being changed. */
  let meanwhile: Paused | undefined;
  /** What somebody has paused for between the look and the pause. */
  let first: Paused | undefined;
  const file = (name: string): string => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'change-region-'));
    const authority = await makeTestAuthority();
    const { ca, cert, key } = await authority.issue('operator.us-east1');
    for (const [name, pem] of Object.entries({ ca, cert, key })) writeFileSync(file(`${name}.pem`), pem);
    const route = (method: 'GET' | 'POST', path: string, handle: Route['handle']): Route => ({ method, path, roles: 'anyone', handle });
    const routes = [
      route('GET', '/v1/status', () => {
        if (meanwhile !== undefined && existsSync(file('changed'))) paused = meanwhile;
        const told = { region: CENTRAL, leader: CENTRAL, leads: true, step: 'OBSERVE', primary: CENTRAL, epoch: 3 } as const;
        return jsonReply({ ...told, state: 'Normal', observers: {}, reasons: [], paused } satisfies ControllerStatus);
      }),
      route('POST', '/v1/pause', ({ body }) => {
        asked.push('pause');
        const { why, yields } = JSON.parse(body.toString('utf8')) as Paused & { readonly yields?: boolean };
        if (first !== undefined) paused = first;
        // As the desk does it (desk.test.ts).
        if (yields === true && paused !== undefined && paused.why !== why) return errorReply(409, 'bad-request', 'meanwhile', 'no');
        paused = pause('ada (operator.us-east1)', why);
        return jsonReply({});
      }),
      route('POST', '/v1/resume', () => {
        asked.push('resume');
        paused = undefined;
        return jsonReply({});
      }),
    ];
    const credentials = await authority.issue('controller.us-central1');
    server = await startHttpsServer({ host: '127.0.0.1', port: 0, credentials, routes, onError: () => undefined });
    const settings = {
      mode: 'sync',
      policy: PATIENT,
      arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
      dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'api.coditect.test.', ttl_seconds: 1, endpoint: 'http://127.0.0.1:1' },
      more: { database: foundationdbConfig({ clusterFile: 'fdb.cluster', library: null }, Object.fromEntries(REGIONS.map((r) => [r, r]))) },
      pem: '',
      // Nobody listens at the others.
      portOf: (program: string, region: string) => (region === CENTRAL && program === 'controller' ? server.port : 1),
    } as const;
    const arbiter = { ...settings.arbiter, endpoints: [...settings.arbiter.endpoints] };
    writeFileSync(file('config.yaml'), testConfig({ ...settings, arbiter }, 'controller', EAST));
    writeFileSync(file('fdb.cluster'), 'x:x@127.0.0.1:1');
    for (const usable of [1, 2]) writeFileSync(file(`${usable}.json`), JSON.stringify(status(usable)));
    const script = `case "$*" in *configure*) echo > ${file('changed')} ;; *status*) cat ${folder}/$([ -e ${file('changed')} ] && echo 1 || echo 2).json ;; esac`;
    writeFileSync(file('fdbcli'), `#!/bin/sh\n${script}\n`);
    chmodSync(file('fdbcli'), 0o755);
  });
  beforeEach(() => {
    asked = [];
    paused = meanwhile = first = undefined;
    rmSync(file('changed'), { force: true });
  });
  after(async () => {
    await server.close(0);
    rmSync(folder, { recursive: true });
  });

  const pause = (by: string, why: string): Paused => ({ by, why, since: '2026-11-28T12:00:00.000Z', until: null });

  /** The east is to be dropped, and its priority is below zero already. */
  function status(usable: number): object {
    const regions = regionsConfig({ primary: CENTRAL, remote: EAST, satellite: SATELLITE }, 1).map((region) => ({
      ...region,
      datacenters: region.datacenters.map((dc) => (dc.id === EAST ? { ...dc, priority: -1 } : dc)),
    }));
    return {
      client: { coordinators: { quorum_reachable: true }, database_status: { available: true } },
      cluster: {
        active_primary_dc: CENTRAL,
        configuration: { usable_regions: usable, regions },
        data: { state: { healthy: true }, team_trackers: [{ primary: true, state: { healthy: true }, unhealthy_servers: 0 }] },
        database_available: true,
        database_lock_state: { locked: false },
        full_replication: true,
        processes: Object.fromEntries(REGIONS.map((dcid) => [dcid, { locality: { dcid } }])),
        recovery_state: { name: 'fully_recovered' },
      },
    };
  }

  async function drop(...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    const command = ['region', 'drop', EAST, '--fdbcli', file('fdbcli'), '--config', file('config.yaml'), ...words];
    return { code: await runCli(command, world), said };
  }

  it('its own is ended', async () => {
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(asked).to.deep.equal(['pause', 'resume']);
  });
  it('one that somebody makes while FoundationDB is being changed is left to them', async () => {
    meanwhile = pause('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(asked).to.deep.equal(['pause']);
    expect(said).to.match(/^still paused +anna \(operator\.us-east1\) has paused failovers meanwhile \(new switches\)/m);
  });
  it('it works under one of before, and leaves it', async () => {
    paused = pause('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(asked).to.deep.equal([]);
  });
  for (const why of [`FoundationDB: add ${EAST}: usable_regions=2`, `FoundationDB is to go on in ${EAST} alone, whatever is lost`])
    it(`under one of another order ("${why}") it changes nothing`, async () => {
      paused = pause('anna (operator.us-east1)', why);
      const { code, said } = await drop('--patience=2s');
      expect(code, said).to.equal(EXIT.undecided);
      expect(said).to.match(/^waiting +anna .* has paused failovers/m);
      expect(existsSync(file('changed'))).to.equal(false);
    });
  it('one that somebody made just before its own is theirs to end, too', async () => {
    first = pause('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(paused).to.deep.equal(first);
    expect(asked).to.deep.equal(['pause']);
  });
  it('one that the same order left when it was killed is its own', async () => {
    paused = pause('ada (operator.us-east1)', `FoundationDB: drop ${EAST}: usable_regions=1`);
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(asked).to.deep.equal(['pause', 'resume']);
  });
});
