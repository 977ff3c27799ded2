import { textOf, type StoredRecord } from '../repository/records.ts';
import { damagedIn } from './marks.ts';

/**
 * Records of verifications that tell nothing any more: of each backup stay the newest of each level, the newest of each level that failed, and any that names a damaged object which no newer one names.
 * So there are never more than there are levels, twice, and damaged objects, however often is verified; and whether a backup is verified, or found damaged, is the same without the others.
 */
export function supersededRecords(records: readonly StoredRecord[]): readonly StoredRecord[] {
  const seen = new Set<string>();
  const isFirst = (what: string): boolean => !seen.has(what) && seen.add(what).has(what);
  return records
    .toSorted((a, b) => (textOf(a.document, 'at') < textOf(b.document, 'at') ? 1 : -1))
    .filter(({ document }) => {
      const backupId = textOf(document, 'backupId');
      const level = `level ${Number(document['level'])}`;
      const told = [level, ...(document['ok'] === false ? [`${level} failed`, ...damagedIn(document)] : [])];
      return told.map((what) => isFirst(`${backupId} ${what}`)).every((first) => !first);
    });
}
