import type { Manifest } from '../backup/format/manifest.ts';
import { decodeRangeFile } from '../backup/format/records.ts';
import { openBlobMap } from '../backup/repository/blob-reader.ts';
import { findBackup } from '../backup/repository/catalog.ts';
import { readFileList } from '../backup/repository/file-list.ts';
import { openRepository, type Repository } from '../backup/repository/repository.ts';
import { readRuns } from '../backup/restore/run-reader.ts';
import { runsOf } from '../backup/restore/runs.ts';
import { EngineError } from '../platform/errors.ts';
import type { ObjectStore, StoredObject } from '../objectstore/object-store.ts';
import { BackupLab } from './backup-lab.ts';

export interface CorruptionResult {
  readonly repositoryBytes: number;
  readonly objects: number;
  readonly changes: number;
  readonly refused: number;
  /** Read all the same, with all content right. */
  readonly harmless: number;
  readonly harmlessIn: readonly string[];
}

const EXPECTED = new Set(['backup-damaged', 'backup-unsupported', 'key-service-failed', 'bad-request', 'object-store-failed']);
const never = new AbortController().signal;

/**
 * Changes each byte of each object of a small repository (every `step`-th of them), cuts, continues, swaps and removes objects, and reads the backup each time: it must be
 * refused with an error of ours, or give just what was backed up. Throws at the first that does neither.
 */
export async function runCorruption(step: number, onLine: (line: string) => void): Promise<CorruptionResult> {
  const lab = await BackupLab.open();
  try {
    const backups: Backed[] = [];
    for (const changes of [
      Array.from({ length: 12 }, (_, n) => [`key ${n}`, `value ${n} `.repeat(n)] as const),
      [['key 3', 'changed'] as const],
    ]) {
      await lab.write(changes);
      const { manifest } = await lab.backup({ workers: 1 });
      backups.push({ backupId: manifest.backupId, content: new Map(lab.model) });
    }
    const objects = await objectsOf(lab.access.store);
    const count = { changes: 0, refused: 0, harmless: 0 };
    const harmlessIn = new Set<string>();
    const attempt = async (name: string, changed: ReadonlyMap<string, Buffer | null>): Promise<void> => {
      count.changes++;
      const outcome = await tryRead(lab, memoryStore(objects, changed), backups);
      if (outcome === 'refused') count.refused++;
      else {
        count.harmless++;
        harmlessIn.add(name.split('/')[0]!);
      }
    };
    for (const [name, body] of objects) {
      for (let at = 0; at < body.length; at += step) {
        for (const difference of [1, 0xff]) {
          const changed = Buffer.from(body);
          changed[at] = changed[at]! ^ difference;
          await attempt(name, new Map([[name, changed]]));
        }
      }
      for (let cut = 0; cut < body.length; cut += 16 * step) await attempt(name, new Map([[name, body.subarray(0, cut)]]));
      await attempt(name, new Map([[name, Buffer.concat([body, Buffer.of(0)])]]));
      await attempt(name, new Map([[name, null]]));
      for (const [other, its] of objects)
        if (other !== name)
          await attempt(
            name,
            new Map([
              [name, its],
              [other, body],
            ]),
          );
      onLine(`${name}: ${body.length} bytes; ${count.changes} changes so far, ${count.refused} refused, ${count.harmless} harmless`);
    }
    const repositoryBytes = [...objects.values()].reduce((sum, { length }) => sum + length, 0);
    return { repositoryBytes, objects: objects.size, ...count, harmlessIn: [...harmlessIn] };
  } finally {
    await lab.close();
  }
}

interface Backed {
  readonly backupId: string;
  readonly content: ReadonlyMap<string, string>;
}

/** Reads both backups, as a restore does. */
async function tryRead(lab: BackupLab, store: ObjectStore, backups: readonly Backed[]): Promise<'refused' | 'right'> {
  let outcome: 'refused' | 'right' = 'right';
  for (const { backupId, content } of backups) {
    try {
      const repository = await openRepository({ ...lab.access, store });
      const read = await contentOf(repository, await findBackup(repository, 'lab', backupId));
      if (!same(read, content)) throw new Error(`a damaged backup ${backupId} gave other content than was backed up`);
    } catch (error) {
      if (!(error instanceof EngineError) || !EXPECTED.has(error.code)) throw error;
      outcome = 'refused';
    }
  }
  return outcome;
}

async function contentOf(repository: Repository, manifest: Manifest): Promise<ReadonlyMap<string, string>> {
  const map = await openBlobMap(repository, manifest, never);
  const list = await readFileList(repository, map, manifest.ranges[0]!, never);
  const content = new Map<string, string>();
  for await (const plains of readRuns({ repository, map, workers: 0, contents: true }, runsOf(list, map), never)) {
    for (const plain of plains) {
      for (const { key, value } of decodeRangeFile(plain).records) content.set(Buffer.from(key).toString(), Buffer.from(value).toString());
    }
  }
  return content;
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

async function objectsOf(store: ObjectStore): Promise<ReadonlyMap<string, Buffer>> {
  const objects = new Map<string, Buffer>();
  for await (const { name, bytes } of store.list('')) {
    const found = await store.get(name, { maxBytes: bytes });
    if (found.outcome === 'found') objects.set(name, found.body);
  }
  return objects;
}

/** The objects, some of them replaced or gone, to be read only. */
function memoryStore(objects: ReadonlyMap<string, Buffer>, changed: ReadonlyMap<string, Buffer | null>): ObjectStore {
  const bodyOf = (name: string): Buffer | null => (changed.has(name) ? (changed.get(name) ?? null) : (objects.get(name) ?? null));
  const describe = (name: string, body: Buffer): StoredObject => ({ name, bytes: body.length, crc32c: null, generation: '1' });
  const readOnly = (): Promise<never> => Promise.reject(new Error('read only'));
  return {
    supports: { conditionalReplace: false, storedChecksums: false },
    put: readOnly,
    delete: readOnly,
    stat: (name) => {
      const body = bodyOf(name);
      return Promise.resolve(body === null ? null : describe(name, body));
    },
    get: (name, { range, maxBytes }) => {
      const body = bodyOf(name);
      if (body === null) return Promise.resolve({ outcome: 'not-found' });
      const part = range === undefined ? body : body.subarray(range.begin, range.end);
      if (part.length > maxBytes) return Promise.reject(new EngineError('object-store-failed', 'too large'));
      return Promise.resolve({ outcome: 'found', body: Buffer.from(part), generation: '1' });
    },
    list: async function* (prefix) {
      for (const name of [...objects.keys()].toSorted()) {
        const body = bodyOf(name);
        if (name.startsWith(prefix) && body !== null) yield describe(name, body);
      }
    },
  };
}
