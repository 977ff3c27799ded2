import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { runCli } from '../cli.ts';
import { openLmdb } from '../database/lmdb.ts';
import { backupCommandConfig } from '../testing/backup-command-config.ts';
import { EXIT } from './world.ts';

/** What goes wrong is told with the file or word that is wrong and what to do, and the exit code says that it was the input. */
describe('backup commands refuse', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'refusals-'));
    mkdirSync(join(folder, 'data'));
    const database = openLmdb(join(folder, 'data', 'db'));
    await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: 'v' }]);
    database.commit(1);
    await database.close();
    expect((await run(['init'])).code).to.equal(EXIT.ok);
    expect((await run(['create', '--no-lease'])).code).to.equal(EXIT.ok);
    writeFileSync(join(folder, 'nonsense'), 'nonsense\n', { mode: 0o600 });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(
    words: readonly string[],
    change: object = {},
    data = 'data',
  ): Promise<{ readonly code: number; readonly said: string }> {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, JSON.stringify(backupCommandConfig('x', data, change as Record<string, unknown>)));
    let said = '';
    const world = {
      environment: {},
      signal: new AbortController().signal,
      out: (text: string) => void (said += text),
      err: (text: string) => void (said += text),
    };
    const code = await runCli(['backup', ...words, ...(words[0] === 'keygen' ? [] : ['--config', config])], world);
    return { code, said };
  }
  const key = (path: string): object => ({ keys: { kind: 'local-file', path } });

  const CASES: readonly (readonly [string, readonly string[], RegExp, object?, string?])[] = [
    [
      'a backup that is not there',
      ['verify', '01M0000000000000000000000Z'],
      /no backup 01M0000000000000000000000Z .*`coditect-dr backup list`/,
    ],
    ['a database that is not there', ['create', '--no-lease'], /no database in .*nothing\/db/, {}, 'nothing'],
    [
      'to fill a database that is not empty',
      ['restore', 'latest', '--into', 'us-east1'],
      /data\/db is no empty database .*restore into an empty one/,
    ],
    ['a restore to another region', ['restore', 'latest', '--into', 'mars'], /--into mars: .*us-east1; type the region/],
    [
      'two points at once',
      ['restore', 'latest', '--into', 'us-east1', '--to-version', '1', '--to-time', '2026-01-01T00:00:00Z'],
      /cannot be used with/,
      {},
      'new',
    ],
    ...['2026-11-31', '2026-02-29', '2026-04-31'].map(
      (day) =>
        [
          `the ${day}, which would be taken for a day of the next month`,
          ['restore', 'latest', '--into', 'us-east1', '--to-time', `${day}T00:00:00Z`],
          new RegExp(`there is no ${day}`),
          {},
          'new',
        ] as const,
    ),
    ...['2026-11-30', 'Nov 30 2026 00:00 Z', '2026-13-01T00:00:00Z', '2026-11-30T25:00:00Z', '2026-11-30T00:00:00'].map(
      (time) =>
        [
          `${time}, which is no time with its zone`,
          ['restore', 'latest', '--into', 'us-east1', '--to-time', time],
          /write a time with its zone, as 2026-11-22T21:00:00Z/,
          {},
          'new',
        ] as const,
    ),
    [
      'a time before everything, though its day exists',
      ['restore', 'latest', '--into', 'us-east1', '--to-time', '2024-02-29T23:30:00.5+02:00'],
      /cannot restore to 2024-02-29T21:30:00\.500Z: no backup is that old/,
      {},
      'new',
    ],
    [
      'a version that nothing leads to',
      ['restore', 'latest', '--into', 'us-east1', '--to-version', '99'],
      /cannot restore to version 99: no log/,
      {},
      'new',
    ],
    ['a percentage that is none', ['verify', 'latest', '--level', '2', '--percent', 'x'], /above 0, at most 100/],
    ['a percentage below zero', ['verify', 'latest', '--level', '2', '--percent', '-5'], /above 0, at most 100/],
    ['to destroy a key that is not there', ['shred', '0123'], /no epoch key 0123; there are [0-9a-f]{32} .*backup show/],
    [
      'a key file that is none',
      ['list'],
      /nonsense is no key file of this kind: one is the single line `cdr1-local-key …`/,
      key('nonsense'),
    ],
    [
      'a key file that is not there',
      ['list'],
      /cannot read the key file .*missing: name the one .*\(no such file or directory\)/,
      key('missing'),
    ],
    [
      'a signing key that is not there',
      ['list'],
      /no Ed25519 key in .*missing\.pem; `coditect-dr backup init`/,
      { signing: { key_file: 'missing.pem' } },
    ],
    [
      'a recipient with a slip in it',
      ['list'],
      /config\.yaml:\d+:\d+: backup\.recipients\.0: .*keygen FILE/,
      { recipients: ['x25519:aa'] },
    ],
    ['a service that prunes what nobody has read', ['list'], /backup\.prune: .*needs verify_level 3/, { prune: true, verify_level: 2 }],
    [
      'to replace a key',
      ['keygen', 'FOLDER/nonsense'],
      /cannot make the key file .*nonsense: a key is never replaced.*name a new file.*\(file already exists\)/,
    ],
    [
      'a key in a folder that is not there',
      ['keygen', 'FOLDER/no/key'],
      /cannot make the key file .*no\/key \(no such file or directory\)/,
    ],
    [
      'to show a key that is none',
      ['keygen', '--show', 'FOLDER/nonsense'],
      /no key file of this kind: one is the single line `cdr1-offline-key …`/,
    ],
    [
      'a signing key in a folder that is not there',
      ['init'],
      /backup\.signing\.key_file: cannot make .*no\/key\.pem \(no such file or directory\)/,
      { signing: { key_file: 'no/key.pem' } },
    ],
    [
      'to fill a database below a file',
      ['restore', 'latest', '--into', 'us-east1'],
      /data\.path: cannot make the folder .*nonsense\/x/,
      {},
      'nonsense/x',
    ],
    ['a drill beside a file', ['drill', 'latest'], /data\.path: cannot make the folder .*nonsense/, {}, 'nonsense/x'],
  ];
  for (const [what, words, expected, change, data] of CASES)
    it(what, async () => {
      const { code, said } = await run(
        words.map((word) => word.replace('FOLDER', folder)),
        change,
        data,
      );
      expect(said).to.match(expected);
      expect(code).to.equal(EXIT.badInput);
      expect(said, 'no stack').to.not.match(/\n\s+at /);
    });

  it('to call nothing a restore: where no key has the prefix it says so', async () => {
    const restore = ['restore', 'latest', '--into', 'us-east1', '--prefix', 'nope'];
    const { code, said } = await run(restore, {}, 'none');
    expect(said).to.match(/restored nothing of \w+: 0 records, as no key in it begins with "nope"/);
    expect(said).not.to.include('nothing missing');
    expect(code).to.equal(EXIT.ok);
    expect((await run([...restore, '--json'], {}, 'none-json')).said).to.match(/"records":0,/);
  });

  it('a key that others may read', async () => {
    chmodSync(join(folder, 'backup.key'), 0o644);
    const { code, said } = await run(['list']);
    chmodSync(join(folder, 'backup.key'), 0o600);
    expect(said).to.match(/backup\.key has mode 644: others may read it; chmod 600 it/);
    expect(code).to.equal(EXIT.badInput);
  });

  for (const words of [['init'], ['list'], ['restore', 'latest', '--into', 'us-east1']])
    it(`${words[0]} in a store with backups and without its configuration: a new identity could open none of them`, async () => {
      const configFile = join(folder, 'store', 'config.json');
      renameSync(configFile, `${folder}/kept.json`);
      const { code, said } = await run(words, {}, 'new');
      const isMade = existsSync(configFile);
      renameSync(`${folder}/kept.json`, configFile);
      expect(said).to.match(/config\.json is missing in this store, but manifests\/x\/\S+ is there: .*put config\.json back/);
      expect(code).to.equal(EXIT.badInput);
      expect(isMade).to.equal(false);
      expect((await run(['list'])).code).to.equal(EXIT.ok);
    });

  it('init where the configuration of the repository cannot be read', async () => {
    mkdirSync(join(folder, 'other'));
    writeFileSync(join(folder, 'other', 'config.json'), '{}');
    const { code, said } = await run(['init'], { store: { kind: 'folder', path: 'other' } });
    expect(said).to.match(/config\.json refused: it is not signed/);
    expect(code).to.equal(EXIT.failed);
  });

  it('nothing where init goes on after a crash between the key and the configuration, or is run twice', async () => {
    const store = { store: { kind: 'folder', path: 'third' } };
    expect((await run(['init'], store)).said).to.equal('made the repository\n');
    rmSync(join(folder, 'third', 'config.json'));
    expect((await run(['init'], store)).said).to.equal('made the repository\n');
    expect(await run(['init'], store)).to.deep.equal({ code: EXIT.ok, said: 'there is a repository already\n' });
  });

  it('a store that no folder can be made for, and says so instead of trying for ever', async () => {
    const { code, said } = await run(['init'], { store: { kind: 'folder', path: '/proc/coditect-none/store' } });
    expect(said).to.match(/object-store-failed: .*\/proc\/coditect-none\/store: there is no such folder, and none can be made there/);
    expect(code).to.equal(EXIT.failed);
  });

  it('a store that is a file, with the reason of the system', async () => {
    const { code, said } = await run(['list'], { store: { kind: 'folder', path: 'nonsense' } });
    expect(said).to.match(/object-store-failed: .*nonsense: ENOTDIR \(not a directory\)/);
    expect(code).to.equal(EXIT.failed);
  });
});
