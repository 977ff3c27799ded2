import { EngineError } from '../../platform/errors.ts';
import { MAX_STORED_MANIFEST_BYTES, openManifest, type Manifest } from '../format/manifest.ts';
import { signalOf, type Repository } from './repository.ts';

/** A backup that is committed: its manifest is there. */
export interface BackupEntry {
  readonly name: string;
  readonly backupId: string;
  readonly generation: string;
  readonly bytes: number;
  /** null where it does not open; `problem` says why. */
  readonly manifest: Manifest | null;
  /** The epoch key that it is under, as its signature says; null where that does not hold. */
  readonly kid: string | null;
  /** Why it is not to be trusted. */
  readonly problem: string | null;
}

/** All backups of a cluster, in the order in which they were made. A manifest that does not open is listed with its problem: one damaged must not hide the others. */
export async function listBackups(repository: Repository, cluster: string, signal?: AbortSignal): Promise<readonly BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for await (const { name, generation, bytes } of repository.store.list(`manifests/${cluster}/`, signalOf(signal))) {
    const backupId = name.slice(name.lastIndexOf('/') + 1);
    entries.push({ name, backupId, generation, bytes, ...(await opened(repository, { name, bytes }, signal)) });
  }
  return setApartReplaced(entries);
}

/** The manifests of those that are to be trusted, in the same order. */
export function trustedOf(entries: readonly BackupEntry[]): readonly Manifest[] {
  return entries.flatMap(({ manifest, problem }) => (manifest === null || problem !== null ? [] : [manifest]));
}

/** The backups of all other clusters: packs and keys are shared by all of a repository. */
export async function listOtherBackups(repository: Repository, cluster: string, signal?: AbortSignal): Promise<readonly BackupEntry[]> {
  const clusters = new Set<string>();
  for await (const { name } of repository.store.list('manifests/', signalOf(signal))) clusters.add(name.split('/')[1]!);
  clusters.delete(cluster);
  const others: BackupEntry[] = [];
  for (const other of clusters) others.push(...(await listBackups(repository, other, signal)));
  return others;
}

/** @param backupId an id, or `latest`. @throws EngineError bad-request where there is no such backup, backup-damaged where it is not to be trusted */
export async function findBackup(repository: Repository, cluster: string, backupId: string, signal?: AbortSignal): Promise<Manifest> {
  return trustedFrom(await listBackups(repository, cluster, signal), cluster, backupId);
}

/** As findBackup, of backups that are listed already. `latest` is the newest that is to be trusted. */
export function trustedFrom(entries: readonly BackupEntry[], cluster: string, backupId: string): Manifest {
  const entry = backupId === 'latest' ? entries.findLast(({ problem }) => problem === null) : entries.find((e) => e.backupId === backupId);
  if (entry === undefined)
    throw new EngineError('bad-request', `there is no backup ${backupId} of ${cluster}; see \`coditect-dr backup list\``);
  if (entry.manifest === null || entry.problem !== null)
    throw new EngineError('backup-damaged', `backup ${entry.backupId} is not to be trusted: ${entry.problem}`);
  return entry.manifest;
}

async function opened(
  repository: Repository,
  { name, bytes }: Pick<BackupEntry, 'name' | 'bytes'>,
  signal: AbortSignal | undefined,
): Promise<Pick<BackupEntry, 'manifest' | 'kid' | 'problem'>> {
  const { store, repo, trusted } = repository;
  let kid: string | null = null;
  try {
    if (bytes > MAX_STORED_MANIFEST_BYTES) throw new EngineError('backup-damaged', `${name} has ${bytes} bytes, more than any manifest`);
    const found = await store.get(name, { maxBytes: MAX_STORED_MANIFEST_BYTES, ...signalOf(signal) });
    if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
    const manifest = await openManifest({ name, repo, bytes: found.body }, trusted, (signed, epoch) => {
      kid = signed;
      return repository.keysOf(signed, epoch);
    });
    return { manifest, kid, problem: consistencyProblem(manifest) };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'object-store-transient' || error.code === 'object-store-failed') throw error;
    return { manifest: null, kid, problem: error.message };
  }
}

/** Ranges that were read at several versions are no state that the database was ever in: with the log of the time in between they make one, and this program has no such log to apply. */
function consistencyProblem({ consistency }: Manifest): string | null {
  return consistency === 'fuzzy+log' ? 'it is fuzzy: read at several versions, and no state of the database without its log' : null;
}

/** The highest epoch of the right to write that a backup carries; 0 where there is none. Who writes needs at least this one. */
export function highestLeaseEpoch(entries: readonly BackupEntry[]): bigint {
  return entries.reduce((highest, { manifest }) => {
    const epoch = manifest === null ? 0n : BigInt(manifest.lease.epoch);
    return epoch > highest ? epoch : highest;
  }, 0n);
}

/** The highest place in the order of backups that a trusted one has; 0 where there is none. */
export function highestOrder(entries: readonly BackupEntry[]): number {
  return Math.max(0, ...entries.map(({ manifest, problem }) => (problem === null ? (manifest?.lease.order ?? 0) : 0)));
}

/**
 * A writer gives its backup a place above all that it saw when it had the right to write. One that has the place of a backup of a higher lease epoch, or a later one, was not there when that writer
 * took over: it was committed by a writer that had been replaced. Neither names nor times are asked, which clocks make.
 */
function setApartReplaced(entries: readonly BackupEntry[]): readonly BackupEntry[] {
  let before = 0;
  const placed = entries.map((entry) => {
    // One that does not open has no place of its own: it stays behind the one before it.
    const order = entry.manifest === null ? before : (entry.manifest.lease.order ?? 0);
    before = order;
    return { entry, order, epoch: entry.manifest === null ? 0n : BigInt(entry.manifest.lease.epoch) };
  });
  placed.sort((a, b) => a.order - b.order);
  const highest = new Map<number, bigint>();
  let reached = 0n;
  for (const { order, epoch } of placed) {
    if (epoch > reached) reached = epoch;
    highest.set(order, reached);
  }
  return placed.map(({ entry, order, epoch }) => {
    const by = highest.get(order)!;
    if (entry.manifest === null || epoch >= by) return entry;
    return { ...entry, problem: `its writer (lease epoch ${epoch}) had been replaced (epoch ${by}): quarantined` };
  });
}
