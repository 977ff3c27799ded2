import { quantile } from '../measure/quantile.ts';
import { PLATFORMS, SIDE_BY_SIDE, type SideRun } from './kubernetes.ts';

type PlatformName = SideRun['platform'];

interface Side {
  readonly runs: number;
  readonly passed: number;
  readonly verdicts: readonly string[];
  /** [lower, upper] of each run that recovered, ascending by the upper. */
  readonly recoveryMs: readonly (readonly [number, number])[];
  readonly injectionLatencyMs: readonly number[];
  readonly manifests: readonly string[];
  readonly load: readonly number[];
}

export interface Compared {
  readonly scenario: string;
  readonly sides: Readonly<Record<PlatformName, Side>>;
  readonly sameVerdicts: boolean;
  readonly sameManifests: boolean;
  /** Median of the upper bounds: by so much the second is above the first; null where there was no outage to recover from. */
  readonly differenceMs: number | null;
  /** Half of what the local platform's own runs differ from each other, and the widest interval of one: what a difference has to be above to be one. */
  readonly doubtMs: number | null;
}

/** Both platforms beside each other. Pure. */
export function compare(played: readonly SideRun[]): readonly Compared[] {
  return [...Map.groupBy(played, ({ scenario }) => scenario)].map(([scenario, runs]) => {
    const sides = Object.fromEntries(
      PLATFORMS.map((platform) => [platform, side(runs.filter((run) => run.platform === platform))]),
    ) as Record<PlatformName, Side>;
    const { local, kubernetes } = sides;
    const [a, b] = [median(local), median(kubernetes)];
    const kinds = (one: Side): string => [...new Set(one.verdicts)].toSorted().join();
    return {
      scenario,
      sides,
      sameVerdicts: local.runs > 0 && kinds(local) === kinds(kubernetes),
      sameManifests: local.manifests.length > 0 && local.manifests.join() === kubernetes.manifests.join(),
      differenceMs: a === null || b === null ? null : b - a,
      doubtMs: a === null ? null : doubt(local),
    };
  });
}

/** All four were played so often on each, with the same verdicts of the same manifests, and recover within what the local platform's runs differ. */
export function compares(all: readonly Compared[], repeat: number): boolean {
  const played = SIDE_BY_SIDE.every((name) => all.some(({ scenario }) => scenario === name));
  return (
    played &&
    all.every(({ sides, sameVerdicts, sameManifests, differenceMs, doubtMs }) => {
      const often = PLATFORMS.every((platform) => sides[platform].runs >= repeat && sides[platform].passed === sides[platform].runs);
      const outage = sides.local.recoveryMs.length > 0 === sides.kubernetes.recoveryMs.length > 0;
      const close = differenceMs === null ? outage : doubtMs !== null && Math.abs(differenceMs) <= doubtMs;
      return often && sameVerdicts && sameManifests && close;
    })
  );
}

function side(runs: readonly SideRun[]): Side {
  const recovered = runs.flatMap(({ recovery }) => (recovery === null ? [] : [[recovery.lowerMs, recovery.upperMs] as const]));
  return {
    runs: runs.length,
    passed: runs.filter(({ verdict }) => verdict.outcome === 'pass').length,
    verdicts: runs.map(({ verdict }) => verdict.outcome),
    recoveryMs: recovered.toSorted((x, y) => x[1] - y[1]),
    injectionLatencyMs: ascending(runs.flatMap(({ injectionLatencyMs }) => injectionLatencyMs)),
    manifests: [...new Set(runs.flatMap(({ manifests }) => manifests))].toSorted(),
    load: ascending(runs.map(({ load }) => load)),
  };
}

const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((x, y) => x - y);
const uppers = (one: Side): readonly number[] => one.recoveryMs.map(([, upper]) => upper);
const median = (one: Side): number | null => (one.recoveryMs.length === 0 ? null : quantile(uppers(one), 0.5));

function doubt(local: Side): number {
  const times = uppers(local);
  const widths = local.recoveryMs.map(([lower, upper]) => upper - lower);
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 2 + Math.max(...widths);
}

export function kubernetesTable(all: readonly Compared[]): string {
  const rows = all.flatMap(({ scenario, sides }) => PLATFORMS.map((platform) => row(scenario, platform, sides[platform])));
  const head = [
    '| scenario | platform | passed | recovery min | median | max | injection, median | load |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const words = all.map(({ scenario, sameVerdicts, sameManifests, differenceMs, doubtMs }) => {
    const times =
      differenceMs === null ? 'no outage to compare' : `medians differ by ${seconds(differenceMs)}, doubt ${seconds(doubtMs ?? 0)}`;
    return `- ${scenario}: verdicts ${sameVerdicts ? 'the same' : 'DIFFER'}, manifests ${sameManifests ? 'byte-identical' : 'DIFFER'}, ${times}`;
  });
  const notes = [
    'Recovery: the upper bound, from the request to inject to sustained service. Injection: from the request to the effect that the probes saw.',
    'Doubt: half the range of the local runs, and the widest interval of one. Load: the one-minute load of the machine (2 cores) when the runs began.',
  ];
  return [...head, ...rows, '', ...words, '', ...notes].join('\n');
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

function row(scenario: string, platform: PlatformName, { runs, passed, recoveryMs, injectionLatencyMs, load }: Side): string {
  const times = recoveryMs.map(([, upper]) => upper);
  const spread = times.length === 0 ? ['–', '–', '–'] : [0, 0.5, 1].map((share) => seconds(quantile(times, share)));
  const latency = injectionLatencyMs.length === 0 ? '–' : `${Math.round(quantile(injectionLatencyMs, 0.5))} ms`;
  const loads = load.length === 0 ? '–' : `${load[0]?.toFixed(1)}–${load.at(-1)?.toFixed(1)}`;
  return `| ${[scenario, platform, `${passed} of ${runs}`, ...spread, latency, loads].join(' | ')} |`;
}
