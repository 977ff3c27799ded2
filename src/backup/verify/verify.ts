import type { Manifest } from '../format/manifest.ts';
import { indexName, packName } from '../format/object-name.ts';
import { checkPack, openBlobMap, type BlobMap } from '../repository/blob-reader.ts';
import { readFileList, type BackupFiles } from '../repository/file-list.ts';
import { signalOf, type Repository } from '../repository/repository.ts';
import { readRuns } from '../restore/run-reader.ts';
import { runsOf, type Run } from '../restore/runs.ts';
import { isDamage } from './damage.ts';

/** 0: all objects are there, with their lengths (and checksums, where the store keeps them); 1: signatures, keys, indexes, lists; 2: some packs; 3: everything, read. */
export type VerifyLevel = 0 | 1 | 2 | 3;

export interface VerifyOptions {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly level: VerifyLevel;
  /** At level 2: how much is read. */
  readonly percent: number;
  readonly workers: number;
  readonly random: () => number;
  readonly onProgress: (progress: { readonly phase: string; readonly doneBytes: number; readonly totalBytes: number }) => void;
}

export interface Verified {
  readonly level: VerifyLevel;
  readonly problems: readonly string[];
  readonly readBytes: number;
  /** Of the range files, read and checked. */
  readonly readShare: number;
}

/** Checks a backup whose manifest was opened, which checked its signature. What is damaged is listed, each with its object; what cannot be asked throws. */
export async function verifyBackup(options: VerifyOptions, signal: AbortSignal): Promise<Verified> {
  const { repository, manifest, level } = options;
  const problems = [...(await missingObjects(repository, manifest, signal))];
  if (level === 0) return { level, problems, readBytes: 0, readShare: 0 };
  try {
    const map = await openBlobMap(repository, manifest, signal);
    const read = { bytes: 0, files: 0, total: 0 };
    for (const range of manifest.ranges) {
      const list = await listOf(options, { map, range, problems }, signal);
      if (list === null) continue;
      const all = runsOf(list, map);
      const bytesOf = new Map(list.files.map(({ id, bytes }) => [id, bytes]));
      read.total += list.files.length;
      const totalBytes = list.files.reduce((sum, { bytes }) => sum + bytes, 0) * (level === 2 ? options.percent / 100 : 1);
      let rest = chosenOf(all, options);
      while (rest.length > 0) {
        let at = 0;
        try {
          for await (const _checked of readRuns({ repository, map, workers: options.workers, contents: false }, rest, signal)) {
            const { files } = rest[at++]!;
            read.files += files.length;
            read.bytes += files.reduce((sum, { id }) => sum + (bytesOf.get(id) ?? 0), 0);
            options.onProgress({ phase: 'verifying', doneBytes: read.bytes, totalBytes });
          }
          break;
        } catch (error) {
          // All that is damaged is told, not only the first of it.
          if (!isDamage(error)) throw error;
          problems.push((error as Error).message);
          rest = rest.slice(at + 1).filter(({ pack }) => pack !== rest[at]!.pack);
        }
      }
    }
    return { level, problems, readBytes: read.bytes, readShare: read.total > 0 ? read.files / read.total : problems.length > 0 ? 0 : 1 };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { level, problems: [...problems, (error as Error).message], readBytes: 0, readShare: 0 };
  }
}

/** Null where it is damaged: then nobody knows what lies where, and the packs are read as they are, so that all that is damaged is told. */
async function listOf(
  { repository, manifest, level }: VerifyOptions,
  { map, range, problems }: { readonly map: BlobMap; readonly range: Manifest['ranges'][number]; readonly problems: string[] },
  signal: AbortSignal,
): Promise<BackupFiles | null> {
  const tell = (error: unknown): null => {
    if (!isDamage(error)) throw error;
    problems.push((error as Error).message);
    return null;
  };
  try {
    return await readFileList(repository, map, range, signal);
  } catch (error) {
    tell(error);
  }
  const rest = manifest.packs.filter(({ id }) => level >= 2 && !problems.some((problem) => problem.includes(packName(id))));
  for (const { id } of rest) await checkPack(repository, map, id, signal).catch(tell);
  return null;
}

/** What is read at a level; at level 2 at least something. */
function chosenOf(runs: readonly Run[], { level, percent, random }: VerifyOptions): readonly Run[] {
  if (level !== 2) return level < 2 ? [] : runs;
  const chosen = runs.filter(() => random() * 100 < percent);
  return chosen.length > 0 ? chosen : runs.slice(Math.floor(random() * runs.length)).slice(0, 1);
}

/** Objects that the manifest names and that are not there as it says. */
async function missingObjects({ store }: Repository, manifest: Manifest, signal: AbortSignal): Promise<readonly string[]> {
  const epoch = BigInt(manifest.epoch);
  const wanted = new Map([
    ...manifest.packs.map((pack) => [packName(pack.id), pack] as const),
    ...manifest.index.map((index) => [indexName(epoch, index.id), index] as const),
  ]);
  const problems: string[] = [];
  for (const prefix of ['packs/', `index/${epoch}/`]) {
    for await (const object of store.list(prefix, signalOf(signal))) {
      const stated = wanted.get(object.name);
      wanted.delete(object.name);
      if (stated === undefined) continue;
      if (object.bytes !== stated.bytes) problems.push(`${object.name} has ${object.bytes} bytes, the manifest says ${stated.bytes}`);
      else if (object.crc32c !== null && object.crc32c !== stated.crc32c)
        problems.push(`${object.name} has another CRC32C than the manifest says`);
    }
  }
  return [...problems, ...[...wanted.keys()].map((name) => `${name} is missing`)];
}
