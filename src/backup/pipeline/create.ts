import { randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { Segment } from '../chunking/range-cutter.ts';
import { backupId, listRoot } from '../format/ids.ts';
import { sealManifest, type Manifest } from '../format/manifest.ts';
import { openBlobMap } from '../repository/blob-reader.ts';
import { highestOrder, listBackups, trustedOf, type BackupEntry } from '../repository/catalog.ts';
import { readFileList, type BackupFile, type BackupFiles } from '../repository/file-list.ts';
import { requireSigningKey, type Repository } from '../repository/repository.ts';
import { loadKnown, type KnownBlobs } from './known.ts';
import { storeLists } from './lists.ts';
import { manifestOf, type BackupFacts } from './manifest-of.ts';
import { scanJobs, type Piece } from './plan.ts';
import { PackStore } from './pack-store.ts';
import { refsOf, refuseMarked } from './refs.ts';
import { refuseBehind, refuseReplaced } from './refuse.ts';
import type { BackupSource, OpenSource, PinnedSource } from './source.ts';
import { WorkerPool } from './worker-pool.ts';
import type { CutSegment } from './worker-messages.ts';
import type { PackSettings } from './pack-builder.ts';

/** Who may write backups now. */
export interface WriterLease {
  readonly epoch: string;
  readonly holder: string;
  /** Asked right before the commit, and while objects are deleted. @throws EngineError lease-lost */
  check(): Promise<void>;
}

export interface CreateOptions extends BackupFacts {
  readonly repository: Repository;
  readonly source: BackupSource;
  readonly workers: number;
  readonly level: number | null;
  readonly packBytes: number;
  readonly lease: WriterLease;
  /** Reads everything, though the log would tell what changed. */
  readonly fullScan: boolean;
  readonly clock: Clock;
  readonly onProgress: (progress: CreateProgress) => void;
  /** Names of packs and indexes that it must not rely on: marked for deletion, or damaged. */
  readonly excluded: ReadonlySet<string>;
  /** Names of what may be deleted soon, asked right before the commit: whoever prunes for another cluster of the repository holds another right to write. */
  readonly marked: () => Promise<ReadonlySet<string>>;
  /** Told of each step of the commit order when it is done, and waited for. */
  readonly onStep?: (step: CreateStep) => Promise<void>;
}

/**
 * The commit order, between which a process may end: nothing stored but read transactions pinned, the first pack, all packs, the last index, the right to write confirmed, the manifest.
 * Where nothing is new there is no pack. Only the last of them makes a backup.
 */
export type CreateStep = 'pinned' | 'pack_stored' | 'packed' | 'index_stored' | 'lease_checked' | 'committed';

export interface CreateProgress {
  readonly phase: 'reading the repository' | 'packing' | 'committing';
  readonly plainBytes: number;
  /** Estimated; what the log says did not change is not in it. */
  readonly totalBytes: number;
  readonly storedBytes: number;
}

export interface Created {
  readonly manifest: Manifest;
  readonly name: string;
  /** Read from the database, which is less than its size where the log told what changed. */
  readonly scannedBytes: number;
  readonly uploadedBytes: number;
  readonly adoptedPacks: number;
  readonly elapsedMs: number;
}

const PROGRESS_MS = 200;

/**
 * Makes one backup: packs, then indexes, then the lease is checked once more, then the signed manifest, which commits it. Interrupted at any point it leaves
 * no backup, and what it stored until its last index is not stored again by the next run.
 */
export async function createBackup(options: CreateOptions, signal: AbortSignal): Promise<Created> {
  const { repository, clock } = options;
  const signingKey = requireSigningKey(repository);
  const step = options.onStep ?? (() => Promise.resolve());
  const startMs = clock.monotonicMs();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const source = await options.source.open();
  try {
    options.onProgress({ phase: 'reading the repository', plainBytes: 0, totalBytes: 0, storedBytes: 0 });
    const entries = await listBackups(repository, options.cluster.id, either);
    refuseReplaced(entries, options.lease);
    refuseBehind(entries, await source.newest());
    const parent = newestUsable(repository, entries);
    const known = await loadKnown(repository, trustedOf(entries), options.excluded, either);
    const before = parent === null ? null : await filesOf(repository, parent, either);
    const packs = new PackStore({ repository, excluded: options.excluded, onFirst: () => step('pack_stored') }, either);
    const { files, pinned, scannedBytes } = await packData({ options, source, known, parent, before, packs, step }, either);
    await step('packed');
    options.onProgress({ phase: 'committing', plainBytes: scannedBytes, totalBytes: scannedBytes, storedBytes: packs.storedBytes });
    const lists = await storeLists(files, settingsOf(options), known, packs);
    await packs.checkpoint();
    await step('index_stored');
    const refs = await refsOf(files, lists, known, packs);
    const id = backupId(clock.wall().getTime(), randomBytes(10));
    const fileIds = files.map((file) => file.id);
    const root = listRoot(repository.keys.id, fileIds).toString('hex');
    const order = highestOrder(entries) + 1;
    const manifest = manifestOf(options, { id, parent, order, pinned, files, lists, root, refs, created: clock.wall() });
    refuseMarked(refs, repository.epoch, await options.marked());
    const sealed = sealManifest(manifest, repository.keys, signingKey);
    await options.lease.check();
    await step('lease_checked');
    const result = await repository.store.put(sealed.name, sealed.bytes, { signal: either });
    if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${sealed.name} is taken`);
    await step('committed');
    return {
      manifest,
      name: sealed.name,
      scannedBytes,
      uploadedBytes: packs.storedBytes + sealed.bytes.length,
      adoptedPacks: packs.adopted,
      elapsedMs: clock.monotonicMs() - startMs,
    };
  } finally {
    stop.abort(new EngineError('backup-failed', 'the backup has ended'));
    await source.close();
  }
}

interface Packing {
  readonly options: CreateOptions;
  readonly source: OpenSource;
  readonly known: KnownBlobs;
  readonly parent: Manifest | null;
  readonly before: BackupFiles | null;
  readonly packs: PackStore;
  readonly step: (step: CreateStep) => Promise<void>;
}

interface Packed {
  readonly files: readonly BackupFile[];
  readonly pinned: PinnedSource;
  readonly scannedBytes: number;
}

async function packData({ options, source, known, parent, before, packs, step }: Packing, signal: AbortSignal): Promise<Packed> {
  const { repository, workers } = options;
  const progress = new SharedArrayBuffer(8);
  const scanned = (): number => Number(Atomics.load(new BigInt64Array(progress), 0));
  const pool = new WorkerPool({
    workers,
    folder: source.workerFolder,
    settings: settingsOf(options),
    chunkKey: repository.keys.chunk,
    known: known.table.memory,
    progress,
    store: (pack) => packs.put(pack),
  });
  const abort = (): void => pool.fail(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  let totalBytes = 0;
  const ticker = setInterval(
    () => options.onProgress({ phase: 'packing', plainBytes: scanned(), totalBytes, storedBytes: packs.storedBytes }),
    PROGRESS_MS,
  );
  try {
    const pinned = await source.pin(pool, signal);
    await step('pinned');
    const pieces = options.fullScan ? null : pinned.piecesSince({ parent, before, known });
    totalBytes = pieces === null ? pinned.totalBytes : bytesToScan(pieces, before);
    const cut = await pool.run(pieces === null ? pinned.wholeScan(workers, signal) : scanJobs(pieces, workers));
    return { files: pieces === null ? joined(cut) : spliced(pieces, cut), pinned, scannedBytes: scanned() };
  } finally {
    clearInterval(ticker);
    signal.removeEventListener('abort', abort);
    await pool.close();
  }
}

function bytesToScan(pieces: readonly Piece[], before: BackupFiles | null): number {
  const kept = new Set(pieces.flatMap((piece) => ('keep' in piece ? [piece.keep] : [])));
  return (before?.files ?? []).reduce((sum, file) => sum + (kept.has(file) ? 0 : file.bytes), 0);
}

function joined(cut: readonly CutSegment[]): readonly BackupFile[] {
  const whole = cut.filter(({ empty }) => !empty);
  for (const [n, segment] of whole.entries()) {
    const next = whole[n + 1];
    const fits =
      next === undefined ? segment.end === null : segment.end !== null && Buffer.compare(segment.end, next.files[0]!.begin) === 0;
    if (!fits) throw new EngineError('internal', `part ${n} of the scan does not end where the next begins`);
  }
  return whole.flatMap(({ files }) => files);
}

function spliced(pieces: readonly Piece[], cut: readonly CutSegment[]): readonly BackupFile[] {
  let next = 0;
  return pieces.flatMap((piece): readonly BackupFile[] => {
    if ('keep' in piece) return [piece.keep];
    const { files } = cut[next++]!;
    if (files[0] === undefined || !sameKey(files[0].begin, piece.scan))
      throw new EngineError('internal', 'a part that was read again begins elsewhere');
    return files;
  });
}

function sameKey(key: Uint8Array, segment: Segment): boolean {
  return Buffer.compare(key, segment.begin) === 0;
}

export function settingsOf({ repository, level, packBytes }: CreateOptions): PackSettings {
  const { repo, keys, epoch } = repository;
  return { repo, kid: keys.kid, epoch, idKey: keys.id, packKey: keys.pack, level, packBytes };
}

/** The newest backup under the epoch's key that is to be trusted. */
function newestUsable(repository: Repository, entries: readonly BackupEntry[]): Manifest | null {
  return entries.findLast(({ manifest, problem }) => problem === null && manifest?.kid === repository.keys.kid)?.manifest ?? null;
}

/** null where the files cannot be listed: then all is read again, which needs nothing of the backup before. */
async function filesOf(repository: Repository, manifest: Manifest, signal: AbortSignal): Promise<BackupFiles | null> {
  const [range, ...more] = manifest.ranges;
  if (range === undefined || more.length > 0 || range.begin !== '' || range.end !== null) return null;
  try {
    return await readFileList(repository, await openBlobMap(repository, manifest, signal), range, signal);
  } catch (error) {
    if (isEngineError(error, 'backup-damaged', 'backup-unsupported')) return null;
    throw error;
  }
}
