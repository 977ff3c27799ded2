import { EngineError } from '../../platform/errors.ts';
import { MAX_MANIFEST_BYTES, openManifest, type Manifest } from '../format/manifest.ts';
import { signalOf, type Repository } from './repository.ts';

/** A backup that is committed: its manifest is there. */
export interface BackupEntry {
  readonly name: string;
  readonly backupId: string;
  readonly generation: string;
  readonly bytes: number;
  /** null where it does not open; `problem` says why. */
  readonly manifest: Manifest | null;
  /** Why it is not to be trusted. */
  readonly problem: string | null;
}

/** All backups of a cluster, oldest first. A manifest that does not open is listed with its problem: one damaged must not hide the others. */
export async function listBackups(repository: Repository, cluster: string, signal?: AbortSignal): Promise<readonly BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for await (const { name, generation, bytes } of repository.store.list(`manifests/${cluster}/`, signalOf(signal))) {
    const backupId = name.slice(name.lastIndexOf('/') + 1);
    try {
      entries.push({ name, backupId, generation, bytes, manifest: await readManifest(repository, name, signal), problem: null });
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 'object-store-transient' || error.code === 'object-store-failed') throw error;
      entries.push({ name, backupId, generation, bytes, manifest: null, problem: error.message });
    }
  }
  return quarantineReplaced(entries);
}

/** @param backupId an id, or `latest`. @throws EngineError bad-request where there is no such backup, backup-damaged where it is not to be trusted */
export async function findBackup(repository: Repository, cluster: string, backupId: string, signal?: AbortSignal): Promise<Manifest> {
  const entries = await listBackups(repository, cluster, signal);
  const entry = backupId === 'latest' ? entries.findLast(({ problem }) => problem === null) : entries.find((e) => e.backupId === backupId);
  if (entry === undefined)
    throw new EngineError('bad-request', `there is no backup ${backupId} of ${cluster}; see \`coditect-dr backup list\``);
  if (entry.manifest === null || entry.problem !== null)
    throw new EngineError('backup-damaged', `backup ${entry.backupId} is not to be trusted: ${entry.problem}`);
  return entry.manifest;
}

async function readManifest(repository: Repository, name: string, signal: AbortSignal | undefined): Promise<Manifest> {
  const { store, repo, trusted } = repository;
  const found = await store.get(name, { maxBytes: MAX_MANIFEST_BYTES, ...signalOf(signal) });
  if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
  return await openManifest({ name, repo, bytes: found.body }, trusted, (kid, epoch) => repository.keysOf(kid, epoch));
}

/** The highest epoch of the right to write that a backup carries; 0 where there is none. Who writes needs at least this one. */
export function highestLeaseEpoch(entries: readonly BackupEntry[]): bigint {
  return entries.reduce((highest, { manifest }) => {
    const epoch = manifest === null ? 0n : BigInt(manifest.lease.epoch);
    return epoch > highest ? epoch : highest;
  }, 0n);
}

/** A manifest whose lease epoch is below that of an older backup was written by a writer that had been replaced. */
function quarantineReplaced(entries: readonly BackupEntry[]): readonly BackupEntry[] {
  let highest = 0n;
  return entries.map((entry) => {
    if (entry.manifest === null) return entry;
    const epoch = BigInt(entry.manifest.lease.epoch);
    if (epoch < highest)
      return { ...entry, problem: `its writer (lease epoch ${epoch}) had been replaced (epoch ${highest}): quarantined` };
    highest = epoch;
    return entry;
  });
}
