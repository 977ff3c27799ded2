import { bytes, duration, plural, recoveryText, whole } from './figures.ts';
import { machineText } from './machine-text.ts';
import { inline, table } from './markdown.ts';
import type { ResultDocument, ResultTarget } from './result-shape.ts';
import { systemText } from './system-text.ts';

/** `summary.md`: the run for somebody who reads a pull request or a chat, in one screen. */
export function summaryMarkdown(result: ResultDocument): string {
  const { scenario, verdict } = result;
  return `${[
    `# ${inline(scenario.name)}: ${verdict.outcome.toUpperCase()}`,
    inline(verdict.reason),
    `> ${inline(scenario.question)}`,
    table(['', 'asked', 'measured', 'verdict'], result.targets.map(targetRow)),
    section('Timeline', result.faults.map(faultLines).join('\n\n')),
    section(
      'Checks',
      table(
        ['check', 'verdict', 'what it says'],
        result.findings.map((one) => [inline(one.check), one.outcome, inline(one.message)]),
      ),
    ),
    section('Vantages', table(['vantage', 'good', 'slow', 'failed', 'unknown', 'p99', 'recovery'], result.vantages.map(vantageRow))),
    orders(result),
    backups(result),
    lostWrites(result),
    section('What this does not prove', result.whatThisDoesNotProve.map((line) => `- ${inline(line)}`).join('\n')),
    environment(result),
    machine(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

const TARGET_LABEL = {
  'recovery-time': 'recovery time',
  'write-pause': 'pause of writes',
  'brown-out': 'brown-out',
  'recovery-point': 'recovery point',
  'lost-writes': 'lost writes',
  'backup-age': 'age of the backup',
  'restore-time': 'restore',
} as const;

export function askedText(target: ResultTarget): string {
  if (target.asked === null) return 'not asked';
  if (target.asked === 0) return target.unit === 'ms' ? '0 ms' : '0';
  return target.unit === 'ms' ? `≤ ${duration(target.asked).replace(/\.0+ s$/, ' s')}` : `≤ ${whole(target.asked)}`;
}

function targetRow(target: ResultTarget): readonly string[] {
  return [TARGET_LABEL[target.name], askedText(target), target.text, target.outcome];
}

function faultLines(fault: ResultDocument['faults'][number]): string {
  const steps = fault.differences.map(({ from, to, ms }) => `${from.replace(/^t\d+/, '')} → ${to.replace(/^t\d+/, '')} ${duration(ms)}`);
  return [
    `**${inline(fault.fault)}** (${inline(fault.kind)} ${inline(fault.action)}, ${inline(fault.manifestFile)})`,
    ...steps.map((step) => `- ${step}`),
  ].join('\n');
}

function vantageRow(vantage: ResultDocument['vantages'][number]): readonly string[] {
  const recovery = vantage.recovery.map((one) => recoveryText(one.recovery)).join(', ') || '–';
  return [
    inline(vantage.vantage) + (vantage.mustRecover ? ' *' : ''),
    whole(vantage.good),
    whole(vantage.slow),
    whole(vantage.failed),
    whole(vantage.unknown),
    vantage.latencyMs === null ? '–' : duration(vantage.latencyMs.p99),
    recovery,
  ];
}

function orders(result: ResultDocument): string {
  const rows = result.orders.map(({ command, givenMs, endedMs, exitCode }) => [
    inline(command),
    duration(givenMs),
    duration(endedMs - givenMs),
    exitCode === null ? 'killed' : String(exitCode),
  ]);
  return section('Orders of the operator', table(['command', 'given at', 'took', 'exit code'], rows));
}

function backups({ backups: of }: ResultDocument): string {
  if (of === null) return '';
  const exit = (code: number | null): string => (code === null ? 'killed' : String(code));
  const made = of.made.map((one) => [
    inline(one.name ?? 'unnamed'),
    duration(one.elapsedMs),
    bytes(one.storedBytes),
    one.logicalBytesPerSecond === null ? '–' : `${bytes(one.logicalBytesPerSecond)}/s`,
    one.ratio === null ? '–' : one.ratio.toFixed(2),
    exit(one.exitCode),
  ]);
  const restored = of.restores.map((one) => [
    inline(one.name),
    inline(one.command),
    duration(one.elapsedMs),
    exit(one.exitCode),
    one.matches === null
      ? one.live
        ? 'judged with its region'
        : 'no copy'
      : one.matches
        ? 'matches the ledger'
        : inline(one.problems.join('; ')),
  ]);
  const load = of.bulk.map((one) => [
    inline(one.name),
    whole(one.iterations),
    whole(one.dropped),
    `${(one.failedShare * 100).toFixed(1)} %`,
    one.latencyMs === null ? '–' : duration(one.latencyMs.p95),
  ]);
  const age =
    of.recoveryPoint === null
      ? ''
      : `Newest proved backup when ${inline(of.recoveryPoint.fault)} took effect: ${duration(of.recoveryPoint.ageMs)} old.`;
  const parts = [
    table(['backup', 'took', 'stored', 'data', 'ratio', 'exit code'], made),
    table(['restored', 'command', 'took', 'exit code', 'against the ledger'], restored),
    table(['bulk load (k6)', 'sent', 'dropped', 'failed', 'p95'], load),
    age,
  ];
  return section('Backups', parts.filter((part) => part !== '').join('\n\n'));
}

function lostWrites(result: ResultDocument): string {
  const { writes } = result;
  const bulk =
    writes.lostOfBulk === 0 ? '' : `${whole(writes.lostOfBulk)} of them are of a bulk load, which tells neither their keys nor when.`;
  if (writes.lost.length === 0) return section('Lost writes', bulk);
  const shown = writes.lost.slice(0, 20);
  const rows = shown.map((one) => [
    inline(one.key),
    one.op,
    inline(one.vantage),
    inline(one.region ?? '?'),
    duration(one.completedMs),
    String(one.line),
  ]);
  const rest = writes.lost.length - shown.length;
  const more = rest > 0 ? `\n\n… and ${plural(rest, 'other')}, all in result.json.` : '';
  return section('Lost writes', table(['key', 'op', 'vantage', 'acknowledged by', 'at', 'line'], rows) + more + (bulk && `\n\n${bulk}`));
}

function environment(result: ResultDocument): string {
  const { environment: machine, scenario } = result;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return inline(
    `Run ${result.runId}, ${result.startedWall}, ${duration(result.durationMs)}; ${systemText(scenario)}, ` +
      `seed ${machine.seed}; ${machine.kernel}, ${plural(machine.cpus, 'CPU')}, node ${machine.node}${versions.length > 0 ? `; ${versions.join(', ')}` : ''}.`,
  );
}

function machine(result: ResultDocument): string {
  const text = machineText(result);
  return text === null ? '' : `The machine meanwhile: ${text}.`;
}

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`;
}
