import { quantile } from '../measure/quantile.ts';
import type { ResultDocument } from '../report/result-shape.ts';

/** Of each scenario that was repeated: n, verdicts, and the spread of the recovery time. The objective is judged on the worst. */
export function repetitionSummary(results: readonly ResultDocument[]): string {
  const groups = Map.groupBy(results, (result) => result.scenario.name);
  return [...groups].map(([name, runs]) => `${name}: ${describe(runs)}`).join('\n');
}

function describe(runs: readonly ResultDocument[]): string {
  const verdicts = (['pass', 'fail', 'inconclusive'] as const).flatMap((outcome) => {
    const count = runs.filter((run) => run.verdict.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  const times = runs.flatMap(({ recovery }) => (recovery.state === 'recovered' ? [recovery.upperMs] : [])).toSorted((a, b) => a - b);
  const censored = runs.filter(({ recovery }) => recovery.state === 'censored').length;
  const spread =
    times.length === 0
      ? ''
      : `; recovery time min ${s(quantile(times, 0))}, median ${s(quantile(times, 0.5))}, p95 ${s(quantile(times, 0.95))}, max ${s(quantile(times, 1))}`;
  return `n = ${runs.length}, ${verdicts.join(', ')}${spread}${censored === 0 ? '' : `; ${censored} did not recover in time`}`;
}

const s = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
