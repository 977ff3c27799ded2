import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

describe('the programs of ./scripts/bench', function () {
  this.timeout(120_000);
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'bench-options-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const cases: readonly [string, ...string[]][] = [
    ['backup', '--gib', '0'],
    ['backup', '--rounds', '1.5'],
    ['backup', '--only', 'nosuch'],
    ['backup-kill', '--kills', '0'],
    ['backup-kill', '--kills', 'many'],
    ['backup-corruption', '--inputs', '-1'],
    ['backup-corruption', '--every', '3'],
    ['backup-foundationdb', '--gib', '1,2'],
    ['backup-point-in-time', '--points', ''],
    ['backup-point-in-time', '200'],
    ['steady', '--regions', '4'],
    ['steady', '--policies', 'lab,none'],
  ];
  for (const [name, ...args] of cases)
    it(`refuse bad options with one line and exit code 2 before anything is done: ${name} ${args.join(' ')}`, () => {
      const program = join(import.meta.dirname, `${name}-program.js`);
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect({ status, stdout }, stderr).to.deep.equal({ status: 2, stdout: '' });
      expect(stderr).to.match(/^.+\n$/);
      if (args.length > 1) expect(stderr).to.contain(args[0]);
      expect(readdirSync(folder)).to.deep.equal([]);
    });
});
