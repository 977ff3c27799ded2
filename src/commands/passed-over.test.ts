import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { configuredBackup } from '../backup/service/configured.ts';
import { verifyAndPrune } from '../backup/service/upkeep.ts';
import { runCli } from '../cli.ts';
import { loadConfig } from '../config/load.ts';
import { openLmdb } from '../database/lmdb.ts';
import { systemClock } from '../platform/clock.ts';
import { logTo } from '../telemetry/log.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { EXIT } from './world.ts';

/** `latest` goes on with the backup before one that is damaged, as a disaster needs it, and never without a word. */
describe('a newer backup that is not to be trusted', () => {
  let folder: string;
  let ids: readonly string[];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'passed-over-'));
    mkdirSync(join(folder, 'data'));
    expect((await run(['init'])).code).to.equal(EXIT.ok);
    for (const index of [1, 2, 3]) {
      const database = openLmdb(join(folder, 'data', 'db'));
      await database.append([{ epoch: 1, index, op: 'put', key: `k${index}`, value: 'v' }]);
      database.commit(index);
      await database.close();
      expect((await run(['create', '--no-lease'])).code).to.equal(EXIT.ok);
    }
    const manifests = join(folder, 'store', 'manifests', 'x');
    ids = readdirSync(manifests).toSorted();
    const path = join(manifests, ids[2]!);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(
    words: readonly string[],
    data = 'data',
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify(backupCommandConfig('x', data, {})));
    let out = '';
    let err = '';
    const world = {
      environment: {},
      signal: new AbortController().signal,
      out: (text: string) => void (out += text),
      err: (text: string) => void (err += text),
    };
    const code = await runCli(['backup', ...words, '--config', config], world);
    return { code, out, err };
  }

  function expectTold({ out, err }: { readonly out: string; readonly err: string }): void {
    expect(err).to.match(new RegExp(`^! passed over, NOT to be trusted: the newer backup ${ids[2]}: .*refused`, 'm'));
    expect(out).to.include(ids[1]).and.not.to.include('nothing that was committed');
  }
  const restore = ['restore', 'latest', '--into', 'us-east1'];

  it('is told by a restore, which goes on with the one before', async () => {
    const done = await run(restore, 'restored');
    expectTold(done);
    expect(done.out).to.match(/at version 2: 2 records.*\n.*nothing missing/);
    expect(done.code).to.equal(EXIT.ok);
  });

  it('is told by a restore to a time, which does not say that the repository has nothing later', async () => {
    const done = await run([...restore, '--to-time', '2099-01-01T00:00:00Z'], 'at-time');
    expectTold(done);
    expect(done.out).to.match(/reached .*: nothing that can be read and trusted that was known to be committed between/);
    expect(done.code).to.equal(EXIT.ok);
  });

  it('is no matter where a point before it, or another backup, was asked for', async () => {
    expect((await run([...restore, '--to-version', '1'], 'first')).err).not.to.include('passed over');
    const named = await run(['verify', ids[1]!]);
    expect(named.err).not.to.include('passed over');
    expect(named.code).to.equal(EXIT.ok);
  });

  it('is named where no backup leads to a point', async () => {
    const { code, err } = await run([...restore, '--to-version', '3'], 'none');
    expect(err).to.match(new RegExp(`cannot restore to version 3: .*; not to be trusted: backup ${ids[2]} \\(.*refused`));
    expect(code).to.equal(EXIT.badInput);
  });

  for (const command of ['show', 'hold'])
    it(`is told by ${command} of latest`, async () => {
      const done = await run([command, 'latest']);
      expectTold(done);
      expect(done.code).to.equal(EXIT.ok);
    });

  for (const command of ['verify', 'drill'])
    it(`makes ${command} of latest fail, though the one before it is sound`, async () => {
      const done = await run([command, 'latest']);
      expectTold(done);
      expect(done.code).to.equal(EXIT.failed);
      const { out, code } = await run([command, 'latest', '--json']);
      const { ok, passedOverBackups } = JSON.parse(out) as { ok: boolean; passedOverBackups: { backupId: string; setAside: boolean }[] };
      expect(ok).to.equal(true);
      expect(passedOverBackups.map(({ backupId, setAside }) => ({ backupId, setAside }))).to.deep.equal([
        { backupId: ids[2], setAside: false },
      ]);
      expect(code).to.equal(EXIT.failed);
    });

  it('is an error in the log of the service that verifies', async () => {
    let lines = '';
    const log = logTo({ write: (line) => void (lines += line) }, { component: 'backup', region: 'us-east1', clock: systemClock });
    const lease = { epoch: '1', holder: 'us-east1', check: () => Promise.resolve() };
    const configured = configuredBackup(loadConfig(join(folder, 'config.yaml'), {}));
    await verifyAndPrune(configured, log, lease, new AbortController().signal);
    const told = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { action: string; level: string; details: object })
      .filter(({ action }) => action === 'backup_passed_over');
    expect(told).to.have.length(1);
    expect(told[0]!.level.toLowerCase()).to.equal('error');
    expect(told[0]!.details).to.include({ backup_id: ids[2], set_aside: false });
  });

  it('is there for programs after a restore', async () => {
    for (const [data, more] of [
      ['json', []],
      ['json-time', ['--to-time', '2099-01-01T00:00:00Z']],
    ] as const) {
      const { out } = await run([...restore, ...more, '--json'], data);
      expect((JSON.parse(out) as { passedOverBackups: { backupId: string }[] }).passedOverBackups[0]?.backupId).to.equal(ids[2]);
    }
  });
});
