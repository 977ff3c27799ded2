import { expect } from 'chai';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { MAX_MANIFEST_BYTES } from '../format/manifest.ts';
import { manifestName } from '../format/object-name.ts';
import { findBackup, listBackups } from './catalog.ts';

describe('the list of backups', () => {
  let lab: BackupLab;
  beforeEach(async () => (lab = await BackupLab.open()));
  afterEach(() => lab.close());

  it('tells of a manifest that is larger than any, which hides no other', async () => {
    await lab.write(documents(0, 20));
    const { manifest } = await lab.backup();
    const other = join(lab.storeFolder, manifestName('lab', '7ZZZZZZZZZZZZZZZZZZZZZZZZZ'));
    writeFileSync(other, '');
    truncateSync(other, 2 * MAX_MANIFEST_BYTES);
    const repository = await lab.repository();
    expect((await listBackups(repository, 'lab')).map(({ problem }) => problem !== null)).to.deep.equal([false, true]);
    expect((await findBackup(repository, 'lab', 'latest')).backupId).to.equal(manifest.backupId);
  }).timeout(120_000);
});
