import type { BackupEntry } from '../repository/catalog.ts';
import { isDestroyed } from '../repository/shred.ts';
import { textOf, type StoredRecord } from '../repository/records.ts';
import type { RetainedBackup } from './plan.ts';

export interface KnownOfBackups {
  /** Of verifications and drills. */
  readonly records: readonly StoredRecord[];
  readonly tombstones: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
  readonly destroyedKeys: ReadonlySet<string>;
}

/** Backups as retention sees them. */
export function retainedOf(entries: readonly BackupEntry[], known: KnownOfBackups): readonly RetainedBackup[] {
  return entries.map((entry) => {
    const { backupId, manifest, problem } = entry;
    return {
      backupId,
      createdMs: manifest === null ? Number.POSITIVE_INFINITY : Date.parse(manifest.created),
      retainUntilMs: manifest?.retainUntil == null ? null : Date.parse(manifest.retainUntil),
      legalHold: (manifest?.legalHold ?? false) || known.held.has(backupId),
      verified: isVerified(known.records.filter(({ document }) => document['backupId'] === backupId)),
      problem,
      marked: known.tombstones.has(backupId),
      destroyed: isDestroyed(entry, known.destroyedKeys),
    };
  });
}

/** Read as a whole (level 3 or a drill) and found sound, and nothing else found since. */
export function isVerified(checks: readonly StoredRecord[]): boolean {
  const lastBad = checks.findLast(({ document }) => document['ok'] === false);
  const lastGood = checks.findLast(({ document }) => Number(document['level']) >= 3 && document['ok'] === true);
  return lastGood !== undefined && (lastBad === undefined || textOf(lastBad.document, 'at') < textOf(lastGood.document, 'at'));
}
