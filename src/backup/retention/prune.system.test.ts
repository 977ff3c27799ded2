import { expect } from 'chai';
import { join } from 'node:path';
import { createLocalKeyFile, openLocalKeyFile } from '../../keys/local-key-file.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { listBackups } from '../repository/catalog.ts';
import { putRecord } from '../repository/records.ts';
import { openRepository } from '../repository/repository.ts';
import { newEpoch, rewrapKeys } from '../repository/rewrap.ts';
import { verifyBackup } from '../verify/verify.ts';
import { markedPacks } from './marks.ts';
import { prune, type Pruned } from './prune.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

describe('upkeep of a repository', () => {
  let lab: BackupLab;
  beforeEach(async () => {
    lab = await BackupLab.open();
  });
  afterEach(() => lab.close());

  const pruned = async (more: { days?: number; confirm?: boolean; graceMs?: number } = {}): Promise<Pruned> =>
    await prune(
      {
        repository: await lab.repository(),
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
    expect((await markedPacks(await lab.repository())).size).to.be.greaterThan(0);
    expect((await pruned({ days: 64 })).deletedObjects).to.be.greaterThan(0);
    const { manifest } = last;
    const left = (await names()).filter(
      (name) => name.startsWith('packs/') || name.startsWith('index/') || name.startsWith('mark/') || name.startsWith('tomb/'),
    );
    expect(left.length).to.equal(manifest.packs.length + manifest.index.length);
    expect(await lab.restore(manifest, 'kept')).to.deep.equal(lab.model);
  }).timeout(60_000);

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
  }).timeout(60_000);

  it('marks what a run left that was cut off, which no backup then relies on', async () => {
    await lab.write(documents(0, 2000));
    const lease = { epoch: '1', holder: 'x', check: () => Promise.reject(new Error('cut off')) };
    await lab.backup({ lease }).catch(() => undefined);
    const left = await names();
    expect(left.some((name) => name.startsWith('packs/'))).to.equal(true);
    await lab.write(documents(0, 2000, 1));
    const { manifest } = await lab.backup();
    const excluded = await markedPacks(await lab.repository());
    await pruned({ days: 0 });
    const marked = await markedPacks(await lab.repository());
    expect(excluded.size).to.equal(0);
    expect(marked.size).to.be.greaterThan(0);
    expect(manifest.packs.some(({ id }) => marked.has(id))).to.equal(false);
    // The same content comes back: it is not taken from what is marked.
    await lab.write(documents(0, 2000, 0));
    const again = await lab.backup({ excluded: marked });
    await pruned({ days: 2 });
    expect(await lab.restore(again.manifest, 'again')).to.deep.equal(lab.model);
  }).timeout(60_000);

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
  }).timeout(60_000);
});
