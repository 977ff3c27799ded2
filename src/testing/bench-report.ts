import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { systemClock } from '../platform/clock.ts';

export interface BenchReport {
  readonly name: string;
  readonly title: string;
  /** null: the claim holds. */
  readonly problem: string | null;
  readonly data: object;
  readonly lines: readonly string[];
}

/** Writes reports/benchmarks/<name>.json and .md with what they were measured on, and sets the exit code. */
export function publishBench({ name, title, problem, data, lines }: BenchReport): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    kernel: `Linux ${release()}`,
    node: process.version,
    loadAverage: loadavg().map((load) => Math.round(load * 10) / 10),
  };
  const at = systemClock.wall().toISOString();
  mkdirSync('reports/benchmarks', { recursive: true });
  writeFileSync(
    `reports/benchmarks/${name}.json`,
    `${JSON.stringify({ name, at, passed: problem === null, problem, machine, ...data }, null, 2)}\n`,
  );
  const made = `${at.slice(0, 10)}, ${machine.cpus} × ${machine.cpu}, ${machine.kernel}, Node ${machine.node}, load ${machine.loadAverage.join(' ')}`;
  const text = [
    `# ${title}`,
    '',
    ...(problem === null ? [] : [`FAILED: ${problem}`, '']),
    ...lines,
    '',
    `${made}. Repeat: \`./scripts/bench ${name}\`.`,
    '',
  ];
  writeFileSync(`reports/benchmarks/${name}.md`, text.join('\n'));
  process.stderr.write(`${text.join('\n')}\n`);
  if (problem !== null) process.exitCode = 1;
}
