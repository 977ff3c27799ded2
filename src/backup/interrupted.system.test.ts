import { expect } from 'chai';
import { join } from 'node:path';
import type { ObjectStore } from '../objectstore/object-store.ts';
import { createOfflineKeyFile, openRecipient } from '../keys/offline-key.ts';
import { BackupLab, documents } from '../testing/backup-lab.ts';
import { listBackups } from './repository/catalog.ts';
import { putRecord } from './repository/records.ts';
import { openRepository, type Repository } from './repository/repository.ts';
import { newEpoch, rewrapKeys } from './repository/rewrap.ts';
import { prune } from './retention/prune.ts';
import { verifyBackup } from './verify/verify.ts';

const never = new AbortController().signal;
const DAY_MS = 86_400_000;

/** The store as a process sees it that ends after so many changes: nothing more happens. */
function endingAfter(store: ObjectStore, changes: number): { readonly store: ObjectStore; readonly ended: () => boolean } {
  let left = changes;
  const change = <T>(work: () => Promise<T>): Promise<T> => (left-- > 0 ? work() : Promise.reject(new Error('the process has ended')));
  return {
    store: {
      ...store,
      put: (name, body, options) => change(() => store.put(name, body, options)),
      delete: (name, options) => change(() => store.delete(name, options)),
    },
    ended: () => left < 0,
  };
}

describe('work on backups that ends after any of its changes to the store', () => {
  let lab: BackupLab;
  let days = 60;
  beforeEach(async () => {
    lab = await BackupLab.open();
    days = 60;
  });
  afterEach(() => lab.close());

  /** Runs it ending after 0, 1, 2 … changes, until it comes to its end; checks after each that every backup there is is whole. */
  async function endEverywhere(work: (repository: Repository) => Promise<unknown>): Promise<number> {
    for (let changes = 0; ; changes++) {
      const { store, ended } = endingAfter(lab.access.store, changes);
      const repository = await openRepository({ ...lab.access, store });
      const failure: unknown = await work(repository).then(
        () => null,
        (error: unknown) => error,
      );
      if (failure !== null && !ended()) throw failure;
      for (const { manifest, problem } of await listBackups(await lab.repository(), 'lab')) {
        expect(problem, `after ${changes} changes`).to.equal(null);
        const options = { repository: await lab.repository(), manifest: manifest!, level: 3, percent: 100, workers: 0 } as const;
        const { problems } = await verifyBackup({ ...options, random: Math.random, onProgress: () => undefined }, never);
        expect(problems, `after ${changes} changes`).to.deep.equal([]);
      }
      if (failure === null) return changes;
    }
  }

  const verified = async (backupId: string): Promise<void> =>
    await putRecord(await lab.repository(), `verify/${backupId}/20261122T0000000-3.json`, {
      backupId,
      level: 3,
      ok: true,
      at: '2026-11-22T00:00:00Z',
    });
  const pruneOnce = (repository: Repository): Promise<unknown> => {
    const rules = { nowMs: Date.now() + days * DAY_MS, retentionMs: 30 * DAY_MS, minimumBackups: 1 };
    return prune({ repository, cluster: 'lab', rules, graceMs: DAY_MS, confirm: true, check: () => Promise.resolve() }, never);
  };

  it('leaves every backup whole; the next run comes to its end; prune leaves only what a backup needs', async () => {
    const small = { workers: 1, packBytes: 16 * 1024 };
    await lab.write(documents(0, 60));
    expect(await endEverywhere((repository) => lab.backup({ ...small, repository }))).to.be.at.least(4);
    await lab.write(documents(0, 60, 1));
    await endEverywhere((repository) => lab.backup({ ...small, repository }));
    const newest = (await listBackups(await lab.repository(), 'lab')).at(-1)!.manifest!;
    await verified(newest.backupId);
    let changes = 0;
    for (let pass = 0; pass < 4; pass++) {
      changes += await endEverywhere(pruneOnce);
      days += 2;
    }
    expect(changes).to.be.at.least(5);
    const [packs, indexes] = [await lab.names('packs/'), await lab.names('index/')];
    expect(packs.length + indexes.length).to.equal(newest.packs.length + newest.index.length);
    expect(await lab.names('tomb/')).to.deep.equal([]);
    expect(await lab.names('mark/')).to.deep.equal([]);
    expect(await lab.names('verify/')).to.have.length(1);
    expect(await lab.restore(newest, 'kept')).to.deep.equal(lab.model);
  }).timeout(120_000);

  it('leaves every key open: rewrapping, and beginning a new epoch', async () => {
    await lab.write(documents(0, 10));
    await lab.backup();
    const recipients = [openRecipient(await createOfflineKeyFile(join(lab.folder, 'offline')))];
    await endEverywhere((repository) =>
      rewrapKeys({ repository: { ...repository, recipients }, previous: null, removeOthers: true, created: new Date() }, never),
    );
    expect(await lab.names('keys/')).to.have.length(2);
    await endEverywhere((repository) => newEpoch({ ...repository, recipients }, new Date(), never));
    await lab.backup();
    const created = new Date();
    await endEverywhere((repository) =>
      rewrapKeys({ repository: { ...repository, recipients }, previous: null, removeOthers: true, created }, never),
    );
    const wraps = await lab.names('keys/');
    expect(wraps.length).to.equal(2 * (await lab.repository()).epochs.length);
  }).timeout(120_000);
});
