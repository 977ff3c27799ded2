import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseConformance } from './conformance.ts';
import { openLmdb } from './lmdb.ts';

describe('LMDB adapter', () => {
  const folders: string[] = [];
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'coditect-lmdb-'));
    folders.push(made);
    return made;
  };
  after(() => folders.forEach((made) => rmSync(made, { recursive: true, force: true })));
  databaseConformance('lmdb', () => {
    const [here, there] = [folder(), folder()];
    return { open: () => openLmdb(here), openOther: () => openLmdb(there) };
  });
});
