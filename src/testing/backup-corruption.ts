import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../backup/format/manifest.ts';
import { decodeRangeFile } from '../backup/format/records.ts';
import { planPointInTime } from '../backup/log/point-in-time.ts';
import { LogShipper } from '../backup/log/shipper.ts';
import { openBlobMap } from '../backup/repository/blob-reader.ts';
import { findBackup } from '../backup/repository/catalog.ts';
import { readFileList } from '../backup/repository/file-list.ts';
import { putRecord, timePart } from '../backup/repository/records.ts';
import { openRepository, type Repository } from '../backup/repository/repository.ts';
import { addMissingRecipients } from '../backup/repository/rewrap.ts';
import { readRuns } from '../backup/restore/run-reader.ts';
import { runsOf } from '../backup/restore/runs.ts';
import { putHold, readHolds } from '../backup/retention/holds.ts';
import { putMarks } from '../backup/retention/marks.ts';
import { openLmdbReader } from '../database/lmdb-reader.ts';
import { createOfflineKeyFile, openRecipient } from '../keys/offline-key.ts';
import type { ObjectStore } from '../objectstore/object-store.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { BackupLab } from './backup-lab.ts';
import { memoryStore, objectsOf } from './changed-store.ts';

export interface CorruptionOptions {
  /** Every so manyth byte. */
  readonly step: number;
  /** After every so many changes the backup is restored into a database as well. */
  readonly restoreEach: number;
  readonly onLine: (line: string) => void;
}

export interface CorruptionResult {
  readonly repositoryBytes: number;
  readonly objects: number;
  readonly changes: number;
  readonly refused: number;
  /** Read all the same, with all content right. */
  readonly harmless: number;
  readonly harmlessIn: readonly string[];
  readonly restores: number;
  /** Of these: after them the database was as empty as before. */
  readonly restoresRefused: number;
}

const EXPECTED = new Set([
  'backup-damaged',
  'backup-unsupported',
  'backup-differs',
  'key-service-failed',
  'bad-request',
  'object-store-failed',
]);
const never = new AbortController().signal;

/**
 * Changes each byte of each object of a small repository (every `step`-th of them), cuts, continues, swaps and removes objects, and reads its backups, its log and its hold each time: it must be
 * refused with an error of ours, or give just what was backed up; a restore that is refused leaves an empty database. Throws at the first that does neither.
 */
export async function runCorruption({ step, restoreEach, onLine }: CorruptionOptions): Promise<CorruptionResult> {
  const lab = await BackupLab.open();
  try {
    const backed = await fillRepository(lab);
    const objects = await objectsOf(lab.access.store);
    const count = { changes: 0, refused: 0, harmless: 0, restores: 0, restoresRefused: 0 };
    const harmlessIn = new Set<string>();
    for (const [name, body] of objects) {
      for (const changed of changesOf({ name, body, objects, step })) {
        const store = memoryStore(objects, changed);
        if ((await tryRead(lab, store, backed)) === 'refused') count.refused++;
        else {
          count.harmless++;
          harmlessIn.add(name.split('/')[0]!);
        }
        if (count.changes++ % restoreEach !== 0) continue;
        count.restores++;
        if ((await tryRestore(lab, store, backed)) === 'refused') count.restoresRefused++;
      }
      onLine(`${name}: ${body.length} bytes; ${count.changes} changes so far, ${count.refused} refused, ${count.harmless} harmless`);
    }
    const repositoryBytes = [...objects.values()].reduce((sum, { length }) => sum + length, 0);
    return { repositoryBytes, objects: objects.size, ...count, harmlessIn: [...harmlessIn] };
  } finally {
    await lab.close();
  }
}

interface Backed {
  readonly backups: readonly { readonly backupId: string; readonly content: ReadonlyMap<string, string> }[];
  /** What the log leads to. */
  readonly version: number;
  readonly content: ReadonlyMap<string, string>;
  readonly heldId: string;
}

/** Two backups, the second incremental, a log that goes on after them, a wrap to an offline key, a hold, a verification, a tombstone, a mark. */
async function fillRepository(lab: BackupLab): Promise<Backed> {
  const recipients = [openRecipient(await createOfflineKeyFile(join(lab.folder, 'offline')))];
  await addMissingRecipients(await openRepository({ ...lab.access, recipients }), new Date(), never);
  const repository = await lab.repository();
  const backups: Backed['backups'][number][] = [];
  const reader = await openLmdbReader(lab.databaseFolder);
  const shipper = new LogShipper({
    repository: () => Promise.resolve(repository),
    cluster: 'lab',
    reader,
    clock: systemClock,
    anchors: () => Promise.resolve([{ index: 0, epoch: 0 }]),
  });
  await lab.write(Array.from({ length: 12 }, (_, n) => [`key ${n}`, `value ${n} `.repeat(n)] as const));
  for (const changes of [[['key 3', 'changed'] as const], [['key 4', null] as const]]) {
    const { manifest } = await lab.backup({ workers: 1 });
    backups.push({ backupId: manifest.backupId, content: new Map(lab.model) });
    await lab.write(changes);
    while ((await shipper.tick(never)).kind !== 'idle');
  }
  await reader.close();
  const [{ backupId: heldId }, { backupId }] = backups as [Backed['backups'][number], Backed['backups'][number]];
  const at = new Date();
  await putHold(repository, { backupId: heldId, held: true, by: 'test', why: 'to be kept', at });
  await putRecord(repository, `verify/${backupId}/${timePart(at)}-3.json`, { backupId, level: 3, ok: true, at: at.toISOString() });
  await putRecord(repository, `tomb/${heldId}.json`, { backupId: heldId, at: at.toISOString() });
  await putMarks(repository, [{ name: 'packs/00/nothing', generation: '1' }], at);
  return { backups, version: lab.version, content: new Map(lab.model), heldId };
}

function* changesOf({
  name,
  body,
  objects,
  step,
}: {
  readonly name: string;
  readonly body: Buffer;
  readonly objects: ReadonlyMap<string, Buffer>;
  readonly step: number;
}): Generator<ReadonlyMap<string, Buffer | null>> {
  for (let at = 0; at < body.length; at += step) {
    for (const difference of [1, 0xff]) {
      const changed = Buffer.from(body);
      changed[at] = changed[at]! ^ difference;
      yield new Map([[name, changed]]);
    }
  }
  for (let cut = 0; cut < body.length; cut += 16 * step) yield new Map([[name, body.subarray(0, cut)]]);
  yield new Map([[name, Buffer.concat([body, Buffer.of(0)])]]);
  yield new Map([[name, null]]);
  for (const [other, its] of objects)
    if (other !== name)
      yield new Map([
        [name, its],
        [other, body],
      ]);
}

/** Reads both backups as a restore does, what the log leads to, and the hold. */
async function tryRead(lab: BackupLab, store: ObjectStore, { backups, version, content, heldId }: Backed): Promise<'refused' | 'right'> {
  const outcomes: ('refused' | 'right')[] = [];
  for (const backup of backups)
    outcomes.push(
      await attempt(async () => {
        const repository = await openRepository({ ...lab.access, store });
        const read = await contentOf(repository, await findBackup(repository, 'lab', backup.backupId));
        if (!same(read, backup.content)) throw new Error(`a damaged backup ${backup.backupId} gave other content than was backed up`);
      }),
    );
  outcomes.push(
    await attempt(async () => {
      const repository = await openRepository({ ...lab.access, store });
      const { manifest, log } = await planPointInTime(repository, 'lab', { version }, never);
      const read = new Map(await contentOf(repository, manifest));
      for await (const { changes } of log?.batches(Number(manifest.readVersion), never) ?? []) {
        for (const change of changes) {
          if (!('key' in change)) throw new Error('a range was cleared that nobody cleared');
          const { key, value } = change;
          if (value === null) read.delete(text(key));
          else read.set(text(key), text(value));
        }
      }
      if (!same(read, content)) throw new Error('a damaged log gave other content than was written');
    }),
    await attempt(async () => {
      const repository = await openRepository({ ...lab.access, store });
      const there = await store.list(`hold/${heldId}/`)[Symbol.asyncIterator]().next();
      if (there.done !== true && !(await readHolds(repository)).has(heldId)) throw new Error('a damaged hold does not hold');
    }),
  );
  return outcomes.includes('refused') ? 'refused' : 'right';
}

async function attempt(work: () => Promise<void>): Promise<'refused' | 'right'> {
  try {
    await work();
    return 'right';
  } catch (error) {
    if (!(error instanceof EngineError) || !EXPECTED.has(error.code)) throw error;
    return 'refused';
  }
}

/** Restores into a database; whoever opens it then finds the whole backup, or nothing. */
async function tryRestore(lab: BackupLab, store: ObjectStore, { backups }: Backed): Promise<'refused' | 'right'> {
  const { backupId, content } = backups.at(-1)!;
  const folder = 'restored';
  mkdirSync(join(lab.folder, folder, 'db'), { recursive: true });
  try {
    const outcome = await attempt(async () => {
      const repository = await openRepository({ ...lab.access, store });
      await lab.restoreOnly(await findBackup(repository, 'lab', backupId), folder, { repository, workers: 0 });
    });
    const found = await lab.contentOf(folder);
    if (outcome === 'refused' ? found.size > 0 : !same(found, content))
      throw new Error(`a restore that was ${outcome} left ${found.size} records live`);
    return outcome;
  } finally {
    rmSync(join(lab.folder, folder), { recursive: true, force: true });
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

async function contentOf(repository: Repository, manifest: Manifest): Promise<ReadonlyMap<string, string>> {
  const map = await openBlobMap(repository, manifest, never);
  const list = await readFileList(repository, map, manifest.ranges[0]!, never);
  const content = new Map<string, string>();
  for await (const plains of readRuns({ repository, map, workers: 0, contents: true }, runsOf(list, map), never)) {
    for (const plain of plains) {
      for (const { key, value } of decodeRangeFile(plain).records) content.set(text(key), text(value));
    }
  }
  return content;
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
