import type { RunEvent } from '../history/event.ts';
import type { BackupAccount, BackupMade, Restore } from '../measure/backup-account.ts';
import type { ResultBackups } from './backup-shape.ts';

/** The account of backups as the document has it. */
export function backupsPart(account: BackupAccount, events: readonly RunEvent[]): ResultBackups {
  return {
    made: account.made.map(madePart),
    restores: account.restores.map(restorePart),
    checks: account.checks.map(({ command, backupId, elapsedMs, exitCode }) => ({ command, backupId, elapsedMs, exitCode })),
    damage: events.flatMap((event) =>
      event.kind === 'damage'
        ? [{ how: event.how, object: event.object, done: event.done.map(({ what, before, after }) => `${what}: ${before} → ${after}`) }]
        : [],
    ),
    recoveryPoint: pointPart(account.recoveryPoint),
    bulk: account.bulk.map(({ name, iterations, dropped, failedShare, perSecond, latencyMs, exitCode, crossed }) => {
      return { name, iterations, dropped, failedShare, perSecond, latencyMs, exitCode, crossed: [...crossed] };
    }),
  };
}

function pointPart(point: BackupAccount['recoveryPoint']): ResultBackups['recoveryPoint'] {
  return point === null ? null : { ageMs: point.ageMs, backupId: point.backupId, fault: point.fault };
}

function madePart({
  name,
  id,
  pod,
  givenMs,
  endedMs,
  exitCode,
  storedBytes,
  objects,
  logicalBytes,
}: BackupMade): ResultBackups['made'][number] {
  const elapsedMs = endedMs - givenMs;
  const perSecond = logicalBytes === null || elapsedMs <= 0 ? null : (logicalBytes * 1000) / elapsedMs;
  const ratio = logicalBytes === null || storedBytes === 0 ? null : logicalBytes / storedBytes;
  return { name, id, pod, givenMs, elapsedMs, exitCode, storedBytes, objects, logicalBytes, logicalBytesPerSecond: perSecond, ratio };
}

function restorePart({ name, args, elapsedMs, exitCode, live, backupId, copy }: Restore): ResultBackups['restores'][number] {
  return {
    name,
    command: ['coditect-dr', 'backup', ...args].join(' '),
    elapsedMs,
    exitCode,
    live,
    backupId,
    matches: copy === null ? null : copy.stateMs !== null,
    stateMs: copy?.stateMs ?? null,
    problems: [...(copy?.problems ?? [])],
    entries: copy?.entries ?? 0,
    bulkEntries: copy?.bulkEntries ?? 0,
    logicalBytes: copy?.bytes ?? 0,
  };
}
