import { expect } from 'chai';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEntries, writeUndo, writeUndone, type Entry } from './journal.ts';

const entry = (name: string): Entry => ({
  context: 'us-central1',
  apiVersion: 'chaos-mesh.org/v1alpha1',
  kind: 'PodChaos',
  namespace: 'coditect',
  name,
  run: 'run-1',
});

describe('undo journal', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'journal-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what was applied and not seen gone, also after a crash in the middle of a line', () => {
    expect(openEntries(folder)).to.deep.equal([]);
    writeUndo(folder, entry('one'));
    writeUndo(folder, entry('two'));
    writeUndone(folder, entry('one'));
    appendFileSync(path.join(folder, 'undo.ndjson'), '{"do":"delete","context":"us-c');
    expect(openEntries(folder)).to.deep.equal([entry('two')]);
  });

  it('that cannot be read is none that is empty: somebody else may have written it', () => {
    const file = path.join(folder, 'a file');
    writeFileSync(file, '');
    expect(openEntries(file), 'no folder of a run').to.deep.equal([]);
    const other = path.join(folder, 'other');
    mkdirSync(path.join(other, 'undo.ndjson'), { recursive: true });
    expect(() => openEntries(other)).to.throw(/undo\.ndjson: cannot be read/);
  });
});
