import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalKeyFile, openLocalKeyFile } from '../../keys/local-key-file.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import type { Manifest } from '../format/manifest.ts';
import { logName, packName } from '../format/object-name.ts';
import type { Created } from '../pipeline/create.ts';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import { LogShipper } from '../log/shipper.ts';
import type { ObjectStore } from '../../objectstore/object-store.ts';
import { systemClock } from '../../platform/clock.ts';
import { garbageOf } from './garbage.ts';
import { listBackups } from '../repository/catalog.ts';
import { putRecord } from '../repository/records.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { newEpoch, rewrapKeys } from '../repository/rewrap.ts';
import { verifyBackup } from '../verify/verify.ts';
import { putHold, readHolds } from './holds.ts';
import { damagedNames, markedNames, putMarks } from './marks.ts';
import { prune, type Pruned } from './prune.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

function damage(lab: BackupLab, name: string): void {
  const path = join(lab.storeFolder, name);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
}

describe('upkeep of a repository', () => {
  let lab: BackupLab;
  beforeEach(async () => {
    lab = await BackupLab.open();
  });
  afterEach(() => lab.close());

  const pruned = async (more: { days?: number; confirm?: boolean; graceMs?: number; repository?: Repository } = {}): Promise<Pruned> =>
    await prune(
      {
        repository: more.repository ?? (await lab.repository()),
        cluster: 'lab',
        rules: { nowMs: Date.now() + (more.days ?? 60) * DAY_MS, retentionMs: 30 * DAY_MS, minimumBackups: 1 },
        graceMs: more.graceMs ?? DAY_MS,
        confirm: more.confirm ?? true,
        check: () => Promise.resolve(),
      },
      never,
    );
  const verified = async (backupId: string): Promise<void> =>
    await putRecord(await lab.repository(), `verify/${backupId}/20261122T0000000-3.json`, {
      backupId,
      level: 3,
      ok: true,
      at: '2026-11-22T00:00:00Z',
    });
  const names = (): Promise<readonly string[]> => lab.names();

  it('prunes in two steps, keeps what stays whole, and leaves nothing behind', async () => {
    await lab.write(documents(0, 3000));
    const first = await lab.backup();
    await lab.write(documents(0, 3000, 1));
    const last = await lab.backup();
    expect((await pruned()).plan.refused).to.match(/not verified/);
    await verified(last.manifest.backupId);
    const before = await names();
    const dry = await pruned({ confirm: false });
    expect(dry.markedBackups).to.deep.equal([first.manifest.backupId]);
    expect(dry.window.to).to.equal(last.manifest.created);
    expect(await names()).to.deep.equal(before);
    await pruned({ days: 60 });
    expect((await listBackups(await lab.repository(), 'lab')).length).to.equal(2);
    await pruned({ days: 60.5 });
    expect(await lab.restore(first.manifest, 'still')).to.have.property('size', 3000);
    expect((await pruned({ days: 62 })).deletedBackups).to.deep.equal([first.manifest.backupId]);
    // Its packs were marked by that run, and go a grace later.
    expect((await markedNames(await lab.repository())).size).to.be.greaterThan(0);
    expect((await pruned({ days: 64 })).deletedObjects).to.be.greaterThan(0);
    const { manifest } = last;
    const left = (await names()).filter(
      (name) => name.startsWith('packs/') || name.startsWith('index/') || name.startsWith('mark/') || name.startsWith('tomb/'),
    );
    expect(left.length).to.equal(manifest.packs.length + manifest.index.length);
    expect(await lab.restore(manifest, 'kept')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('changes nothing where it refuses, and asks before deletions whether it still may', async () => {
    await lab.write(documents(0, 1000));
    const first = await lab.backup();
    await lab.write(documents(0, 1000, 1));
    await verified((await lab.backup()).manifest.backupId);
    await pruned();
    await lab.write(documents(0, 1000, 2));
    await lab.backup();
    const before = await names();
    expect(before).to.include(`tomb/${first.manifest.backupId}.json`);
    const refused = await pruned({ days: 90 });
    expect(refused.plan.refused).to.match(/not verified/);
    expect(await names()).to.deep.equal(before);
    expect(refused).to.include({ markedObjects: 0, deletedObjects: 0, deletedBytes: 0 });
  }).timeout(120_000);

  it('marks what a run left that was cut off, which no backup then relies on', async () => {
    await lab.write(documents(0, 2000));
    const lease = { epoch: '1', holder: 'x', check: () => Promise.reject(new Error('cut off')) };
    await lab.backup({ lease }).catch(() => undefined);
    const left = await names();
    expect(left.some((name) => name.startsWith('packs/'))).to.equal(true);
    await lab.write(documents(0, 2000, 1));
    const { manifest } = await lab.backup();
    const excluded = await markedNames(await lab.repository());
    await pruned({ days: 0 });
    const marked = await markedNames(await lab.repository());
    expect(excluded.size).to.equal(0);
    expect(marked.size).to.be.greaterThan(0);
    expect(manifest.packs.some(({ id }) => marked.has(packName(id)))).to.equal(false);
    // The same content comes back: it is not taken from what is marked.
    await lab.write(documents(0, 2000, 0));
    const again = await lab.backup({ excluded: marked });
    await pruned({ days: 2 });
    expect(await lab.restore(again.manifest, 'again')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('never relies on what is marked, though the same bytes have its name: a prune that stood still may delete it yet', async () => {
    await lab.write(documents(0, 2000));
    const lease = { epoch: '1', holder: 'x', check: () => Promise.reject(new Error('cut off')) };
    await lab.backup({ lease }).catch(() => undefined);
    const left = await lab.names('packs/');
    await lab.write(documents(0, 2000, 1));
    await lab.backup();
    await pruned({ days: 0 });
    const marked = [...(await markedNames(await lab.repository()))];
    expect(marked.length).to.be.greaterThan(0);
    // The same content is read as a whole again, so it gets the same packs.
    await lab.write(documents(0, 2000, 0));
    const { manifest } = await lab.backup({ excluded: new Set(marked), fullScan: true });
    expect(left.some((name) => marked.includes(name))).to.equal(true);
    for (const name of marked) await lab.access.store.delete(name);
    expect(await lab.restore(manifest, 'again')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('leaves a damaged pack where it is and stores its content under another name: nothing is deleted before something else is there', async () => {
    await lab.write(documents(0, 500));
    const first = await lab.backup({ workers: 1 });
    const [pack] = await lab.names('packs/');
    const path = join(lab.storeFolder, pack!);
    const bytes = readFileSync(path);
    bytes[200] = bytes[200]! ^ 1;
    writeFileSync(path, bytes);
    for (const name of await lab.names('manifests/')) await lab.access.store.delete(name);
    for (const name of await lab.names('index/')) await lab.access.store.delete(name);
    const store = { ...lab.access.store, delete: () => Promise.reject(new Error('deleted something')) };
    const { manifest } = await lab.backup({ repository: { ...(await lab.repository()), store }, workers: 1 });
    expect(manifest.ranges[0]!.root).to.equal(first.manifest.ranges[0]!.root);
    expect(await lab.restore(manifest, 'mended')).to.deep.equal(lab.model);
    expect(readFileSync(path)).to.deep.equal(bytes);
  }).timeout(120_000);

  it('keeps only the records of verifications that still tell something', async () => {
    await lab.write(documents(0, 100));
    const { manifest } = await lab.backup();
    const repository = await lab.repository();
    const record = async (n: number, level: number, problems: readonly string[]): Promise<void> =>
      await putRecord(repository, `verify/${manifest.backupId}/20261122T0000${String(n).padStart(2, '0')}000-${level}.json`, {
        backupId: manifest.backupId,
        level,
        ok: problems.length === 0,
        problems: [...problems],
        at: `2026-11-22T00:00:${String(n).padStart(2, '0')}Z`,
      });
    const packs = ['a', 'b'].map((digit) => `packs/${digit.repeat(2)}/${digit.repeat(32)}`);
    await record(0, 2, [`${packs[0]} is missing`]);
    await record(1, 2, [`${packs[1]} is missing`]);
    for (let n = 2; n < 20; n++) await record(n, 3, [`${packs[1]} is missing`]);
    for (let n = 20; n < 40; n++) await record(n, 1, []);
    for (let n = 40; n < 60; n++) await record(n, 3, []);
    const before = await damagedNames(repository);
    await pruned({ days: 0, confirm: false });
    expect((await lab.names('verify/')).length).to.equal(60);
    await pruned({ days: 0 });
    expect((await lab.names('verify/')).length).to.be.at.most(5);
    expect(await damagedNames(repository)).to.deep.equal(before);
    expect((await pruned({ days: 0 })).plan.refused).to.equal(null);
  }).timeout(120_000);

  it('leaves a backup that is held, and one that is held while it deletes', async () => {
    await lab.write(documents(0, 300));
    const [first, second] = [await lab.backup(), await lab.backup()];
    await lab.write(documents(0, 300, 1));
    await verified((await lab.backup()).manifest.backupId);
    const repository = await lab.repository();
    const hold = (backupId: string, held: boolean, n: number): Promise<void> =>
      putHold(repository, { backupId, held, by: 'test', why: '', at: new Date(1e12 + n) });
    await hold(first.manifest.backupId, true, 0);
    expect((await pruned({ days: 60 })).markedBackups).to.deep.equal([second.manifest.backupId]);
    await hold(first.manifest.backupId, false, 1);
    expect((await pruned({ days: 60 })).markedBackups).to.deep.equal([first.manifest.backupId]);
    const rules = { nowMs: Date.now() + 62 * DAY_MS, retentionMs: 30 * DAY_MS, minimumBackups: 1 };
    let asked = 0;
    const check = async (): Promise<void> => {
      if (asked++ === 0) await hold(first.manifest.backupId, true, 2);
    };
    await prune({ repository, cluster: 'lab', rules, graceMs: DAY_MS, confirm: true, check }, never);
    const ids = (await listBackups(repository, 'lab')).map(({ backupId }) => backupId);
    expect(ids).to.include(first.manifest.backupId).and.not.to.include(second.manifest.backupId);
    expect(await lab.restore(first.manifest, 'held')).to.have.property('size', 300);
  }).timeout(120_000);

  it('expires nothing while a newer backup does not open, and then keeps what stands in for it', async () => {
    const made: Created[] = [];
    for (const version of [0, 1, 2]) {
      await lab.write(documents(0, 300, version));
      made.push(await lab.backup());
    }
    const [first, second, third] = made.map(({ manifest }) => manifest) as [Manifest, Manifest, Manifest];
    for (const { backupId } of made.map(({ manifest }) => manifest)) await verified(backupId);
    expect((await pruned({ confirm: false })).markedBackups).to.deep.equal([first.backupId, second.backupId]);
    damage(lab, `manifests/lab/${third.backupId}`);
    const refused = await pruned();
    expect(refused.plan.refused).to.match(new RegExp(`newest backup ${third.backupId} is not to be trusted .*refused`));
    expect(await lab.names('tomb/')).to.deep.equal([]);
    await lab.write(documents(0, 300, 3));
    const fourth = (await lab.backup()).manifest;
    await verified(fourth.backupId);
    const { plan, markedBackups } = await pruned({ days: 20 });
    expect({ markedBackups, refused: plan.refused }).to.deep.equal({ markedBackups: [], refused: null });
    const later = await pruned();
    expect(later.markedBackups).to.deep.equal([first.backupId, second.backupId]);
    expect(later.plan.keep.find(({ backupId }) => backupId === third.backupId)?.why).to.match(/does not open/);
    expect(await lab.restore(fourth, 'fourth')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('keeps an old stream of the log whose last segment is damaged while that may hold what a restore needs, and says so', async () => {
    const reader = await openLmdbReader(lab.databaseFolder);
    const shipperOf = async (): Promise<LogShipper> => {
      const repository = await lab.repository();
      const anchors = (): ReturnType<BackupLab['logEnds']> => lab.logEnds(repository);
      return new LogShipper({ repository: () => Promise.resolve(repository), cluster: 'lab', reader, clock: systemClock, anchors });
    };
    const shipAll = async (shipper: LogShipper): Promise<void> => {
      while ((await shipper.tick(never)).kind !== 'idle');
    };
    try {
      await lab.write(documents(0, 5));
      await lab.backup();
      const shipper = await shipperOf();
      await shipper.tick(never);
      await lab.write(documents(5, 8));
      const { manifest } = await lab.backup();
      await lab.write(documents(8, 10));
      await shipAll(shipper);
      const [damaged] = (await lab.names('log/')).slice(-1);
      damage(lab, damaged!);
      await shipAll(await shipperOf());
      expect((await lab.names('log/')).length, 'another stream').to.be.greaterThan(1);
      await verified(manifest.backupId);
      await pruned({ days: 60 });
      const second = await pruned({ days: 62 });
      expect(second.deletedBackups).to.have.length(1);
      await pruned({ days: 64 });
      expect(await lab.names('log/')).to.include(damaged);
      expect(second.damagedLog).to.deep.equal([damaged]);
      const kept = await listBackups(await lab.repository(), 'lab');
      const much = kept.map((entry) => ({ ...entry, manifest: { ...entry.manifest!, readVersion: '5000000' } }));
      const later = await garbageOf(await lab.repository(), { cluster: 'lab', kept: much, others: [] }, never);
      expect(
        later.garbage.map(({ name }) => name),
        'whatever it holds all backups have',
      ).to.include(damaged);
    } finally {
      await reader.close();
    }
  }).timeout(120_000);

  it('is not misled by records that are damaged: a hold holds, a tombstone or mark is written anew', async () => {
    await lab.write(documents(0, 300));
    const first = await lab.backup();
    const second = await lab.backup();
    await lab.write(documents(0, 300, 1));
    await verified((await lab.backup()).manifest.backupId);
    const repository = await lab.repository();
    await putHold(repository, { backupId: first.manifest.backupId, held: true, by: 'test', why: '', at: new Date(1e12) });
    await pruned({ days: 60 });
    const damage = async (prefix: string): Promise<void> => {
      for (const name of await lab.names(prefix)) writeFileSync(join(lab.storeFolder, name), 'damaged');
    };
    await damage('hold/');
    await damage('tomb/');
    await pruned({ days: 62 });
    const ids = async (): Promise<readonly string[]> => (await listBackups(repository, 'lab')).map(({ backupId }) => backupId);
    expect(await ids()).to.include.members([first.manifest.backupId, second.manifest.backupId]);
    expect((await pruned({ days: 64 })).deletedBackups).to.deep.equal([second.manifest.backupId]);
    await damage('mark/');
    await pruned({ days: 66 });
    await pruned({ days: 68 });
    expect(await ids())
      .to.have.length(2)
      .and.to.include(first.manifest.backupId);
    expect(await lab.names('mark/')).to.deep.equal([]);
  }).timeout(120_000);

  it('reclaims the records of backups that are gone', async () => {
    await lab.write(documents(0, 100));
    const { manifest } = await lab.backup();
    const gone = '01ARYZ6S410000000000000000';
    await putRecord(await lab.repository(), `verify/${gone}/20261122T000000000-3.json`, { backupId: gone, level: 3, ok: true, at: '' });
    await verified(manifest.backupId);
    await pruned({ days: 0 });
    expect(await lab.names('verify/')).to.have.length(1);
  }).timeout(120_000);

  it('leaves what is said of a backup that another cluster of the repository makes meanwhile', async () => {
    await lab.write(documents(0, 100));
    await lab.backup();
    const repository = await lab.repository();
    let made = '';
    const list: ObjectStore['list'] = async function* (prefix, options) {
      if (prefix === 'packs/' && made === '') {
        made = 'begun';
        made = (await lab.backup({ cluster: { id: 'other', description: '' } })).manifest.backupId;
        await putHold(repository, { backupId: made, held: true, by: 'test', why: '', at: new Date() });
        await verified(made);
      }
      yield* repository.store.list(prefix, options);
    };
    await pruned({ days: 0, repository: { ...repository, store: { ...repository.store, list } } });
    expect((await readHolds(repository)).has(made)).to.equal(true);
    expect(await lab.names(`verify/${made}/`)).to.have.length(1);
  }).timeout(120_000);

  it('leaves the marks of what only another cluster knows to be needed or not: its log', async () => {
    await lab.write(documents(0, 100));
    await lab.backup();
    const name = (cluster: string): string => logName(cluster, '01ARYZ6S410000000000000000', 1);
    for (const [n, cluster] of ['other', 'lab'].entries())
      await putMarks(await lab.repository(), [{ name: name(cluster), generation: '1' }], new Date(1e12 + n));
    await pruned({ days: 0 });
    expect([...(await markedNames(await lab.repository()))]).to.deep.equal([name('other')]);
  }).timeout(120_000);

  it('rewraps keys to another service without touching a backup, and begins a new epoch', async () => {
    await lab.write(documents(0, 500));
    const { manifest } = await lab.backup();
    await createLocalKeyFile(join(lab.folder, 'key2'));
    const next = { ...lab.access, service: await openLocalKeyFile(join(lab.folder, 'key2')) };
    const repository = { ...next, repo: manifest.repo };
    const result = await rewrapKeys({ repository, previous: lab.access.service, removeOthers: true, created: new Date() }, never);
    expect(result).to.deep.equal({ wrapped: 1, removed: 1 });
    const old = await openRepository(lab.access).catch((error: Error) => error.message);
    expect(old).to.match(/opens with local-file/);
    const opened = await openRepository(next);
    const options = { manifest, percent: 100, workers: 1, random: Math.random, onProgress: () => undefined };
    expect((await verifyBackup({ ...options, repository: opened, level: 3 }, never)).problems).to.deep.equal([]);
    await newEpoch(opened, new Date(), never);
    const rolled = await lab.backup({ repository: await openRepository(next) });
    expect(rolled.manifest.epoch).to.equal('2');
    expect(rolled.manifest.kind).to.equal('full');
    const listed = await listBackups(await openRepository(next), 'lab');
    expect(listed.map(({ problem }) => problem)).to.deep.equal([null, null]);
  }).timeout(120_000);
});
