import { quantile } from '../measure/quantile.ts';
import type { ResultDocument } from '../report/result-shape.ts';

/** The four of issue 7: a partition without a failover, a dead region, a killed database, a killed controller. */
export const SIDE_BY_SIDE = ['region-partition', 'region-loss', 'database-kill', 'controller-kill'] as const;
export const PLATFORMS = ['local', 'kubernetes'] as const;
type PlatformName = (typeof PLATFORMS)[number];

export interface Played {
  readonly scenario: string;
  readonly platform: PlatformName;
  readonly result: ResultDocument;
}

export interface Side {
  readonly verdicts: readonly string[];
  /** [lower, upper] of each run that recovered, ascending by the upper. */
  readonly recoveryMs: readonly (readonly [number, number])[];
  readonly injectionLatencyMs: readonly number[];
  readonly manifests: readonly string[];
}
export interface Compared {
  readonly scenario: string;
  readonly sides: Readonly<Record<PlatformName, Side>>;
  readonly sameVerdicts: boolean;
  readonly sameManifests: boolean;
  /** Median of the upper bounds: by so much the second is above the first; null where there was no outage to recover from. */
  readonly differenceMs: number | null;
  /** Half of what the local platform's own runs differ from each other, and the interval of one: what a difference has to be above to be one. */
  readonly doubtMs: number | null;
}

/** Both platforms beside each other. Pure. */
export function compare(played: readonly Played[]): readonly Compared[] {
  return [...Map.groupBy(played, ({ scenario }) => scenario)].map(([scenario, runs]) => {
    const sides = Object.fromEntries(
      PLATFORMS.map((platform) => [platform, side(runs.filter((run) => run.platform === platform).map(({ result }) => result))]),
    ) as Record<PlatformName, Side>;
    const { local, kubernetes } = sides;
    const [a, b] = [median(local), median(kubernetes)];
    const all = (one: Side): string => [...new Set(one.verdicts)].toSorted().join();
    return {
      scenario,
      sides,
      sameVerdicts: local.verdicts.length > 0 && local.verdicts.length === kubernetes.verdicts.length && all(local) === all(kubernetes),
      sameManifests: local.manifests.length > 0 && local.manifests.join() === kubernetes.manifests.join(),
      differenceMs: a === null || b === null ? null : b - a,
      doubtMs: a === null ? null : doubt(local),
    };
  });
}

export const compares = (all: readonly Compared[]): boolean =>
  all.length > 0 &&
  all.every(({ sameVerdicts, sameManifests, differenceMs, doubtMs }) => {
    const close = differenceMs === null || (doubtMs !== null && Math.abs(differenceMs) <= doubtMs);
    return sameVerdicts && sameManifests && close;
  });

function side(results: readonly ResultDocument[]): Side {
  const recovered = results.flatMap(({ recovery }) => (recovery.state === 'recovered' ? [recovery] : []));
  const faults = results.flatMap((result) => result.faults);
  return {
    verdicts: results.map(({ verdict }) => verdict.outcome),
    recoveryMs: recovered.map(({ lowerMs, upperMs }) => [lowerMs, upperMs] as const).toSorted((x, y) => x[1] - y[1]),
    injectionLatencyMs: faults
      .flatMap((one) => (one.injectionLatencyMs === null ? [] : [one.injectionLatencyMs]))
      .toSorted((x, y) => x - y),
    manifests: [...new Set(faults.map((one) => one.manifestSha256))].toSorted(),
  };
}

const uppers = (one: Side): readonly number[] => one.recoveryMs.map(([, upper]) => upper);
const median = (one: Side): number | null => (one.recoveryMs.length === 0 ? null : quantile(uppers(one), 0.5));

function doubt(local: Side): number {
  const times = uppers(local);
  const widths = local.recoveryMs.map(([lower, upper]) => upper - lower);
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 2 + Math.max(...widths);
}

export function kubernetesTable(all: readonly Compared[]): string {
  const s = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const rows = all.flatMap(({ scenario, sides }) =>
    PLATFORMS.map((platform) => {
      const { verdicts, recoveryMs, injectionLatencyMs } = sides[platform];
      const times = recoveryMs.map(([, upper]) => upper);
      const spread = times.length === 0 ? ['–', '–', '–'] : [0, 0.5, 1].map((share) => s(quantile(times, share)));
      const latency = injectionLatencyMs.length === 0 ? '–' : `${Math.round(quantile(injectionLatencyMs, 0.5))} ms`;
      return `| ${[scenario, platform, `${verdicts.filter((one) => one === 'pass').length} of ${verdicts.length}`, ...spread, latency].join(' | ')} |`;
    }),
  );
  const head = ['| scenario | platform | passed | recovery min | median | max | injection, median |', '|---|---|---|---|---|---|---|'];
  const words = all.map(({ scenario, sameVerdicts, sameManifests, differenceMs, doubtMs }) => {
    const times = differenceMs === null ? 'no outage on one side' : `medians differ by ${s(differenceMs)}, doubt ${s(doubtMs ?? 0)}`;
    return `- ${scenario}: verdicts ${sameVerdicts ? 'the same' : 'DIFFER'}, manifests ${sameManifests ? 'byte-identical' : 'DIFFER'}, ${times}`;
  });
  return [...head, ...rows, '', ...words].join('\n');
}
