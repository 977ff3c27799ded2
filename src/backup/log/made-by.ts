import { timesAtLatest } from '../../platform/known-time.ts';
import { trustedOf, type BackupEntry } from '../repository/catalog.ts';

/**
 * Backups with the time by which each was made at the latest, whatever the clock of who made it said: up to then something may have come into it. One that may have been made after the time that is asked for is not to be trusted with it.
 * @param timeMs null where none is asked for
 * @returns those too: `unsure`
 */
export function madeBy(
  entries: readonly BackupEntry[],
  timeMs: number | null,
  nowMs: number,
): { readonly entries: readonly BackupEntry[]; readonly unsure: ReadonlySet<string> } {
  const trusted = trustedOf(entries);
  const latestMs = timesAtLatest(
    trusted.map(({ created }) => Date.parse(created)),
    nowMs,
  );
  const latest = new Map(trusted.map(({ backupId }, n) => [backupId, latestMs[n]!]));
  const unsure = new Set<string>();
  const known = entries.map((entry): BackupEntry => {
    const byMs = latest.get(entry.backupId);
    if (entry.manifest === null || byMs === undefined) return entry;
    const said = entry.manifest.created;
    const manifest = { ...entry.manifest, created: new Date(byMs).toISOString() };
    if (timeMs === null || byMs <= timeMs || Date.parse(said) > timeMs) return { ...entry, manifest };
    unsure.add(entry.backupId);
    const problem = `it says that it was made at ${said}, though one before it says a later time: a clock was wrong, and it may hold what came after the time that is asked for; \`restore ${entry.backupId}\` takes it as it is`;
    return { ...entry, manifest, problem };
  });
  return { entries: known, unsure };
}
