import { isOurMark, lockSystem, readLockUid, type LockedWork } from './lock-uid.ts';

/** A lock as it is found. */
export interface SeenLock {
  readonly uid: string;
  /** By the versions that the database has counted since, which a recovery moves on at once: it is no older. */
  readonly ageSeconds: number;
  /** Stands for this time of being locked: unlocked and locked again it is another. */
  readonly since: string;
  /** The cluster is a copy that fdbdr keeps: that is how it is to be. */
  readonly isCopy: boolean;
}

type Told = Omit<SeenLock, 'since'>;

/** Who asks. */
export interface Asker {
  /** `backup.cluster.id` of the configuration; null: it has none. */
  readonly cluster: string | null;
  /** fdbcli and what it needs to find the cluster. */
  readonly fdbcli: string;
}

/** Work under a lock, and who is to hear of it. */
export interface LockTeller extends Asker {
  /** Of a lock that an earlier run had left, in a sentence. */
  readonly note: (text: string) => void;
}

export const NOBODY_HEARS: LockTeller = { cluster: null, fdbcli: 'fdbcli', note: () => undefined };

/** Which lock it is, whose, how old, and how it is ended: for whoever stands before it. */
export function lockText({ uid, ageSeconds, isCopy }: Told, { cluster, fdbcli }: Asker): string {
  if (isCopy)
    return `this FoundationDB cluster is a copy of another: fdbdr keeps it locked under ${uid} and writes into it, as it should. Whoever unlocks it has no copy any more; the other cluster is the one that is served, backed up and restored into (\`coditect-dr pair status\` tells which that is)`;
  const { whose, end } = holderOf(uid, cluster);
  return `the whole FoundationDB cluster is locked under ${uid}, for at most ${ageText(ageSeconds)}: ${whose}. ${end} ${unlockText(uid, fdbcli)}`;
}

/** Of a lock of the same work as is done now, which alone may be doing it. */
export function leftLockText({ uid, ageSeconds }: Pick<Told, 'uid' | 'ageSeconds'>, what: 'is ended' | 'is taken over'): string {
  return `the lock ${uid}, which a killed run had left (for at most ${ageText(ageSeconds)}), ${what}`;
}

/** The command itself, and what it will ask. */
export function unlockText(uid: string, fdbcli: string): string {
  return `\`${fdbcli} --exec "unlock ${uid}"\` ends the lock (it asks for a passphrase that it shows).`;
}

interface Holder {
  readonly whose: string;
  readonly end: string;
}

function holderOf(uid: string, cluster: string | null): Holder {
  const of = (work: LockedWork): number | null => {
    const holder = cluster === null ? null : readLockUid(uid, lockSystem(work, cluster));
    return holder?.kind === 'ours' ? holder.epoch : null;
  };
  const backup = of('backup');
  if (backup !== null)
    return {
      whose: `a \`backup create --lock\` of ${cluster} holds it (epoch ${backup} of the right to write backups), or has left it when it was killed`,
      end: 'If none is running, the next `backup create` ends it by itself, or',
    };
  const restore = of('restore');
  if (restore !== null)
    return {
      whose: `a restore of ${cluster} holds it (of a backup of epoch ${restore}), or has left it, and the data is a part of what is to be there`,
      end: 'The same restore, given again, takes it over and begins anew. To give it up (then no `database` program may run until the key space is emptied)',
    };
  if (isOurMark(uid))
    return {
      whose: 'a backup or restore by coditect-dr holds it, under another backup.cluster.id than is configured here, or has left it',
      end: 'If none is running,',
    };
  return {
    whose: 'coditect-dr has not locked it (an operator, fdbdr or fdbrestore has)',
    end: 'Whoever did has to end that first; if nobody needs it any more,',
  };
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.max(1, Math.ceil(seconds))} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}
