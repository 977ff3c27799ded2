import { worst, type RunResult } from '../check/verdict.ts';
import { brownOutLimit } from '../measure/brown-out.ts';
import { lostOfBulk } from '../measure/bulk.ts';
import type { BrownOut } from '../measure/measurement.ts';
import { duration, plural, recoveryText, span } from './figures.ts';
import type { ResultTarget } from './result-shape.ts';

/** What was asked against what was measured, with the outcome of the check that judges it. */
export function targetsPart(run: RunResult): ResultTarget[] {
  const { scenario, measurement, verdict } = run;
  const { recovery, writes, writePause } = measurement;
  const outcomeOf = (check: string): ResultTarget['outcome'] => verdict.findings.find((one) => one.check === check)?.outcome ?? 'skipped';
  const lost = writes.readBackRegion === null ? null : writes.lost.length + lostOfBulk(measurement);
  return [
    {
      name: 'recovery-time',
      asked: scenario.targets.recoveryTimeMs,
      unit: 'ms',
      measured: recovery.state === 'recovered' ? { lowerMs: recovery.lowerMs, upperMs: recovery.upperMs } : null,
      text: recoveryText(recovery),
      outcome: outcomeOf('recovery-time'),
    },
    ...(scenario.targets.writePauseMs === null
      ? []
      : [
          {
            name: 'write-pause' as const,
            asked: scenario.targets.writePauseMs,
            unit: 'ms' as const,
            measured: writePause?.pauseMs ?? null,
            text: writePause === null ? 'not measured' : duration(writePause.pauseMs),
            outcome: outcomeOf('write-pause'),
          },
        ]),
    ...brownOutTarget(run),
    {
      name: 'recovery-point',
      asked: scenario.targets.recoveryPointMs,
      unit: 'ms',
      measured: writes.recoveryPointMs,
      text: writes.recoveryPointMs === null ? 'not measured' : `${writes.lostFromStart ? '> ' : ''}${duration(writes.recoveryPointMs)}`,
      outcome: outcomeOf('recovery-point'),
    },
    {
      name: 'lost-writes',
      asked: scenario.targets.lostWrites,
      unit: 'writes',
      measured: lost,
      text: lost === null ? 'not measured' : plural(lost, 'write'),
      outcome: outcomeOf('lost-writes'),
    },
    ...backupTargets(run, outcomeOf),
  ];
}

/** The vantages together: each has a finding of its own. */
function brownOutTarget({ scenario, measurement: { brownOuts }, verdict }: RunResult): ResultTarget[] {
  const limit = brownOutLimit(scenario);
  if (limit === null) return [];
  const most = (of: (one: BrownOut) => number): number => Math.max(0, ...brownOuts.map(of));
  const measured = { lowerMs: most((one) => one.lowerMs), upperMs: most((one) => one.upperMs) };
  const outcome = worst(verdict.findings.filter((one) => one.check === 'brown-out').map((one) => one.outcome));
  const text = brownOuts.length === 0 ? 'none' : span(measured.lowerMs, measured.upperMs);
  return [{ name: 'brown-out', asked: limit.ms, unit: 'ms', measured, text, outcome }];
}

/** Only where they are asked for: most scenarios have no backups. */
function backupTargets(
  { scenario: { targets: asked }, measurement: { backups } }: RunResult,
  outcomeOf: (check: string) => ResultTarget['outcome'],
): ResultTarget[] {
  const restored = (backups?.restores ?? []).filter(({ exitCode }) => exitCode === 0).map(({ elapsedMs }) => elapsedMs);
  const of = (name: 'backup-age' | 'restore-time', limitMs: number | null | undefined, measured: number | null): ResultTarget[] =>
    limitMs === null || limitMs === undefined
      ? []
      : [
          {
            name,
            asked: limitMs,
            unit: 'ms',
            measured,
            text: measured === null ? 'not measured' : duration(measured),
            outcome: outcomeOf(name),
          },
        ];
  return [
    ...of('backup-age', asked.backupAgeMs, backups?.recoveryPoint?.ageMs ?? null),
    ...of('restore-time', asked.restoreTimeMs, restored.length === 0 ? null : Math.max(...restored)),
  ];
}
