import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { openRestoreTarget, type RestoreTarget } from './lmdb-restore.ts';

const row = (key: string): { key: Buffer; value: Buffer } => ({ key: Buffer.from(key), value: Buffer.from(`value of ${key}`) });
const PROGRESS = { job: 'test', note: '' };

describe('filling a database', () => {
  let folder: string;
  let target: RestoreTarget;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coditect-target-'));
    target = openRestoreTarget(join(folder, 'db'));
  });
  afterEach(async () => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('with rows that do not come in order is refused, with all that came with them', async () => {
    await target.put([row('b')], PROGRESS, true);
    for (const rows of [[row('c'), row('a')], [row('b')]]) {
      const refused = await target.put(rows, { ...PROGRESS, note: 'more' }, true).catch((error: unknown) => error);
      expect((refused as EngineError).code).to.equal('internal');
    }
    expect([target.records(), target.get(Buffer.from('c'))]).to.deep.equal([1, undefined]);
    await target.put([row('a')], PROGRESS, false);
    expect(target.records()).to.equal(2);
  });
});
