import { textOf, type StoredRecord } from '../repository/records.ts';
import { damagedIn } from './marks.ts';

/**
 * Records of verifications that tell nothing any more: of each backup stay the newest of each level, the newest that failed, and any that names a damaged object which no newer one names. So there are
 * never more than there are levels and damaged objects, however often is verified.
 */
export function supersededRecords(records: readonly StoredRecord[]): readonly StoredRecord[] {
  const seen = new Set<string>();
  const isFirst = (what: string): boolean => !seen.has(what) && seen.add(what).has(what);
  return records
    .toSorted((a, b) => (textOf(a.document, 'at') < textOf(b.document, 'at') ? 1 : -1))
    .filter(({ document }) => {
      const backupId = textOf(document, 'backupId');
      const told = [`level ${Number(document['level'])}`, ...(document['ok'] === false ? ['failed', ...damagedIn(document)] : [])];
      return told.map((what) => isFirst(`${backupId} ${what}`)).every((first) => !first);
    });
}
