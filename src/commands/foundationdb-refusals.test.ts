import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { makeTestAuthority } from '../testing/certificates.ts';
import { EXIT } from './world.ts';

const FOUNDATIONDB = {
  kind: 'foundationdb',
  experimental: true,
  cluster_file: 'fdb.cluster',
  data_centers: { 'us-central1': 'dc1', 'us-east1': 'dc2' },
};

/** Before anything is asked or paused. */
describe('an order for FoundationDB that makes no sense', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'force-'))));
  after(() => rmSync(folder, { recursive: true }));

  const run = (database: object, ...words: readonly string[]) => runAny(database, 'force-recovery', ...words);
  async function runAny(database: object, ...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
    const config = join(folder, 'config.yaml');
    writeFileSync(
      config,
      JSON.stringify({ ...backupCommandConfig('x', 'data', {}), database, replication: 'pair_homes' in database ? 'async' : 'sync' }),
    );
    let said = '';
    const tell = (text: string): void => void (said += text);
    const world = { environment: {}, signal: new AbortController().signal, out: tell, err: tell };
    return { code: await runCli([...words, '--config', config], world), said };
  }
  const ANY = '--accept-data-loss=any';

  for (const [what, words, message] of [
    ['without the consent to a loss', ['--target=us-east1'], /--accept-data-loss/],
    ['with so many seconds, which nobody can tell', ['--target=us-east1', '--accept-data-loss=3'], /only --accept-data-loss=any/],
    ['into no region', ['--target=dc2', ANY], /dc2 is not a region; there are us-central1, us-east1/],
    ['that gives up what is to go on', ['--target=us-east1', '--give-up=europe-west1,us-east1', ANY], /us-east1 is to go on/],
    ['in haste', ['--target=us-east1', ANY, '--patience=29s'], /29s is too short.*30s or more/],
    ['with more patience than its pause lasts', ['--target=us-east1', ANY, '--patience=1h'], /1h is too long/],
    ['into what only JavaScript calls a region', ['--target=constructor', ANY], /constructor is not a region/],
    [
      'that gives up nobody',
      ['--target=us-east1', ANY, '--give-up=europe-west1,'],
      /'europe-west1,' is invalid.*write for example europe-west1/,
    ],
    [
      'without fdbcli',
      ['--target=us-east1', ANY, '--fdbcli=/nowhere/fdbcli'],
      /--fdbcli: \/nowhere\/fdbcli cannot be used.*install .*foundationdb-clients.*--fdbcli=FILE/,
    ],
    // It would have paused, and waited for six minutes.
    ['without the cluster file', ['--target=us-east1', ANY, '--fdbcli=/bin/true'], /database\.cluster_file: .*\/fdb\.cluster is not there/],
  ] as const)
    it(`a forced recovery is refused ${what}`, async () => {
      const { code, said } = await run(FOUNDATIONDB, ...words);
      expect(said).to.match(message);
      expect(code).to.equal(EXIT.badInput);
    });

  it('a forced recovery tells in its help what it waits for, and the one consent that it takes', async () => {
    const { said } = await run(FOUNDATIONDB, '--help');
    const help = said.replaceAll(/\s+/g, ' ');
    expect(help).to.match(/--patience <duration> FoundationDB must have been out for so long without a break .*fails over by itself/);
    expect(help)
      .to.match(/--accept-data-loss <any> .*"any"/)
      .and.not.include('so many seconds');
  });

  it('a rehearsed one tells all that it would lose, whatever of it is given up by name', async () => {
    const there = { ...FOUNDATIONDB, cluster_file: 'there.cluster' };
    writeFileSync(join(folder, 'there.cluster'), 'x:x@127.0.0.1:1');
    const { ca, cert, key } = await (await makeTestAuthority()).issue('operator.us-east1');
    mkdirSync(join(folder, 'tls'), { recursive: true });
    for (const [name, pem] of Object.entries({ 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key }))
      writeFileSync(join(folder, 'tls', name), pem);
    const { said } = await run(there, '--target=us-east1', '--give-up=europe-west1', ANY, '--fdbcli=/bin/true', '--dry-run');
    expect(said).to.match(/would lose .*everything that only other regions had/);
  });

  it('a forced recovery is refused of the embedded database', async () => {
    const { code, said } = await run({ kind: 'embedded' }, '--target=us-east1', ANY);
    expect(said).to.match(/the database of this system is not FoundationDB/);
    expect(code).to.equal(EXIT.badInput);
  });

  for (const [what, words, message] of [
    ['of no region', ['add', 'dc2'], /region: dc2 is not a region; there are us-central1, us-east1/],
    ['of what it does not know', ['swap', 'us-east1'], /unknown command 'swap'/],
    ['without a region', ['drop'], /missing required argument 'region'/],
    ['without fdbcli', ['prefer', 'us-east1', '--fdbcli=/nowhere/fdbcli'], /cannot be used/],
  ] as const)
    it(`a change of regions is refused ${what}`, async () => {
      const { code, said } = await runAny(FOUNDATIONDB, 'region', ...words);
      expect(said).to.match(message);
      expect(code).to.equal(EXIT.badInput);
    });

  for (const [what, words, message] of [
    ['of no layout', [], /missing required argument 'layout'/],
    ['into what is no file', ['three_data_centers'], /three_data_centers: cannot be read; a layout is three_datacenter, or a file such as/],
    ['without fdbcli', ['three_datacenter', '--fdbcli=/nowhere/fdbcli'], /cannot be used/],
  ] as const)
    it(`a set-up is refused ${what}`, async () => {
      const { code, said } = await runAny(FOUNDATIONDB, 'foundationdb', 'set-up', ...words);
      expect(said).to.match(message);
      expect(code).to.equal(EXIT.badInput);
    });

  it('a set-up is refused where each region has its own cluster of a pair, which would be waited for in the one', async () => {
    const files = { cluster_file: 'fdb.cluster', pair: { east: 'fdb.cluster', west: 'west.cluster' } };
    const homes = { ...FOUNDATIONDB, ...files, pair_homes: { 'us-central1': 'east', 'us-east1': 'west' } };
    const { code, said } = await runAny(homes, 'foundationdb', 'set-up', 'three_datacenter', '--fdbcli=/bin/true');
    expect(said).to.match(/a layout is of one cluster for all regions.*database\.pair_homes.*coditect-dr pair start/);
    expect(code).to.equal(EXIT.badInput);
  });

  const PAIR = { ...FOUNDATIONDB, pair: { east: 'fdb.cluster', west: 'west.cluster' } };
  for (const [what, database, words, message] of [
    ['of none', FOUNDATIONDB, ['status'], /names no pair of clusters \(database\.pair\)/],
    ['of no cluster of it', PAIR, ['switch', 'us-east1'], /us-east1 is not a cluster of the pair; there are east, west/],
    ['without a cluster', PAIR, ['start'], /missing required argument 'cluster'/],
    ['without the consent to a loss', PAIR, ['abort', 'west'], /--accept-data-loss/],
    ['in haste', PAIR, ['abort', 'west', ANY, '--patience=29s'], /29s is too short/],
    ['without fdbdr', PAIR, ['start', 'west', '--fdbcli=/bin/true', '--fdbdr=/nowhere/fdbdr'], /--fdbdr: \/nowhere\/fdbdr cannot be used/],
    [
      'without a cluster file',
      PAIR,
      ['status', '--fdbcli=/bin/true', '--fdbdr=/bin/true'],
      /database\.pair\.(east|west): .*\.cluster is not there/,
    ],
  ] as const)
    it(`so is a change of a pair ${what}`, async () => {
      const { code, said } = await runAny(database, 'pair', ...words);
      expect(said).to.match(message);
      expect(code).to.equal(EXIT.badInput);
    });
});
