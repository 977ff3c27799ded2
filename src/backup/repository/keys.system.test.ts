import { expect } from 'chai';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import { createLocalKeyFile, openLocalKeyFile } from '../../keys/local-key-file.ts';
import { createOfflineKeyFile, openOfflineKeyFile, openRecipient } from '../../keys/offline-key.ts';
import { systemClock } from '../../platform/clock.ts';
import { BackupLab, documents } from '../../testing/backup-lab.ts';
import { encodeCanonical } from '../format/canonical-json.ts';
import { LogShipper } from '../log/shipper.ts';
import { prune } from '../retention/prune.ts';
import { findBackup, listBackups } from './catalog.ts';
import { putRecord } from './records.ts';
import { openRepository } from './repository.ts';
import { addMissingRecipients, newEpoch, rewrapKeys } from './rewrap.ts';
import { shredEpochKey } from './shred.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: Error) => error.message,
  );

describe('a key service that is lost', () => {
  let lab: BackupLab;
  let offline: string;
  beforeEach(async () => {
    lab = await BackupLab.open();
    offline = join(lab.folder, 'offline');
    await lab.write(documents(0, 200));
  });
  afterEach(() => lab.close());

  it('is not needed by who has an offline key, who can restore and go on with another service', async () => {
    const recipients = [openRecipient(await createOfflineKeyFile(offline))];
    const withRecipient = { ...lab.access, recipients };
    const repository = await openRepository(withRecipient);
    expect(await addMissingRecipients(repository, new Date(), never)).to.equal(1);
    expect(await addMissingRecipients(repository, new Date(), never)).to.equal(0);
    const { manifest } = await lab.backup();
    await createLocalKeyFile(join(lab.folder, 'key2'));
    const service = await openLocalKeyFile(join(lab.folder, 'key2'));
    expect(await failureOf(openRepository({ ...lab.access, service }))).to.match(/opens with .*x25519/);
    const opened = await openRepository({ ...lab.access, service: await openOfflineKeyFile(offline) });
    expect(await lab.restore(await findBackup(opened, 'lab', 'latest'), 'by-offline', { repository: opened })).to.deep.equal(lab.model);
    const next = { ...withRecipient, service };
    const previous = await openOfflineKeyFile(offline);
    await rewrapKeys({ repository: { ...next, repo: manifest.repo }, previous, removeOthers: true, created: new Date() }, never);
    expect(await failureOf(openRepository(lab.access))).to.match(/opens with/);
    const again = await openRepository(next);
    expect(await lab.restore(await findBackup(again, 'lab', manifest.backupId), 'again', { repository: again })).to.deep.equal(lab.model);
    expect((await openRepository({ ...lab.access, service: previous })).keys.kid).to.equal(manifest.kid);
  }).timeout(120_000);

  it('is the same where a wrap is damaged: any other that is whole opens', async () => {
    const recipients = [openRecipient(await createOfflineKeyFile(offline))];
    await addMissingRecipients(await openRepository({ ...lab.access, recipients }), new Date(), never);
    const { manifest } = await lab.backup();
    for (const name of await lab.names('keys/')) {
      const path = join(lab.storeFolder, name);
      const bytes = readFileSync(path);
      const isOffline = bytes.includes('x25519');
      writeFileSync(path, Buffer.concat([bytes, Buffer.from(' ')]));
      const service = isOffline ? lab.access.service : await openOfflineKeyFile(offline);
      expect((await openRepository({ ...lab.access, service })).keys.kid).to.equal(manifest.kid);
      writeFileSync(path, bytes);
    }
  }).timeout(120_000);

  it('is the same where another wrap of the same service does not open: one of before, or damaged', async () => {
    const { kid, repo } = (await lab.backup()).manifest;
    const [name] = await lab.names('keys/');
    const wrap = JSON.parse(readFileSync(join(lab.storeFolder, name!), 'utf8')) as { wrapped: string };
    const bytes = Buffer.from(wrap.wrapped, 'base64');
    bytes[bytes.length - 1]! ^= 1;
    const damaged = { ...wrap, wrapped: bytes.toString('base64') };
    for (const first of ['0', 'f']) {
      const other = join(lab.storeFolder, 'keys', kid, `${first.repeat(32)}.json`);
      writeFileSync(other, encodeCanonical(damaged));
      expect((await openRepository(lab.access)).keys.kid, first).to.equal(kid);
      const result = await rewrapKeys(
        { repository: { ...lab.access, repo }, previous: null, removeOthers: false, created: new Date() },
        never,
      );
      expect(result).to.include({ wrapped: 1 });
      expect(await lab.names('keys/')).to.have.length(1);
    }
  }).timeout(120_000);

  it('is the same where one says another epoch than that of the key', async () => {
    const { kid, repo } = (await lab.backup()).manifest;
    const [name] = await lab.names('keys/');
    const wrap = JSON.parse(readFileSync(join(lab.storeFolder, name!), 'utf8')) as Record<string, string>;
    for (const first of ['0', 'f']) {
      writeFileSync(join(lab.storeFolder, 'keys', kid, `${first.repeat(32)}.json`), encodeCanonical({ ...wrap, epoch: '3' }));
      expect((await openRepository(lab.access)).epoch, first).to.equal(1n);
      await rewrapKeys({ repository: { ...lab.access, repo }, previous: null, removeOthers: false, created: new Date() }, never);
      expect((await openRepository(lab.access)).epoch, first).to.equal(1n);
    }
  }).timeout(120_000);

  it('is not what is wrong where something else lies among the keys, which is named; a key whose only wrap is damaged is damage, and keeps nobody from reading what is under others', async () => {
    const { manifest } = await lab.backup();
    const stray = `keys/${'0'.repeat(32)}/service.json`;
    for (const [name, content] of [
      [stray, ''],
      ['keys/README', 'what is here'],
    ] as const) {
      mkdirSync(dirname(join(lab.storeFolder, name)), { recursive: true });
      writeFileSync(join(lab.storeFolder, name), content);
    }
    const strays = ['keys/README is no key of this repository', `${stray} is no key of this repository`].toSorted();
    const opened = await openRepository(lab.access);
    expect(opened.problems.toSorted()).to.deep.equal(strays);
    expect(opened.keys.kid).to.equal(manifest.kid);
    const { repo } = manifest;
    await rewrapKeys({ repository: { ...lab.access, repo }, previous: null, removeOthers: false, created: new Date() }, never);
    await newEpoch(await openRepository(lab.access), new Date(), never);
    await lab.write(documents(0, 300));
    const next = await lab.backup();
    const [only] = (await lab.names('keys/')).filter((name) => name.includes(next.manifest.kid));
    writeFileSync(join(lab.storeFolder, only!), '');
    // It may be the newest: what is written under another would be under one that is over.
    expect(await failureOf(openRepository(lab.access))).to.match(new RegExp(`${only}`));
    const toRead = await openRepository(lab.access, never, { toRead: true });
    expect(toRead.problems.join()).to.match(
      new RegExp(`under the key ${next.manifest.kid} does not open, its only wrap is damaged: ${only}`),
    );
    expect(await lab.restore(manifest, 'of before', { repository: toRead })).to.have.property('size', 200);
    const entries = await listBackups(toRead, 'lab');
    expect(entries.map(({ problem }) => problem?.includes(only!) ?? null)).to.deep.equal([null, true]);
    const [first] = (await lab.names('keys/')).filter((name) => name.includes(manifest.kid));
    writeFileSync(join(lab.storeFolder, first!), '');
    expect(await failureOf(openRepository(lab.access, never, { toRead: true }))).to.match(/keys\//);
  }).timeout(120_000);

  it('begins a new epoch with all its wraps', async () => {
    const recipients = [openRecipient(await createOfflineKeyFile(offline))];
    await newEpoch(await openRepository({ ...lab.access, recipients }), new Date(), never);
    expect((await openRepository({ ...lab.access, service: await openOfflineKeyFile(offline) })).epoch).to.equal(2n);
  }).timeout(120_000);
});

describe('destroying an epoch key', () => {
  it('makes all under it unreadable, leaves what is under others whole, and prune reclaims the rest', async () => {
    const lab = await BackupLab.open();
    const reader = await openLmdbReader(lab.databaseFolder);
    try {
      await lab.write(documents(0, 500));
      const shipper = async (): Promise<LogShipper> => {
        const repository = await lab.repository();
        return new LogShipper({
          repository: () => Promise.resolve(repository),
          cluster: 'lab',
          reader,
          clock: systemClock,
          anchors: () => Promise.resolve([{ epoch: 0, index: 0 }]),
        });
      };
      const old = await lab.backup();
      const log = await shipper();
      while ((await log.tick(never)).kind !== 'idle');
      const before = await lab.repository();
      const { kid } = before.keys;
      const options = { kid, by: 'test', at: new Date() };
      expect(await failureOf(shredEpochKey({ ...options, repository: before }, never))).to.match(/written now/);
      await newEpoch(before, new Date(), never);
      const repository = await lab.repository();
      await lab.write([['after', 'it']]);
      const { manifest } = await lab.backup({ repository });
      const later = await shipper();
      while ((await later.tick(never)).kind !== 'idle');
      expect((await shredEpochKey({ ...options, repository }, never)).wraps).to.equal(1);
      expect((await shredEpochKey({ ...options, repository: await lab.repository() }, never)).wraps).to.equal(0);
      const after = await lab.repository();
      expect((await listBackups(after, 'lab')).map(({ problem }) => problem?.replace(/.*(destroyed).*/, '$1') ?? null)).to.have.members([
        'destroyed',
        null,
      ]);
      expect(await failureOf(findBackup(after, 'lab', old.manifest.backupId))).to.match(/destroyed/);
      expect(await lab.restore(manifest, 'after')).to.deep.equal(lab.model);
      await putRecord(after, `verify/${manifest.backupId}/20261122T000000000-3.json`, {
        backupId: manifest.backupId,
        level: 3,
        ok: true,
        at: 'x',
      });
      for (let days = 0; days < 5; days++) {
        const rules = { nowMs: Date.now() + days * 2 * DAY_MS, retentionMs: 30 * DAY_MS, minimumBackups: 1 };
        await prune({ repository: after, cluster: 'lab', rules, graceMs: DAY_MS, confirm: true, check: () => Promise.resolve() }, never);
      }
      expect((await lab.names('manifests/')).length).to.equal(1);
      expect((await lab.names('packs/')).length + (await lab.names('index/')).length).to.equal(
        manifest.packs.length + manifest.index.length,
      );
      expect(await lab.restore(manifest, 'pruned')).to.deep.equal(lab.model);
      expect(new Set((await lab.names('log/')).map((name) => name.split('/')[2])).size).to.equal(1);
    } finally {
      await reader.close();
      await lab.close();
    }
  }).timeout(120_000);
});
