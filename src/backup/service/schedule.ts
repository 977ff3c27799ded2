import { knownTime } from '../../platform/known-time.ts';

export interface Timetable {
  readonly intervalMs: number;
  /** Each interval is longer by a random part of this, so that many systems do not come to one store at once. */
  readonly jitterMs: number;
  /** Between two verifications; null: none is made here. */
  readonly verifyMs: number | null;
  /** After a failure, doubling up to the interval of what failed. */
  readonly retryMs: number;
}

/** What the store holds, whoever put it there. */
export interface StoreView {
  /** When the newest backup under the epoch key of now was made; null: there is none. */
  readonly newestAtMs: number | null;
  /** The newest backup to be trusted, under whatever key. */
  readonly newestId: string | null;
  /** The last one that was as thorough as is asked for here, or more so; of those whose time is not still to come. */
  readonly verification: { readonly backupId: string; readonly atMs: number; readonly ok: boolean } | null;
}

export type Work = 'backup' | 'verification';

export interface Tries {
  readonly failures: number;
  readonly lastFailureAtMs: number | null;
}

export const NOT_TRIED: Tries = { failures: 0, lastFailureAtMs: null };

export interface Moment {
  readonly view: StoreView;
  readonly tries: Readonly<Record<Work, Tries>>;
  readonly random: number;
  readonly nowMs: number;
}

/**
 * What is to be done next, and when, on the wall clock, which is the only one that outlives a process. A backup that is due goes first: what is not backed up is lost, what is not verified is only not
 * known. But no second one goes before a verification that is due: where a backup takes as long as its interval one is always due, and nothing would ever be verified. That a first one went the store
 * tells, so that it does not matter who made it, nor whether that one still runs; of one that failed only this program knows. Nobody waits for a time that a wrong clock wrote down.
 */
export function nextWork(timetable: Timetable, moment: Moment): { readonly work: Work; readonly atMs: number } {
  const { view, tries, random, nowMs } = withKnownTimes(moment);
  const backupMs = nextBackupMs(timetable, view, tries.backup, random);
  const verificationMs = nextVerificationMs(timetable, view, tries.verification);
  const lastBackupMs = Math.max(view.newestAtMs ?? 0, tries.backup.lastFailureAtMs ?? 0);
  const isBackupFirst = backupMs <= nowMs ? lastBackupMs <= verificationMs || verificationMs > nowMs : backupMs <= verificationMs;
  return isBackupFirst ? { work: 'backup', atMs: backupMs } : { work: 'verification', atMs: verificationMs };
}

function withKnownTimes({ view, tries, nowMs, ...moment }: Moment): Moment {
  const known = ({ failures, lastFailureAtMs }: Tries): Tries => ({ failures, lastFailureAtMs: knownTime(lastFailureAtMs, nowMs) });
  return {
    ...moment,
    nowMs,
    view: { ...view, newestAtMs: knownTime(view.newestAtMs, nowMs) },
    tries: { backup: known(tries.backup), verification: known(tries.verification) },
  };
}

export function nextBackupMs(timetable: Timetable, { newestAtMs }: Pick<StoreView, 'newestAtMs'>, tries: Tries, random: number): number {
  const regular = newestAtMs === null ? 0 : newestAtMs + timetable.intervalMs + random * timetable.jitterMs;
  return afterFailures(timetable.retryMs, timetable.intervalMs, tries, regular);
}

/** Infinity where none is made here, or there is nothing to verify. A backup that was found damaged is followed up as soon as there is another: whether that one is whole is what everybody wants to know then. */
export function nextVerificationMs(
  { verifyMs, retryMs }: Timetable,
  { newestId, verification }: Omit<StoreView, 'newestAtMs'>,
  tries: Tries,
): number {
  if (verifyMs === null || newestId === null) return Number.POSITIVE_INFINITY;
  const isFollowUp = verification === null || (!verification.ok && verification.backupId !== newestId);
  return afterFailures(retryMs, verifyMs, tries, isFollowUp ? 0 : verification.atMs + verifyMs);
}

function afterFailures(retryMs: number, intervalMs: number, { failures, lastFailureAtMs }: Tries, regularMs: number): number {
  if (lastFailureAtMs === null || failures === 0) return regularMs;
  return Math.max(regularMs, lastFailureAtMs + Math.min(intervalMs, retryMs * 2 ** (failures - 1)));
}
