import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { systemClock, type Clock } from '../../platform/clock.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import type { Manifest } from '../format/manifest.ts';
import { verifyAndRecord, type VerificationRecord } from '../verify/record.ts';
import { BackupState } from './backup-state.ts';
import { hasParted } from './parted.ts';

const never = new AbortController().signal;

describe('what the service knows of verifications', () => {
  let lab: BackupLab;
  beforeEach(async () => (lab = await BackupLab.open()));
  afterEach(() => lab.close());

  const verified = async (manifest: Manifest, level: 0 | 3, clock: Clock = systemClock): Promise<VerificationRecord> => {
    const options = { repository: await lab.repository(), manifest, level, percent: 100, workers: 0, random: Math.random };
    return await verifyAndRecord({ ...options, onProgress: () => undefined, clock, toolVersion: 'test' }, never);
  };
  const looked = async (level: 0 | 3 = 3) => {
    const state = new BackupState(systemClock);
    const view = await state.look(await lab.repository(), { cluster: { id: 'lab', description: '' }, verify_level: level }, never);
    const samples = new Map(state.samples().map(({ name, value }) => [name.replace('coditect_dr_backup_', ''), value]));
    return { view, samples };
  };

  it('is that no backup covers what is written in a history that parted from the newest', async () => {
    await lab.write(documents(0, 3));
    const { manifest } = await lab.backup();
    const reader = await openLmdbReader(lab.databaseFolder);
    const newest = async (parted = (end: LogEnd): boolean => hasParted(reader, end)): Promise<number | null> => {
      const options = { cluster: { id: 'lab', description: '' }, verify_level: 3 } as const;
      return (await new BackupState(systemClock).look(await lab.repository(), options, never, parted)).newestAtMs;
    };
    const made = Date.parse(manifest.created);
    expect(await newest()).to.equal(made);
    await lab.write(documents(3, 4), 2);
    expect(await newest(), 'goes on from it').to.equal(made);
    const anew = { epoch: 1, index: 3, tail: { first: 1, hash: '0'.repeat(64) } };
    expect(hasParted(reader, anew), 'of another database under the same name').to.equal(true);
    expect(await newest(() => true), 'due at once').to.equal(null);
    expect(hasParted(reader, { epoch: 1, index: 4 }), 'another entry 4').to.equal(true);
    expect(hasParted(reader, { epoch: 1, index: 9 }), 'restored to before it').to.equal(true);
    expect(hasParted(reader, { epoch: 2, index: 9 }), 'only behind').to.equal(false);
    expect(hasParted(reader, { epoch: 3, index: 2 }), 'only behind').to.equal(false);
    await reader.close();
  }).timeout(120_000);

  it('is the last one that was thorough enough, whoever made it, and what it found', async () => {
    await lab.write(documents(0, 20));
    const { manifest } = await lab.backup();
    expect((await looked()).view).to.include({ newestId: manifest.backupId, verification: null });
    await verified(manifest, 0);
    expect((await looked()).view.verification).to.equal(null);
    expect((await looked(0)).view.verification).to.include({ backupId: manifest.backupId, ok: true });
    await verified(manifest, 3);
    const { view, samples } = await looked();
    expect(view.verification).to.include({ backupId: manifest.backupId, ok: true });
    expect(samples.get('verified_age_seconds')).to.be.lessThan(60);
    expect(samples.get('damaged')).to.equal(0);
  }).timeout(120_000);

  it('takes no backup and no verification for new whose time is still to come: a clock was wrong', async () => {
    const fast = { ...systemClock, wall: () => new Date(Date.now() + 10 * 365 * 86_400_000) };
    await lab.write(documents(0, 3));
    const { manifest } = await lab.backup({ clock: fast });
    await verified(manifest, 3, fast);
    const before = await looked();
    expect(before.samples.get('age_seconds')).to.equal(Number.POSITIVE_INFINITY);
    expect(before.samples.get('verified_age_seconds')).to.equal(Number.POSITIVE_INFINITY);
    const again = await lab.backup();
    await verified(again.manifest, 3);
    const { view, samples } = await looked();
    expect(view.newestAtMs).to.equal(Date.parse(again.manifest.created));
    expect(view.verification, 'else one would always be due').to.include({ backupId: again.manifest.backupId });
    expect(samples.get('verified_age_seconds')).to.be.lessThan(60);
  }).timeout(120_000);

  it('tells damage until the backup is verified again and sound', async () => {
    await lab.write(documents(0, 20));
    const { manifest } = await lab.backup();
    await verified(manifest, 3);
    const [pack] = await lab.names('packs/');
    const file = join(lab.storeFolder, pack!);
    const body = readFileSync(file);
    const changed = Buffer.from(body);
    changed[changed.length >> 1]! ^= 1;
    writeFileSync(file, changed);
    expect((await verified(manifest, 3)).problems.join()).to.include(pack);
    const damaged = await looked();
    expect(damaged.view.verification).to.include({ ok: false });
    expect(damaged.samples.get('damaged')).to.equal(1);
    expect(damaged.samples.get('verified_age_seconds')).to.equal(Number.POSITIVE_INFINITY);
    writeFileSync(file, body);
    await verified(manifest, 3);
    expect((await looked()).samples.get('damaged')).to.equal(0);
    const [name] = await lab.names('manifests/');
    const path = join(lab.storeFolder, name!);
    const sound = readFileSync(path);
    writeFileSync(path, sound.subarray(1));
    expect((await looked()).samples.get('damaged'), 'its manifest does not open').to.equal(1);
  }).timeout(120_000);
});
