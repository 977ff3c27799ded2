import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeTestAuthority } from '../testing/certificates.ts';
import { DatabaseCluster } from '../testing/database-cluster.ts';
import { FoundationdbCluster, findFoundationdb } from '../testing/foundationdb-cluster.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { REGIONS } from '../testing/test-config.ts';
import { statusByFdbcli } from './fdbcli.ts';

const programs = findFoundationdb();
const [PRIMARY, EAST, WEST] = REGIONS;
/** The cluster has the first one only: what a gateway has never seen is no outage. */
const DATA_CENTERS = { [PRIMARY]: 'dc1', [EAST]: 'dc2', [WEST]: 'dc3' };
const NEVER = new AbortController().signal;

describe(`FoundationDB over TLS${typeof programs === 'string' ? `: skipped: ${programs}` : ''}`, function () {
  this.timeout(120_000);
  let folder: string;
  let foundationdb: FoundationdbCluster;
  let cluster: DatabaseCluster;
  type Files = Readonly<Record<'ca' | 'cert' | 'key', string>>;
  async function filesOf(authority: string): Promise<Files> {
    const { ca, cert, key } = await (await makeTestAuthority()).issue(authority);
    const files = Object.entries({ ca, cert, key }).map(([name, bytes]) => {
      const file = join(folder, `${authority}-${name}.pem`);
      writeFileSync(file, bytes, { mode: 0o600 });
      return [name, file] as const;
    });
    return Object.fromEntries(files) as Files;
  }
  before(async function () {
    if (typeof programs === 'string') return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'fdb-tls-'));
    const tls = await filesOf('foundationdb');
    foundationdb = await FoundationdbCluster.start(programs, 'single', { tls });
    const place = { clusterFile: foundationdb.clusterFile, library: programs.library };
    cluster = await DatabaseCluster.start('sync', { database: { ...foundationdbConfig(place, DATA_CENTERS), tls } });
  });
  after(async () => {
    await cluster?.stop();
    await foundationdb?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it('serves the engine, which identifies itself as it is configured', async () => {
    expect((await foundationdb.status()).client?.database_status?.available).to.equal(true);
    for (const region of REGIONS) cluster.startProgram('database', region);
    cluster.startProgram('api', PRIMARY);
    await cluster.until(PRIMARY, 'writable', (status) => status.writable);
    expect(await cluster.put(PRIMARY, 'kept', 'x')).to.have.property('status', 200);
    expect((await cluster.exported(EAST)).get('kept')).to.equal('x');
  });

  // Last: a server answers no new connection from an address for some seconds after a handshake that failed.
  it('answers nobody without a certificate, or with one of another authority', async () => {
    const { fdbcli: program } = programs as { fdbcli: string };
    const { clusterFile } = foundationdb;
    for (const stranger of [{}, { tls: await filesOf('stranger') }])
      expect((await statusByFdbcli({ program, clusterFile, ...stranger }, 5000, NEVER))?.client?.database_status?.available).not.to.equal(
        true,
      );
  });
});
