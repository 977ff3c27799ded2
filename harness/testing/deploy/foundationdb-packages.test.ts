import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';

const SCRIPT = path.resolve(import.meta.dirname, '../../../../scripts/foundationdb-packages.sh');
/** Where the packages have their programs; what is made of it here says its name and nothing else. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  clients: ['usr/bin/fdbcli', 'usr/bin/fdbbackup', 'usr/lib/libfdb_c.so', 'usr/lib/foundationdb/backup_agent/backup_agent'],
  server: ['usr/sbin/fdbserver'],
};

interface Got {
  readonly code: number | null;
  readonly said: string;
}

/** With a `gh` that gives what it is told to. */
describe('packages of FoundationDB', function () {
  this.timeout(60_000);
  let folder: string;
  before(function () {
    if (spawnSync('dpkg-deb', ['--version']).status !== 0) {
      process.stdout.write('    skipped: no dpkg-deb\n');
      this.skip();
    }
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'packages-'));
    for (const each of ['bin', 'published']) mkdirSync(path.join(folder, each));
    program('gh', 'cp "$PUBLISHED/$7" "$9/"');
    program('dpkg', 'echo "$MACHINE"');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const program = (name: string, does: string): void => {
    writeFileSync(path.join(folder, 'bin', name), `#!/bin/sh\n${does}\n`);
    chmodSync(path.join(folder, 'bin', name), 0o755);
  };
  const nameOf = (kind: string, architecture: string): string => `foundationdb-${kind}_7.3.79-1_${architecture}.deb`;
  const kept = (): readonly string[] => (existsSync(path.join(folder, 'cache')) ? readdirSync(path.join(folder, 'cache')) : []);

  /** Makes both packages of an architecture; answers their sums as the script has them. */
  function publish(architecture: string): string {
    return Object.entries(FILES)
      .map(([kind, files]) => {
        const tree = path.join(folder, kind);
        mkdirSync(path.join(tree, 'DEBIAN'), { recursive: true });
        const control = { Package: `foundationdb-${kind}`, Version: '7.3.79', Architecture: 'all', Maintainer: 'x', Description: 'x' };
        writeFileSync(
          path.join(tree, 'DEBIAN/control'),
          Object.entries(control)
            .map((line) => `${line.join(': ')}\n`)
            .join(''),
        );
        for (const file of files) {
          mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
          writeFileSync(path.join(tree, file), file, { mode: 0o755 });
        }
        const made = path.join(folder, 'published', nameOf(kind, architecture));
        expect(spawnSync('dpkg-deb', ['--build', tree, made]).status).to.equal(0);
        return `foundationdb_sha256[${nameOf(kind, architecture)}]=${createHash('sha256').update(readFileSync(made)).digest('hex')}\n`;
      })
      .join('');
  }
  function get(machine: string, pins: string): Got {
    const lines = ['set -u -o pipefail', 'say() { echo "$*"; }', 'have() { command -v "$1" >/dev/null; }', 'cache=$CACHE', '. "$SCRIPT"'];
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', [...lines, pins, 'get_foundationdb'].join('\n')], {
      encoding: 'utf8',
      env: {
        PATH: `${path.join(folder, 'bin')}:/usr/bin:/bin`,
        SCRIPT,
        MACHINE: machine,
        PUBLISHED: path.join(folder, 'published'),
        CACHE: path.join(folder, 'cache'),
      },
    });
    return { code: status, said: `${stdout}${stderr}` };
  }

  for (const [machine, architecture] of [
    ['amd64', 'amd64'],
    ['arm64', 'aarch64'],
  ] as const) {
    it(`of ${machine} are unpacked where they are those that were published`, () => {
      const { code, said } = get(machine, publish(architecture));
      expect(code, said).to.equal(0);
      expect(kept()).to.deep.equal(['foundationdb']);
      const programs = readdirSync(path.join(folder, 'cache/foundationdb/bin')).toSorted();
      expect(programs).to.deep.equal(['backup_agent', 'dr_agent', 'fdbbackup', 'fdbcli', 'fdbdr', 'fdbrestore', 'fdbserver']);
      expect(readdirSync(path.join(folder, 'cache/foundationdb'))).to.have.members(['bin', 'lib']);
    });

    it(`of ${machine} that are others are thrown away, and so is the one before: the sums of the script are compared`, () => {
      const [clients = ''] = publish(architecture).split('\n');
      for (const [pins, which] of [
        ['', 'clients'],
        [clients, 'server'],
      ] as const) {
        const { code, said } = get(machine, pins);
        expect(code, said).to.equal(1);
        expect(said).to.contain(`${nameOf(which, architecture)} is not what was published: its SHA-256 is not the one in`);
        expect(kept()).to.deep.equal([]);
      }
    });
  }

  it('that cannot be had, or that nobody makes for this machine, leave nothing, and what is wrong is said', () => {
    program('gh', 'echo "To get started with GitHub CLI, please run: gh auth login" >&2; exit 4');
    expect(get('amd64', ''))
      .to.have.property('said')
      .that.matches(/clients_7\.3\.79-1_amd64\.deb could not be got: see the message of gh/);
    expect(kept()).to.deep.equal([]);
    expect(get('riscv64', '')).to.deep.include({ code: 1, said: 'FoundationDB has no package for riscv64\n' });
    expect(kept()).to.deep.equal([]);
  });

  it('take the place of those of before only when they are whole', () => {
    const pins = publish('amd64');
    expect(get('amd64', pins).code).to.equal(0);
    expect(get('amd64', '').code).to.equal(1);
    expect(kept()).to.deep.equal(['foundationdb']);
    expect(readFileSync(path.join(folder, 'cache/foundationdb/bin/fdbserver'), 'utf8')).to.equal('usr/sbin/fdbserver');
  });
});
