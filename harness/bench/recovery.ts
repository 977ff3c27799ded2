import { quantile } from '../measure/quantile.ts';
import type { ResultDocument } from '../report/result-shape.ts';

export interface Spread {
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface RecoveryStatistics {
  readonly runs: number;
  readonly passed: number;
  /** Runs that did not pass, or whose recovery was not measured: a reason each. */
  readonly otherwise: readonly string[];
  /** Upper bound of the recovery interval at the worst vantage. */
  readonly recoveryMs: Spread;
  readonly intervalWidthMs: Spread;
  /** What the client itself stood still; the rest of the width is probe period and injection. */
  readonly clientAwayMs: Spread;
  /** How long the first good operation took. */
  readonly firstOperationMs: Spread;
  readonly dnsShareMs: Spread;
  readonly detectMs: Spread;
  readonly decideMs: Spread;
  readonly promoteMs: Spread;
  readonly firstGoodMs: Spread;
  readonly injectionLatencyMs: Spread;
  readonly injectionSkewMs: Spread;
}

/** Spread over repeated runs of one scenario. The recovery time counts with its upper bound: no run is made to look better than it was. */
export function recoveryStatistics(results: readonly ResultDocument[]): RecoveryStatistics {
  const recovered = results.flatMap(({ recovery }) => (recovery.state === 'recovered' ? [recovery] : []));
  const faults = results.flatMap((result) => result.faults);
  const step = (from: keyof (typeof faults)[number]['points'], to: keyof (typeof faults)[number]['points']): Spread =>
    spread(faults.map(({ points }) => difference(points[from] ?? null, points[to] ?? null)));
  return {
    runs: results.length,
    passed: results.filter(({ verdict }) => verdict.outcome === 'pass').length,
    otherwise: results
      .filter(({ recovery, verdict }) => recovery.state !== 'recovered' || verdict.outcome !== 'pass')
      .map(({ runId, verdict }) => `${runId}: ${verdict.reason}`),
    recoveryMs: spread(recovered.map((one) => one.upperMs)),
    intervalWidthMs: spread(recovered.map((one) => one.upperMs - one.lowerMs)),
    firstOperationMs: spread(recovered.map((one) => one.firstOperationMs)),
    clientAwayMs: spread(recovered.map((one) => one.clientAwayMs)),
    dnsShareMs: spread(recovered.map((one) => one.dnsShareMs)),
    detectMs: step('t1Effect', 't3Detected'),
    decideMs: step('t3Detected', 't4Decided'),
    promoteMs: step('t4Decided', 't5Writable'),
    firstGoodMs: step('t5Writable', 't6FirstGood'),
    injectionLatencyMs: spread(faults.map((one) => one.injectionLatencyMs)),
    injectionSkewMs: spread(faults.map((one) => one.injectionSkewMs)),
  };
}

/** Every run that was asked for was played, passed, and had a recovery to measure. */
export function recoveryHolds({ runs, passed, recoveryMs }: RecoveryStatistics, asked: number): boolean {
  return runs >= asked && passed === runs && recoveryMs.n === runs;
}

const difference = (from: number | null, to: number | null): number | null => (from === null || to === null ? null : to - from);

function spread(values: readonly (number | null)[]): Spread {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { n: sorted.length, min: at(0), median: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

const ROWS = {
  recoveryMs: 'recovery time (upper bound, worst vantage)',
  detectMs: 'detect (t1→t3)',
  decideMs: 'decide (t3→t4)',
  promoteMs: 'fence, seal, promote (t4→t5)',
  firstGoodMs: 'first good operation (t5→t6)',
  dnsShareMs: "of it DNS's share",
  intervalWidthMs: 'width of the interval',
  clientAwayMs: 'of it the client itself stood still',
  firstOperationMs: 'the first good operation took',
  injectionLatencyMs: 'injection latency',
  injectionSkewMs: 'injection skew',
} as const;

export function recoveryTable(statistics: RecoveryStatistics): string {
  const ms = (value: number): string => (Number.isNaN(value) ? '–' : value < 10 ? value.toFixed(1) : String(Math.round(value)));
  const rows = (Object.keys(ROWS) as (keyof typeof ROWS)[]).map((key) => {
    const { n, min, median, p95, p99, max } = statistics[key];
    return `| ${[ROWS[key], String(n), ...[min, median, p95, p99, max].map(ms)].join(' | ')} |`;
  });
  const head = ['| milliseconds | n | min | median | p95 | p99 | max |', '|---|---|---|---|---|---|---|'];
  const verdicts = `${statistics.passed} of ${statistics.runs} runs passed.`;
  return [...head, ...rows, '', verdicts, ...statistics.otherwise.map((reason) => `- ${reason}`)].join('\n');
}
