/** A backup as retention sees it. */
export interface RetainedBackup {
  readonly backupId: string;
  readonly createdMs: number;
  /** null: as long as the configuration says. */
  readonly retainUntilMs: number | null;
  readonly legalHold: boolean;
  /** Read as a whole (level 3 or a drill) and found sound, and nothing else found since. */
  readonly verified: boolean;
  /** Why it is not to be trusted, if so: it counts for nothing, and goes with its time like others. */
  readonly problem: string | null;
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

/** What may go: whatever is over its time, but never what is held, nor so much that fewer verified backups remain than there must be. */
/** @param ordered in the order in which they were made */
export function planRetention(ordered: readonly RetainedBackup[], rules: RetentionRules): RetentionPlan {
  const trusted = ordered.filter(({ problem }) => problem === null);
  const safe = new Set(
    trusted
      .filter(({ verified }) => verified)
      .slice(-rules.minimumBackups)
      .map(({ backupId }) => backupId),
  );
  const newest = trusted.at(-1);
  const keep: { backupId: string; why: string }[] = [];
  const expire: string[] = [];
  for (const backup of ordered) {
    const why = reasonToKeep(backup, rules, { isNewest: backup === newest, isSafe: safe.has(backup.backupId) });
    if (why === null) expire.push(backup.backupId);
    else keep.push({ backupId: backup.backupId, why });
  }
  const refused = ordered.every(({ backupId, destroyed }) => destroyed || !expire.includes(backupId))
    ? null
    : newest === undefined || !newest.verified
      ? `the newest backup${newest === undefined ? '' : ` ${newest.backupId}`} is not verified: run \`coditect-dr backup verify latest --level 3\` or a drill first`
      : safe.size < rules.minimumBackups
        ? `only ${safe.size} verified backups would remain, there must be ${rules.minimumBackups} (backup.minimum_backups)`
        : null;
  return refused === null
    ? { expire, keep, refused }
    : {
        expire: [],
        keep: ordered.map(({ backupId }) => keep.find((kept) => kept.backupId === backupId) ?? { backupId, why: 'refused' }),
        refused,
      };
}

function reasonToKeep(
  backup: RetainedBackup,
  { nowMs, retentionMs }: RetentionRules,
  { isNewest, isSafe }: { readonly isNewest: boolean; readonly isSafe: boolean },
): string | null {
  if (backup.destroyed) return null;
  if (backup.legalHold) return 'held';
  if (isNewest) return 'the newest';
  if (isSafe) return 'one of the verified backups that must stay';
  const untilMs = Math.max(backup.retainUntilMs ?? 0, backup.createdMs + retentionMs);
  return untilMs > nowMs ? `until ${new Date(untilMs).toISOString()}` : null;
}
