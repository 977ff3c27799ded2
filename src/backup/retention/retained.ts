import { knownTime } from '../../platform/known-time.ts';
import { idTimeMs } from '../format/ids.ts';
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
  readonly nowMs: number;
}

/** Backups as retention sees them. */
export function retainedOf(entries: readonly BackupEntry[], known: KnownOfBackups): readonly RetainedBackup[] {
  return entries.map((entry) => {
    const { backupId, manifest, problem } = entry;
    const checks = known.records.filter((record) => record.document['backupId'] === backupId && !tellsNothing(record, known.nowMs));
    const destroyed = isDestroyed(entry, known.destroyedKeys);
    return {
      backupId,
      createdMs: manifest === null ? idTimeMs(backupId) : Date.parse(manifest.created),
      retainUntilMs: manifest?.retainUntil == null ? null : Date.parse(manifest.retainUntil),
      legalHold: (manifest?.legalHold ?? false) || known.held.has(backupId),
      verified: isVerified(checks),
      problem,
      opens: manifest !== null,
      damaged: manifest === null ? !destroyed : problem === null && isFoundDamaged(checks),
      marked: known.tombstones.has(backupId),
      destroyed,
    };
  });
}

/** All was well at a time that is still to come: it would outweigh whatever is found from now on. */
export function tellsNothing({ document }: StoredRecord, nowMs: number): boolean {
  return document['ok'] === true && knownTime(Date.parse(textOf(document, 'at')), nowMs) === null;
}

/** Read as a whole (level 3 or a drill) and found sound, and nothing else found since. */
export function isVerified(checks: readonly StoredRecord[]): boolean {
  const lastBad = checks.findLast(({ document }) => document['ok'] === false);
  const lastGood = checks.findLast(({ document }) => Number(document['level']) >= 3 && document['ok'] === true);
  return lastGood !== undefined && (lastBad === undefined || textOf(lastBad.document, 'at') < textOf(lastGood.document, 'at'));
}

/** Some check found damage, and none that is as thorough as that found it sound since: one that only asks whether all objects are there does not end what a whole reading found. */
export function isFoundDamaged(checks: readonly StoredRecord[]): boolean {
  const levelOf = ({ document }: StoredRecord): number => Number(document['level']);
  const atOf = ({ document }: StoredRecord): string => textOf(document, 'at');
  const sound = checks.filter(({ document }) => document['ok'] === true);
  return checks.some((bad) => {
    // Level 2 reads another part each time; a drill (4) reads no more than a whole reading does.
    const needed = levelOf(bad) >= 2 ? 3 : levelOf(bad);
    return bad.document['ok'] === false && !sound.some((good) => levelOf(good) >= needed && atOf(good) > atOf(bad));
  });
}
