import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoredEnd, writeRestored } from './restored.ts';

describe('the note of a restore', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coditect-restored-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is null where there is none, and what was written last', () => {
    expect(restoredEnd(folder)).to.equal(null);
    writeRestored(folder, 'a', { epoch: 1, index: 2, highestEpoch: 1 });
    writeRestored(folder, 'b', { epoch: 3, index: 4, highestEpoch: 7 });
    expect(restoredEnd(folder)).to.deep.equal({ epoch: 3, index: 4, highestEpoch: 7 });
  });

  it('is not taken for absent where it cannot be read', () => {
    writeFileSync(join(folder, 'restored.json'), '{');
    expect(() => restoredEnd(folder)).to.throw(/cannot be read/);
  });
});
