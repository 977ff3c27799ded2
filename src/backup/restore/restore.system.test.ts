import { expect } from 'chai';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLmdb } from '../../database/lmdb.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { packName } from '../format/object-name.ts';
import { embeddedSource } from '../pipeline/embedded-source.ts';
import { putRecord } from '../repository/records.ts';
import { damagedNames } from '../retention/marks.ts';
import { verifyBackup } from '../verify/verify.ts';

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: Error) => error.message,
  );

describe('restoring a backup', () => {
  let lab: BackupLab;
  beforeEach(async () => {
    lab = await BackupLab.open();
  });
  afterEach(() => lab.close());

  it('gives back every backup of a chain just as it was', async () => {
    await lab.write(documents(0, 5000));
    const first = await lab.backup();
    const before = new Map(lab.model);
    await lab.write([...documents(50, 60, 1), ['doc/00000070', null], ['zz', 'new'], ['\u{1F600}', 'smile'], ['aa', '']]);
    const second = await lab.backup();
    expect(await lab.restore(second.manifest, 'second')).to.deep.equal(lab.model);
    expect(await lab.restore(first.manifest, 'first')).to.deep.equal(before);
    expect(await lab.restoreOnly(first.manifest, 'third')).to.include({ checked: 'root', records: 5000, resumed: false });
  }).timeout(300_000);

  it('gives back keys that begin with any character, the lowest too', async () => {
    await lab.write(['\u0000', '\u0000a', '\u0001x', '\u0004', '\u0005', '\u0006y', 'a', '\u{10FFFF}'].map((key) => [key, `of ${key}`]));
    const { manifest } = await lab.backup();
    expect(manifest.totals.records).to.equal(8);
    expect(await lab.restore(manifest, 'low')).to.deep.equal(lab.model);
  });

  it('restores an empty database', async () => {
    expect((await lab.restore((await lab.backup()).manifest, 'empty')).size).to.equal(0);
  });

  it('restores a prefix, also under another one', async () => {
    await lab.write([...documents(0, 3000), ['do', 'x'], ['dod', 'y'], ['doc/', 'z']]);
    const { manifest } = await lab.backup();
    const wanted = [...lab.model].filter(([key]) => key.startsWith('doc/00001'));
    expect(await lab.restore(manifest, 'part', { prefix: { from: 'doc/00001', to: 'doc/00001' } })).to.deep.equal(new Map(wanted));
    const moved = await lab.restore(manifest, 'moved', { prefix: { from: 'doc/', to: 'old/' } });
    expect(moved.get('old/00000007')).to.equal(lab.model.get('doc/00000007'));
    expect(moved.size).to.equal(3001);
    expect(await lab.restoreOnly(manifest, 'none', { prefix: { from: 'nothing', to: 'nothing' } })).to.include({ records: 0 });
    expect((await lab.contentOf('none')).size).to.equal(0);
  }).timeout(120_000);

  it('begins another history with a part: what was left out is in no backup of it', async () => {
    await lab.write(documents(0, 3000));
    const { manifest } = await lab.backup();
    await lab.restoreOnly(manifest, 'part', { prefix: { from: 'doc/00001', to: 'old/' } });
    const folder = join(lab.folder, 'part', 'db');
    const database = openLmdb(folder);
    await database.append([
      { epoch: database.state().log.epoch + 1, index: database.state().log.index + 1, op: 'put', key: 'new', value: 'x' },
    ]);
    database.commit(database.state().log.index);
    await database.close();
    const of = await lab.backup({ source: embeddedSource(folder) });
    expect(await lab.restore(of.manifest, 'again')).to.deep.equal(await lab.contentOf('part'));
  }).timeout(120_000);

  it('refuses a target that has data', async () => {
    await lab.write(documents(0, 10));
    const { manifest } = await lab.backup();
    await lab.restoreOnly(manifest, 'once');
    expect(await failureOf(lab.restoreOnly(manifest, 'once'))).to.match(/no empty database/);
    expect(await failureOf(lab.restoreOnly(manifest, 'data'))).to.match(/no empty database/);
  }).timeout(120_000);

  it('goes on where it was interrupted, and leaves the database empty meanwhile', async () => {
    await lab.write(documents(0, 5000));
    const { manifest } = await lab.backup();
    const stop = new AbortController();
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      if (doneBytes > 0) stop.abort(new Error('stopped'));
    };
    expect(await failureOf(lab.restoreOnly(manifest, 'cut', { onProgress }, stop.signal))).to.equal('stopped');
    const result = await lab.restoreOnly(manifest, 'cut');
    expect(result.resumed).to.equal(true);
    expect(await lab.contentOf('cut')).to.deep.equal(lab.model);
  }).timeout(120_000);

  for (const [what, damage] of [
    ['changed', (path: string) => writeFileSync(path, flipped(readFileSync(path)))],
    ['cut', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
    ['missing', (path: string) => rmSync(path)],
  ] as const) {
    it(`refuses a backup with a ${what} pack, names it, and makes nothing live`, async () => {
      await lab.write(documents(0, 3000));
      const { manifest } = await lab.backup();
      const name = packName(manifest.packs[0]!.id);
      damage(join(lab.storeFolder, name));
      expect(await failureOf(lab.restoreOnly(manifest, 'bad'))).to.contain(name);
      expect((await lab.contentOf('bad')).size).to.equal(0);
      const options = {
        repository: await lab.repository(),
        manifest,
        percent: 100,
        workers: 2,
        random: () => 0,
        onProgress: () => undefined,
      };
      const verified = await verifyBackup({ ...options, level: 3 }, new AbortController().signal);
      expect(verified.problems.join()).to.contain(name);
    }).timeout(120_000);
  }

  it('refuses two packs that were swapped, and finds a sound backup sound', async () => {
    await lab.write(documents(0, 5000));
    const { manifest } = await lab.backup();
    const options = {
      repository: await lab.repository(),
      manifest,
      percent: 100,
      workers: 2,
      random: () => 0,
      onProgress: () => undefined,
    };
    for (const level of [0, 1, 2, 3] as const)
      expect((await verifyBackup({ ...options, level }, new AbortController().signal)).problems).to.deep.equal([]);
    const [a, b] = manifest.packs.slice(0, 2).map(({ id }) => join(lab.storeFolder, packName(id)));
    renameSync(a!, `${a}.x`);
    renameSync(b!, a!);
    renameSync(`${a}.x`, b!);
    expect(await failureOf(lab.restoreOnly(manifest, 'swapped'))).to.match(/packs\//);
  }).timeout(120_000);
});

function flipped(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 1;
  return bytes;
}

describe('a damaged pack', () => {
  it('is told with all others, that of the lists too, and what it held is stored again by the next backup', async () => {
    const lab = await BackupLab.open();
    try {
      await lab.write(documents(0, 5000));
      const { manifest } = await lab.backup();
      const names = manifest.packs.map(({ id }) => packName(id));
      // One of them has the lists, mostly the last one.
      expect(names.length).to.be.greaterThan(1);
      for (const name of names) {
        const path = join(lab.storeFolder, name);
        writeFileSync(path, flipped(readFileSync(path)));
      }
      const repository = await lab.repository();
      const options = { repository, level: 3, percent: 100, workers: 1, random: Math.random, onProgress: () => undefined } as const;
      const { problems } = await verifyBackup({ ...options, manifest }, new AbortController().signal);
      for (const name of names) expect(problems.join()).to.contain(name);
      await putRecord(repository, `verify/${manifest.backupId}/1-3.json`, { ok: false, problems: [...problems] });
      const again = await lab.backup({ excluded: await damagedNames(repository) });
      expect(await lab.restore(again.manifest, 'mended')).to.deep.equal(lab.model);
    } finally {
      await lab.close();
    }
  }).timeout(120_000);
});
