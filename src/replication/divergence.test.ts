import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLmdb } from '../database/lmdb.ts';

/** Exports the log of the database in argv[1], and says what came of it. */
const PROGRAM = `
const [{ openLmdb }, { exportTail }] = await Promise.all(${JSON.stringify(['../database/lmdb.js', './divergence.js'])}.map((path) => import(new URL(path, process.argv[1]))));
const database = openLmdb(process.argv[2] + '/db');
try {
  console.log(JSON.stringify(exportTail(database, 0, process.argv[2])));
} catch (error) {
  console.log(error.code);
}
process.exit(0);
`;

describe('the export of a divergent tail', () => {
  it('fails where the disk takes only a part of it: what it says is exported is removed from the log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'divergent-'));
    try {
      const database = openLmdb(join(folder, 'db'));
      // Six bytes each in the file, one in the database.
      await database.append([{ epoch: 1, index: 1, op: 'put', key: 'k', value: '\u0001'.repeat(60_000) }]);
      await database.close();
      // A limit on the size of a file answers as a full disk does: with a part first. In KiB.
      const script = 'ulimit -f 300; exec "$0" --input-type=module -e "$1" "$2" "$3"';
      const args = ['-c', script, process.execPath, PROGRAM, import.meta.url, folder];
      expect(execFileSync('bash', args, { encoding: 'utf8' }).trim()).to.equal('EFBIG');
      expect(readdirSync(join(folder, 'divergent')).filter((name) => !name.startsWith('.'))).to.deep.equal([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }).timeout(60_000);
});
