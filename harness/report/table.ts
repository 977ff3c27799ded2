import pc from 'picocolors';
import { askedText } from './summary.ts';
import type { ResultDocument, ResultTarget } from './result-shape.ts';
import { duration, lostCount } from './figures.ts';

export interface TableOptions {
  readonly color: boolean;
  /** Columns of the terminal; 0 or undefined: unknown, then as wide as it needs. */
  readonly columns?: number;
}

/** The table at the end of `gameday run`: scenario, verdict, recovery interval, recovery point, lost writes, target; then why not all passed. */
export function resultsTable(results: readonly ResultDocument[], options: TableOptions): string {
  const colors = pc.createColors(options.color);
  const paint = { pass: colors.green, fail: colors.red, inconclusive: colors.yellow };
  const header = ['scenario', 'verdict', 'recovery', 'recovery point', 'lost', 'target', 'took'];
  const rows = results.map((result) => [
    clean(result.scenario.name),
    result.verdict.outcome,
    textOf(result, 'recovery-time'),
    textOf(result, 'recovery-point'),
    String(lostCount(result) ?? '?'),
    targetText(result),
    duration(result.durationMs),
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const body = rows.map((row, index) => {
    const outcome = results[index]?.verdict.outcome ?? 'inconclusive';
    return line(row).replace(outcome, paint[outcome](outcome));
  });
  const reasons = results
    .filter(({ verdict }) => verdict.outcome !== 'pass')
    .map(({ scenario, verdict }) => `${paint[verdict.outcome](`${clean(scenario.name)}:`)} ${clean(verdict.reason)}`);
  return [colors.dim(line(header)), ...body, ...(reasons.length > 0 ? ['', ...reasons] : []), '', totals(results)].join('\n');
}

const find = (result: ResultDocument, name: ResultTarget['name']): ResultTarget | undefined =>
  result.targets.find((one) => one.name === name);
const textOf = (result: ResultDocument, name: ResultTarget['name']): string => find(result, name)?.text ?? '–';

function targetText(result: ResultDocument): string {
  const asked = result.targets.filter((one) => one.asked !== null);
  if (asked.length === 0) return 'none';
  return asked.map((one) => [askedText(one), TARGET_WORD[one.name]].filter((word) => word !== '').join(' ')).join(', ');
}

/** What a target is of, where the table has no column for it right before: a figure without it would be taken for the recovery time. */
const TARGET_WORD: Readonly<Record<ResultTarget['name'], string>> = {
  'recovery-time': '',
  'write-pause': 'pause',
  'brown-out': 'brown-out',
  'recovery-point': '',
  'lost-writes': 'lost',
  'backup-age': 'old',
  'restore-time': 'restore',
};

function totals(results: readonly ResultDocument[]): string {
  const count = (outcome: string): number => results.filter((one) => one.verdict.outcome === outcome).length;
  return `${count('pass')} passed, ${count('fail')} failed, ${count('inconclusive')} inconclusive`;
}

/** Text of a file on a terminal: no control characters, so that a scenario's name cannot move the cursor. */
export function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
