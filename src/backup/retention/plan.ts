import { timesInOrder } from '../../platform/known-time.ts';

/** A backup as retention sees it. */
export interface RetainedBackup {
  readonly backupId: string;
  readonly createdMs: number;
  /** null: as long as the configuration says. */
  readonly retainUntilMs: number | null;
  readonly legalHold: boolean;
  /** Read as a whole (level 3 or a drill) and found sound, and nothing else found since. */
  readonly verified: boolean;
  /** Why it is not to be trusted, if so: it counts for nothing, and goes with its time like others, where what was promised of that can be read. */
  readonly problem: string | null;
  /** Its manifest does: otherwise nobody knows what it promises. */
  readonly opens: boolean;
  /** It should give what was backed up, and does not: it does not open, or a check found so and none that is as thorough found it sound since. Not where it was set aside on purpose. */
  readonly damaged: boolean;
  readonly marked: boolean;
  /** Its epoch key was destroyed on purpose: nobody reads it again. */
  readonly destroyed: boolean;
}

export interface RetentionRules {
  readonly nowMs: number;
  readonly retentionMs: number;
  /** So many verified backups stay whatever their age. */
  readonly minimumBackups: number;
}

export interface RetentionPlan {
  readonly expire: readonly string[];
  readonly keep: readonly { readonly backupId: string; readonly why: string }[];
  /** Why nothing may be expired; null: it may. */
  readonly refused: string | null;
}

/**
 * What may go: whatever is over its time, but never what is held, nor so much that fewer verified backups remain than there must be, nor what stands in for a damaged one: because of damage there is never less that can be restored.
 * @param backups in the order in which they were made
 */
export function planRetention(backups: readonly RetainedBackup[], rules: RetentionRules): RetentionPlan {
  const ordered = noneBefore(backups, rules);
  const trusted = ordered.filter(({ problem }) => problem === null);
  const safe = new Set(
    trusted
      .filter(({ verified }) => verified)
      .slice(-rules.minimumBackups)
      .map(({ backupId }) => backupId),
  );
  const newest = trusted.at(-1);
  const standIns = standInsOf(ordered, rules);
  const keep: { backupId: string; why: string }[] = [];
  const expire: string[] = [];
  for (const backup of ordered) {
    const why = reasonToKeep(backup, rules, {
      isNewest: backup === newest,
      isSafe: safe.has(backup.backupId),
      standsInFor: standIns.get(backup.backupId) ?? null,
    });
    if (why === null) expire.push(backup.backupId);
    else keep.push({ backupId: backup.backupId, why });
  }
  const refused = ordered.every(({ backupId, destroyed }) => destroyed || !expire.includes(backupId))
    ? null
    : (newestIsNoGood(ordered, newest) ??
      (safe.size < rules.minimumBackups
        ? `only ${safe.size} verified backups would remain, there must be ${rules.minimumBackups} (backup.minimum_backups)`
        : null));
  return refused === null
    ? { expire, keep, refused }
    : {
        expire: [],
        keep: ordered.map(({ backupId }) => keep.find((kept) => kept.backupId === backupId) ?? { backupId, why: 'refused' }),
        refused,
      };
}

/** None was made before the one before it, whatever its clock said. */
function noneBefore(backups: readonly RetainedBackup[], { nowMs }: RetentionRules): readonly RetainedBackup[] {
  const timesMs = timesInOrder(
    backups.map(({ createdMs }) => createdMs),
    nowMs,
  );
  return backups.map((backup, n) => ({ ...backup, createdMs: timesMs[n]! }));
}

/** Why nothing may go beside the newest backup as it is. */
function newestIsNoGood(ordered: readonly RetainedBackup[], newest: RetainedBackup | undefined): string | null {
  const afterwards = 'nothing goes until there is a newer one that is verified';
  const newer = ordered.slice(newest === undefined ? 0 : ordered.indexOf(newest) + 1).findLast(({ damaged }) => damaged);
  if (newer !== undefined) return `the newest backup ${newer.backupId} is not to be trusted (${newer.problem}): ${afterwards}`;
  if (newest?.damaged === true) return `the newest backup ${newest.backupId} was found damaged: ${afterwards}`;
  if (newest?.verified === true) return null;
  return `the newest backup${newest === undefined ? '' : ` ${newest.backupId}`} is not verified: run \`coditect-dr backup verify latest --level 3\` or a drill first`;
}

/**
 * Backups that a restore begins from in place of a damaged one that is held or whose time is not over, each with the damaged one: those before it up to the first that is verified, since of others nobody knows.
 */
function standInsOf(ordered: readonly RetainedBackup[], rules: RetentionRules): ReadonlyMap<string, string> {
  const standIns = new Map<string, string>();
  for (const [n, { backupId, damaged, ...backup }] of ordered.entries()) {
    if (!damaged || !(backup.legalHold || untilMs(backup, rules) > rules.nowMs)) continue;
    for (const earlier of ordered.slice(0, n).toReversed()) {
      if (earlier.damaged || earlier.problem !== null) continue;
      standIns.set(earlier.backupId, backupId);
      if (earlier.verified) break;
    }
  }
  return standIns;
}

function untilMs(
  { retainUntilMs, createdMs }: Pick<RetainedBackup, 'retainUntilMs' | 'createdMs'>,
  { retentionMs }: RetentionRules,
): number {
  return Math.max(retainUntilMs ?? 0, createdMs + retentionMs);
}

function reasonToKeep(
  backup: RetainedBackup,
  rules: RetentionRules,
  { isNewest, isSafe, standsInFor }: { readonly isNewest: boolean; readonly isSafe: boolean; readonly standsInFor: string | null },
): string | null {
  if (backup.destroyed) return null;
  if (!backup.opens) return 'it does not open: how long it was to stay, and what it needs, nobody knows, so no object goes either';
  if (backup.legalHold) return 'held';
  if (isNewest) return 'the newest';
  if (isSafe) return 'one of the verified backups that must stay';
  if (standsInFor !== null) return `stands in for ${standsInFor}, which is damaged`;
  const until = untilMs(backup, rules);
  return until > rules.nowMs ? `until ${new Date(until).toISOString()}` : null;
}
