import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { EXIT } from '../commands/world.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { REGIONS } from '../testing/test-config.ts';
import { needPairPrograms } from './pair-programs.ts';

const HOMES = Object.fromEntries(REGIONS.map((region, i) => [region, i === 0 ? 'east' : 'west']));
const FILES = { cluster_file: 'east.cluster', pair: { east: 'east.cluster', west: 'west.cluster' } };
const DATABASE = { kind: 'foundationdb', experimental: true, data_centers: {}, prefix: 'coditect/', ...FILES, pair_homes: HOMES } as const;

/** It served, and at the failover both clusters looked to it as if they were away. */
describe('a gateway of a pair without what the pair is moved with', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'pair-programs-'))));
  after(() => rmSync(folder, { recursive: true }));

  function program(name: string, mode: number): string {
    const file = join(folder, name);
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, mode);
    return file;
  }

  it('is told which program is missing, and needs none where all regions use one cluster', () => {
    const programs = { fdbcli: program('fdbcli', 0o755), fdbdr: program('fdbdr', 0o755) };
    expect(() => needPairPrograms({ ...DATABASE, pair_programs: programs })).not.to.throw();
    const none = { ...programs, fdbdr: folder };
    expect(() => needPairPrograms({ ...DATABASE, pair_programs: none })).to.throw(/^database\.pair_programs\.fdbdr: .* is no program/);
    const nowhere = { ...programs, fdbcli: 'fdbcli-of-nobody' };
    expect(() => needPairPrograms({ ...DATABASE, pair_programs: nowhere })).to.throw(
      /fdbcli-of-nobody is not on PATH.*foundationdb-clients/,
    );
    expect(() => needPairPrograms({ ...DATABASE, pair_homes: undefined, pair_programs: nowhere })).not.to.throw();
  });

  it('does not begin', async () => {
    const { ca, cert, key } = await (await makeTestAuthority()).issue('database.us-central1');
    const files = { 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key };
    for (const [name, pem] of Object.entries(files)) writeFileSync(join(folder, name), pem, { mode: 0o600 });
    const config = join(folder, 'config.yaml');
    const { regions, ...rest } = backupCommandConfig('x', 'data', {}) as { readonly regions: Readonly<Record<string, object>> };
    const homes = Object.fromEntries(Object.keys(regions).map((region, i) => [region, i === 0 ? 'east' : 'west']));
    const database = { ...DATABASE, pair_homes: homes, pair_programs: { fdbcli: '/nowhere/fdbcli' } };
    const tls = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
    writeFileSync(config, JSON.stringify({ ...rest, regions, database, tls, replication: 'async' }));
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: AbortSignal.timeout(20_000), out: tell, err: tell };
    expect(await runCli(['database', '--config', config], world), said).to.equal(EXIT.badInput);
    expect(said).to.match(/bad-config: database\.pair_programs\.fdbcli: \/nowhere\/fdbcli is no program/);
  });
});
