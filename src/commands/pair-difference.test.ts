import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Differing } from '../foundationdb/pair-difference.ts';
import { saveLines } from '../platform/save-lines.ts';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { OneController } from '../testing/one-controller.ts';
import { REGIONS } from '../testing/test-config.ts';
import { counting } from './pair-difference.ts';
import { EXIT } from './world.ts';

describe('coditect-dr pair difference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pair-difference-'));
  const file = join(folder, 'left.ndjson');
  after(() => rmSync(folder, { recursive: true }));

  it('writes a line a key, for nobody else to read, and counts where they are', async () => {
    async function* rows(): AsyncGenerator<Differing> {
      await Promise.resolve();
      for (let i = 0; i < 1500; i++) yield { key: `k${i}`, value: 'lost\n', other: null };
      yield { key: 'x', value: 'old', other: 'new' };
      yield { key: 'y', value: null, other: 'new' };
    }
    const counted = { onlyHere: 0, differ: 0, onlyThere: 0 };
    await saveLines(counting(rows(), counted), file);
    expect(counted).to.deep.equal({ onlyHere: 1500, differ: 1, onlyThere: 1 });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect([lines.length, lines[0], lines.at(-1)]).to.deep.equal([
      1502,
      '{"key":"k0","value":"lost\\n","other":null}',
      '{"key":"y","value":null,"other":"new"}',
    ]);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('leaves no file that is not whole', async () => {
    async function* lines(): AsyncGenerator<string> {
      yield 'a';
      await Promise.reject(new Error('FoundationDB cannot be read'));
    }
    const broken = join(folder, 'broken.ndjson');
    const ended = await saveLines(lines(), broken).catch((error: unknown) => (error as Error).message);
    expect(ended).to.equal('FoundationDB cannot be read');
    expect([broken, `${broken}.part`].map((path) => existsSync(path))).to.deep.equal([false, false]);
  });

  it('overwrites nothing', async () => {
    const database = foundationdbConfig({ clusterFile: 'east.cluster', library: null }, Object.fromEntries(REGIONS.map((r) => [r, r])));
    const one = await OneController.start({ ...database, pair: { east: 'east.cluster', west: 'west.cluster' } });
    try {
      writeFileSync(one.file('there'), 'kept');
      const { code, said } = await one.run('pair', 'difference', 'east', `--out=${one.file('there')}`);
      expect(code, said).to.equal(EXIT.badInput);
      expect(said).to.contain('is there already');
      expect(readFileSync(one.file('there'), 'utf8')).to.equal('kept');
    } finally {
      await one.close();
    }
  });
});
