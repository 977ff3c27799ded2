import type { Manifest } from '../format/manifest.ts';
import { listBackups, trustedFrom, type BackupEntry } from './catalog.ts';
import type { Repository } from './repository.ts';
import { isDestroyed, readShreds } from './shred.ts';

/** A backup that is not to be trusted, and newer than the one that is used in its place. */
export interface PassedOverBackup {
  readonly backupId: string;
  readonly problem: string;
  /** On purpose: its writer had been replaced, or its epoch key was destroyed. Otherwise it is damaged, or its key was not to be had. */
  readonly setAside: boolean;
}

export interface Chosen {
  readonly manifest: Manifest;
  /** In the order in which they were made; none where a backup was named. */
  readonly passedOver: readonly PassedOverBackup[];
}

/** As findBackup, and which newer backups `latest` is not, since they are not to be trusted: a restore must go on with the one before, and whoever asked must know that it did. */
export async function chooseBackup(repository: Repository, cluster: string, backupId: string, signal: AbortSignal): Promise<Chosen> {
  const entries = await listBackups(repository, cluster, signal);
  const manifest = trustedFrom(entries, cluster, backupId);
  if (backupId !== 'latest') return { manifest, passedOver: [] };
  return { manifest, passedOver: await refusedAfter(repository, entries, manifest.backupId, signal) };
}

/** Those that come after a backup. */
export function after(entries: readonly BackupEntry[], backupId: string): readonly BackupEntry[] {
  return entries.slice(entries.findIndex((entry) => entry.backupId === backupId) + 1);
}

/** Those after a backup that are not to be trusted: what whoever asked for `latest` and got this one has to know. */
export async function refusedAfter(
  repository: Repository,
  entries: readonly BackupEntry[],
  backupId: string,
  signal: AbortSignal,
): Promise<readonly PassedOverBackup[]> {
  return await refusedOf(repository, after(entries, backupId), signal);
}

/** Those that are not to be trusted, with what is wrong with them. */
export async function refusedOf(
  repository: Repository,
  entries: readonly BackupEntry[],
  signal: AbortSignal,
): Promise<readonly PassedOverBackup[]> {
  const refused = entries.filter(({ problem }) => problem !== null);
  if (refused.length === 0) return [];
  const destroyed = await readShreds(repository, signal);
  return refused.map((entry) => ({
    backupId: entry.backupId,
    problem: entry.problem ?? '',
    // One that opens is refused only where its writer had been replaced.
    setAside: entry.manifest !== null || isDestroyed(entry, destroyed),
  }));
}
