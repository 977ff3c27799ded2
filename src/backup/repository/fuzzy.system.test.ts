import { expect } from 'chai';
import { BackupLab } from '../../testing/backup-lab.ts';
import { backupId } from '../format/ids.ts';
import { sealManifest, type Manifest } from '../format/manifest.ts';
import { listBackups } from './catalog.ts';
import { chooseBackup } from './choose.ts';
import { requireSigningKey } from './repository.ts';

const never = new AbortController().signal;

/** As another program might make one: of ranges that were read at several versions. */
describe('a backup that is fuzzy', () => {
  let lab: BackupLab;
  before(async function () {
    this.timeout(60_000);
    lab = await BackupLab.open();
    await lab.write([['a', '1']]);
  });
  after(() => lab.close());

  it('is listed with the reason and never restored, nor built upon, without the log that would make it one state', async () => {
    const repository = await lab.repository();
    const { manifest } = await lab.backup();
    const order = Number(manifest.lease.order) + 1;
    const fuzzy: Manifest = {
      ...manifest,
      backupId: backupId(Date.now() + 1000, Buffer.alloc(10, 1)),
      consistency: 'fuzzy+log',
      lease: { ...manifest.lease, order },
    };
    const { name, bytes } = sealManifest(fuzzy, repository.keys, requireSigningKey(repository));
    await repository.store.put(name, bytes);

    expect((await listBackups(repository, 'lab')).map(({ problem }) => problem)).to.deep.equal([
      null,
      'it is fuzzy: read at several versions, and no state of the database without its log',
    ]);
    const latest = await chooseBackup(repository, 'lab', 'latest', never);
    expect(latest.manifest.backupId).to.equal(manifest.backupId);
    expect(latest.passedOver).to.deep.equal([
      {
        backupId: fuzzy.backupId,
        problem: 'it is fuzzy: read at several versions, and no state of the database without its log',
        setAside: true,
      },
    ]);
    const refused = await chooseBackup(repository, 'lab', fuzzy.backupId, never).catch((thrown: unknown) => thrown);
    expect((refused as Error).message).to.match(/not to be trusted: it is fuzzy/);
    expect((await lab.backup()).manifest.parent).to.equal(manifest.backupId);
  }).timeout(60_000);
});
