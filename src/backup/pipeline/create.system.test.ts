import { embeddedSource } from './embedded-source.ts';
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateOptions } from './create.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { PYTHON, withoutPython } from '../../testing/python.ts';
import type { Entry } from '../../database/database.ts';
import { openLmdb } from '../../database/lmdb.ts';
import { systemClock } from '../../platform/clock.ts';
import { createOfflineKeyFile, openRecipient } from '../../keys/offline-key.ts';
import { packName } from '../format/object-name.ts';
import { openRepository } from '../repository/repository.ts';
import { addMissingRecipients } from '../repository/rewrap.ts';
import { findBackup, highestLeaseEpoch, listBackups } from '../repository/catalog.ts';
import { chooseBackup } from '../repository/choose.ts';
import { markedNames, putMarks } from '../retention/marks.ts';

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: Error) => error.message,
  );

describe('making a backup', () => {
  let lab: BackupLab;
  beforeEach(async () => {
    lab = await BackupLab.open();
  });
  afterEach(() => lab.close());
  const rootOf = ({ manifest }: { manifest: { ranges: { root: string }[] } }): string => manifest.ranges[0]!.root;

  it('gives the same root whatever the number of threads and the way of reading', async () => {
    await lab.write(documents(0, 6000));
    const first = await lab.backup({ workers: 1 });
    const second = await lab.backup({ workers: 3, fullScan: true });
    expect(rootOf(second)).to.equal(rootOf(first));
    expect(first.manifest.totals.records).to.equal(6000);
    expect(first.manifest.ranges[0]!.files).to.be.greaterThan(3);
  }).timeout(120_000);

  it('tells each step of the commit order when it is done', async () => {
    await lab.write(documents(0, 1000));
    const steps: string[] = [];
    const seen: Record<string, number> = {};
    const onStep: CreateOptions['onStep'] = async (step) => {
      steps.push(step);
      for (const kind of ['packs', 'index', 'manifests']) seen[`${step} ${kind}`] = (await lab.names(`${kind}/`)).length;
    };
    const { manifest } = await lab.backup({ onStep });
    expect(steps).to.deep.equal(['pinned', 'pack_stored', 'packed', 'index_stored', 'lease_checked', 'committed']);
    expect(seen).to.include({ 'pinned packs': 0, 'packed index': 0, 'index_stored packs': manifest.packs.length });
    expect(seen).to.include({ 'index_stored index': 1, 'lease_checked manifests': 0, 'committed manifests': 1 });
    expect(seen['pack_stored packs']).to.be.at.least(1);
  }).timeout(120_000);

  it('stores nothing again that did not change, and reads only what the log names', async () => {
    await lab.write(documents(0, 6000));
    const first = await lab.backup();
    const again = await lab.backup();
    expect(again.scannedBytes).to.equal(0);
    expect(again.manifest.packs).to.have.deep.members(first.manifest.packs);
    await lab.write(documents(100, 103, 1));
    await lab.write([['doc/00000200', null]]);
    const changed = await lab.backup();
    expect(changed.scannedBytes).to.be.within(1, first.scannedBytes / 2);
    expect(rootOf(await lab.backup({ fullScan: true }))).to.equal(rootOf(changed));
    expect(rootOf(changed)).not.to.equal(rootOf(first));
  }).timeout(120_000);

  it('reads everything where the log was trimmed, and still stores only what changed', async () => {
    await lab.write(documents(0, 4000));
    await lab.backup();
    await lab.write(documents(10, 11, 1));
    await lab.trimLog(lab.version);
    const second = await lab.backup();
    expect(second.scannedBytes).to.equal(second.manifest.totals.plainBytes);
    expect(second.uploadedBytes).to.be.lessThan(second.manifest.totals.storedBytes);
  }).timeout(120_000);

  it('finds again what a run stored that was cut off before its manifest', async () => {
    await lab.write(documents(0, 4000));
    const first = await lab.backup();
    rmSync(join(lab.storeFolder, first.name));
    const indexes = join(lab.storeFolder, 'index', '1');
    expect((await listBackups(await lab.repository(), 'lab')).length).to.equal(0);
    const second = await lab.backup();
    expect(second.manifest.packs.map(({ id }) => id)).to.have.members(first.manifest.packs.map(({ id }) => id));
    expect(second.uploadedBytes).to.be.lessThan(5000);
    // Also where its index is gone: packs have the same names and are read.
    rmSync(join(lab.storeFolder, second.name));
    for (const name of readdirSync(indexes)) rmSync(join(indexes, name));
    const third = await lab.backup();
    expect(third.adoptedPacks).to.equal(first.manifest.packs.length);
  }).timeout(120_000);

  it('sets apart what a writer commits that had been replaced, and goes on from the others', async () => {
    const lease = (epoch: string): CreateOptions['lease'] => ({ epoch, holder: 'x', check: () => Promise.resolve() });
    await lab.write(documents(0, 10));
    const good = await lab.backup({ lease: lease('5') });
    expect(await failureOf(lab.backup({ lease: lease('3') }))).to.match(/writer.*epoch 3.*epoch 5/);
    // It was replaced after it had begun, and does not learn so.
    let newer: Awaited<ReturnType<typeof lab.backup>> | null = null;
    const meanwhile = async (): Promise<void> => {
      newer = await lab.backup({ lease: lease('7') });
    };
    const clock = { ...systemClock, wall: () => new Date(Date.now() + 60_000) };
    const zombie = await lab.backup({ clock, lease: { ...lease('6'), check: meanwhile } });
    const repository = await lab.repository();
    const listed = await listBackups(repository, 'lab');
    expect(listed.map(({ problem }) => problem === null)).to.deep.equal([true, true, false]);
    expect(highestLeaseEpoch(listed)).to.equal(7n);
    expect(listed[0]!.backupId).to.equal(good.manifest.backupId);
    const { manifest: latest, passedOver } = await chooseBackup(repository, 'lab', 'latest', new AbortController().signal);
    expect(latest.backupId).to.equal(newer!.manifest.backupId);
    expect(passedOver.map(({ backupId, setAside }) => ({ backupId, setAside }))).to.deep.equal([
      { backupId: zombie.manifest.backupId, setAside: true },
    ]);
    expect(await failureOf(findBackup(repository, 'lab', zombie.manifest.backupId))).to.match(/had been replaced/);
    expect((await lab.backup({ lease: lease('8') })).manifest.parent).to.equal(newer!.manifest.backupId);
  }).timeout(120_000);

  it('sets apart what was named before its writer was replaced and committed after, whatever the clocks say', async () => {
    const lease = (epoch: string): CreateOptions['lease'] => ({ epoch, holder: 'x', check: () => Promise.resolve() });
    await lab.write(documents(0, 10));
    const late = { ...systemClock, wall: () => new Date(Date.now() + 3_600_000) };
    const fast = await lab.backup({ clock: late, lease: lease('5') });
    const made: Record<string, string> = { fast: fast.manifest.backupId };
    // It stands still after it was told that it may write, and its name is older than that of who replaces it.
    const check = async (): Promise<void> => {
      made['newer'] = (await lab.backup({ lease: lease('7') })).manifest.backupId;
    };
    const past = { ...systemClock, wall: () => new Date(Date.now() - 3_600_000) };
    made['zombie'] = (await lab.backup({ clock: past, lease: { ...lease('6'), check } })).manifest.backupId;
    const listed = await listBackups(await lab.repository(), 'lab');
    const trusted = listed.filter(({ problem }) => problem === null).map(({ backupId }) => backupId);
    expect(trusted).to.deep.equal([made['fast'], made['newer']]);
    expect((await findBackup(await lab.repository(), 'lab', 'latest')).backupId).to.equal(made['newer']);
    const next = await lab.backup({ lease: lease('8') });
    expect(next.manifest.parent).to.equal(made['newer']);
  }).timeout(120_000);

  it('relies on no pack that is not as a backup before states it, but stores again what that held', async () => {
    await lab.write(documents(0, 6000));
    const first = await lab.backup();
    for (const { id } of first.manifest.packs) {
      const file = join(lab.storeFolder, packName(id));
      writeFileSync(file, readFileSync(file).subarray(0, -1));
    }
    await lab.write(documents(5990, 6010, 1));
    const second = await lab.backup();
    expect(await lab.restore(second.manifest, 'second')).to.deep.equal(lab.model);
    const third = await lab.backup();
    expect(third.uploadedBytes, 'once').to.be.lessThan(10_000);
    expect(await lab.restore(third.manifest, 'third')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('relies on nothing that another cluster of the repository has marked meanwhile', async () => {
    await lab.write(documents(0, 500));
    const { name } = await lab.backup();
    await lab.access.store.delete(name);
    const repository = await lab.repository();
    const marked = (): Promise<ReadonlySet<string>> => markedNames(repository);
    const onStep: CreateOptions['onStep'] = async (step) => {
      if (step !== 'pinned') return;
      const objects = await Promise.all((await lab.names('packs/')).map((pack) => lab.access.store.stat(pack)));
      await putMarks(
        repository,
        objects.filter((object) => object !== null),
        new Date(),
      );
    };
    expect(await failureOf(lab.backup({ onStep, marked }))).to.match(/marked for deletion while/);
    expect(await lab.names('manifests/')).to.deep.equal([]);
    const { manifest } = await lab.backup({ marked, excluded: await marked() });
    for (const pack of await marked()) await lab.access.store.delete(pack);
    expect(await lab.restore(manifest, 'again')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('reads all of a database that began anew under the same name, though its log goes on where that of before ended', async () => {
    await lab.write(documents(0, 3000));
    await lab.backup();
    const folder = join(lab.folder, 'anew', 'db');
    const database = openLmdb(folder);
    const rows = [...documents(4000, 7100, 1)];
    await database.append(rows.map(([key, value], i): Entry => ({ epoch: 1, index: i + 1, op: 'put', key, value })));
    database.commit(rows.length);
    await database.close();
    const { manifest } = await lab.backup({ source: embeddedSource(folder) });
    expect(await lab.restore(manifest, 'again')).to.deep.equal(new Map(rows));
  }).timeout(120_000);

  it('backs up an empty database', async () => {
    const { manifest } = await lab.backup();
    expect(manifest.totals.records).to.equal(0);
    expect(manifest.ranges[0]!.files).to.equal(1);
  });

  it('refuses a copy that is behind what is backed up: it would be the latest', async () => {
    await lab.write(documents(0, 3));
    await lab.backup();
    await lab.write(documents(3, 4), 2);
    await lab.backup();
    const before = await lab.names();
    // A standby that does not get on; and a primary that went on in its epoch while another was promoted.
    for (const rows of [documents(0, 3), documents(0, 9)]) {
      const databaseFolder = mkdtempSync(join(lab.folder, 'behind-'));
      const database = openLmdb(databaseFolder);
      const entries = [...rows].map(([key, value], i): Entry => ({ epoch: 1, index: i + 1, op: 'put', key, value }));
      await database.append(entries);
      database.commit(entries.length);
      await database.close();
      expect(await failureOf(lab.backup({ source: embeddedSource(databaseFolder) }))).to.match(
        /version \d of epoch 1, before what backup \w+ has \(version 4 of epoch 2\)/,
      );
    }
    expect(await lab.names()).to.deep.equal(before);
  }).timeout(120_000);

  it('commits nothing when the right to write was lost or the caller stops', async () => {
    await lab.write(documents(0, 10));
    const lease = { epoch: '1', holder: 'x', check: () => Promise.reject(new Error('lost')) };
    expect(await failureOf(lab.backup({ lease }))).to.equal('lost');
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    expect(await failureOf(lab.backup({}, stop.signal))).to.equal('stopped');
    expect(await listBackups(await lab.repository(), 'lab')).to.deep.equal([]);
  });
});

const READER = join(process.cwd(), 'src/backup/format/testing/reader.py');

describe(`the first and the last backup, read by a Python program${withoutPython}`, () => {
  it('hold just what the database held', async function () {
    if (withoutPython !== '') return this.skip();
    const lab = await BackupLab.open();
    try {
      // Beside the wrap that the reader opens there is one to an offline key.
      const recipients = [openRecipient(await createOfflineKeyFile(join(lab.folder, 'offline')))];
      await addMissingRecipients(await openRepository({ ...lab.access, recipients }), new Date(), new AbortController().signal);
      const contents: Record<string, string>[] = [];
      const names: string[] = [];
      for (let n = 0; n < 3; n++) {
        await lab.write([...documents(n * 300, n * 300 + 900, n), [`only ${n}`, 'x'], [`only ${n - 1}`, null]]);
        names.push((await lab.backup()).name);
        contents.push(Object.fromEntries([...lab.model].map(([key, value]) => [hex(key), hex(value)])));
      }
      const publicHex = Buffer.from(lab.access.trusted[0]!.export({ format: 'jwk' }).x!, 'base64url').toString('hex');
      for (const n of [0, 2]) {
        const words = [READER, lab.storeFolder, names[n]!, join(lab.folder, 'key'), publicHex];
        const { stdout, stderr } = spawnSync(PYTHON, words, { encoding: 'utf8', maxBuffer: 1e8 });
        expect(stderr).to.equal('');
        expect(JSON.parse(stdout)).to.deep.equal(contents[n]);
      }
    } finally {
      await lab.close();
    }
  }).timeout(120_000);
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
