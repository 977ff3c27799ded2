import { quantile } from '../measure/quantile.ts';
import { notOne, brokenOffInWords } from './failover-table.ts';
import type { BegunDay } from './kept-runs.ts';
import { PLATFORMS, SIDE_BY_SIDE, type SideRun } from './kubernetes.ts';

/** Of bench/breakdown.ts: what the engine does, the same on both platforms, and what clients wait for the name alone (up to its TTL, by chance). */
const PHASES = {
  detect: 'detect',
  decide: 'decide',
  acquire: 'take the epoch',
  fence: 'fence',
  promote: 'promote',
  dns: "DNS's share",
} as const;
type Phase = keyof typeof PHASES;
type PlatformName = SideRun['platform'];

interface Side {
  readonly runs: number;
  readonly passed: number;
  readonly verdicts: readonly string[];
  /** [lower, upper] of each run that recovered, ascending by the upper. */
  readonly recoveryMs: readonly (readonly [number, number])[];
  readonly injectionLatencyMs: readonly number[];
  /** Medians, of the runs that recovered. */
  readonly phasesMs: Readonly<Record<Phase, number | null>>;
  readonly manifests: readonly string[];
  readonly load: readonly number[];
}

export interface Compared {
  readonly scenario: string;
  readonly sides: Readonly<Record<PlatformName, Side>>;
  readonly sameVerdicts: boolean;
  readonly sameManifests: boolean;
  /** Of the programs that ran; two of them are no comparison. */
  readonly revisions: readonly string[];
  readonly machines: readonly string[];
  readonly outageExpected: boolean;
  /** Median of the upper bounds: by so much the second is above the first; null where no outage is expected, or one side saw none. */
  readonly differenceMs: number | null;
  /** Half of what the local platform's own runs differ from each other, and the widest interval of one: what a difference has to be above to be one. */
  readonly doubtMs: number | null;
}

/** Both platforms beside each other; a run that was kept twice is one. Pure. */
export function compare(played: readonly SideRun[]): readonly Compared[] {
  const once = [...new Map(played.map((run) => [run.runId, run])).values()];
  return [...Map.groupBy(once, ({ scenario }) => scenario)].map(([scenario, runs]) => {
    const sides = Object.fromEntries(
      PLATFORMS.map((platform) => [platform, side(runs.filter((run) => run.platform === platform))]),
    ) as Record<PlatformName, Side>;
    const { local, kubernetes } = sides;
    const outageExpected = runs.some((run) => run.outageExpected);
    const [a, b] = outageExpected ? [median(local), median(kubernetes)] : [null, null];
    const kinds = (one: Side): string => [...new Set(one.verdicts)].toSorted().join();
    return {
      scenario,
      sides,
      revisions: [...new Set(runs.map(({ revision }) => revision))],
      machines: [...new Set(runs.map(({ machine }) => machine))],
      sameVerdicts: local.runs > 0 && kinds(local) === kinds(kubernetes),
      sameManifests: local.manifests.length > 0 && local.manifests.join() === kubernetes.manifests.join(),
      outageExpected,
      differenceMs: a === null || b === null ? null : b - a,
      doubtMs: a === null ? null : doubt(local),
    };
  });
}

/** All four were played so often on each by one revision on one machine, with the same verdicts of the same manifests, and recover within what the local platform's runs differ. */
export function compares(all: readonly Compared[], repeat: number): boolean {
  const played = SIDE_BY_SIDE.every((name) => all.some(({ scenario }) => scenario === name));
  const one = [...notOne('revision', allOf(all, 'revisions')), ...notOne('machine', allOf(all, 'machines'))].length === 0;
  return (
    played &&
    one &&
    all.every(({ sides, sameVerdicts, sameManifests, outageExpected, differenceMs, doubtMs }) => {
      const often = PLATFORMS.every((platform) => sides[platform].runs >= repeat && sides[platform].passed === sides[platform].runs);
      const close = !outageExpected || (differenceMs !== null && doubtMs !== null && Math.abs(differenceMs) <= doubtMs);
      return often && sameVerdicts && sameManifests && close;
    })
  );
}

const allOf = (all: readonly Compared[], what: 'revisions' | 'machines'): readonly string[] => [
  ...new Set(all.flatMap((one) => one[what])),
];

function side(runs: readonly SideRun[]): Side {
  const recovered = runs.flatMap(({ recovery }) => (recovery === null ? [] : [[recovery.lowerMs, recovery.upperMs] as const]));
  return {
    runs: runs.length,
    passed: runs.filter(({ verdict }) => verdict.outcome === 'pass').length,
    verdicts: runs.map(({ verdict }) => verdict.outcome),
    recoveryMs: recovered.toSorted((x, y) => x[1] - y[1]),
    injectionLatencyMs: ascending(runs.flatMap(({ injectionLatencyMs }) => injectionLatencyMs)),
    phasesMs: Object.fromEntries(
      Object.keys(PHASES).map((phase) => [phase, medianOf(runs.flatMap((run) => run.breakdown[phase] ?? []))]),
    ) as Side['phasesMs'],
    manifests: [...new Set(runs.flatMap(({ manifests }) => manifests))].toSorted(),
    load: ascending(runs.map(({ load }) => load)),
  };
}

const ascending = (numbers: readonly number[]): readonly number[] => numbers.toSorted((x, y) => x - y);
const uppers = (one: Side): readonly number[] => one.recoveryMs.map(([, upper]) => upper);
const medianOf = (times: readonly number[]): number | null => (times.length === 0 ? null : quantile(ascending(times), 0.5));
const median = (one: Side): number | null => medianOf(uppers(one));

function doubt(local: Side): number {
  const times = uppers(local);
  const widths = local.recoveryMs.map(([lower, upper]) => upper - lower);
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 2 + Math.max(...widths);
}

export function kubernetesTable(all: readonly Compared[], brokenOff: readonly BegunDay[] = []): string {
  const rows = all.flatMap(({ scenario, sides }) => PLATFORMS.map((platform) => row(scenario, platform, sides[platform])));
  const head = [
    '| scenario | platform | passed | recovery min | median | max | injection, median | load |',
    '|---|---|---|---|---|---|---|---|',
  ];
  const words = all.map(({ scenario, sides, sameVerdicts, sameManifests, outageExpected, differenceMs, doubtMs }) => {
    const seen = PLATFORMS.map((platform) => `${sides[platform].recoveryMs.length} of ${sides[platform].runs} on ${platform}`).join(', ');
    const times = !outageExpected
      ? `no outage is expected (late answers that count as one: ${seen})`
      : differenceMs === null
        ? `OUTAGE NOT SEEN ON BOTH: ${seen}`
        : `medians differ by ${seconds(differenceMs)}, doubt ${seconds(doubtMs ?? 0)}`;
    return `- ${scenario}: verdicts ${sameVerdicts ? 'the same' : 'DIFFER'}, manifests ${sameManifests ? 'byte-identical' : 'DIFFER'}, ${times}`;
  });
  const notes = [
    'Recovery: the upper bound, from the last look at which the effect had not begun to sustained service. Injection: from the request to the effect that the probes saw.',
    'Doubt: half the range of the local runs, and the widest interval of one. Load: the one-minute load of the machine (2 cores) when the runs began.',
  ];
  const revisions = allOf(all, 'revisions');
  const trouble = [...brokenOff.map(brokenOffInWords), ...notOne('revision', revisions), ...notOne('machine', allOf(all, 'machines'))];
  return [
    `Revision ${revisions.join(', ') || 'unknown'}.`,
    ...trouble.map((one) => `**It proves nothing**: ${one}.`),
    '',
    ...head,
    ...rows,
    '',
    ...words,
    '',
    ...phases(all),
    '',
    ...notes,
  ].join('\n');
}

function phases(all: readonly Compared[]): readonly string[] {
  const cells = ({ phasesMs }: Side): readonly string[] =>
    Object.values(phasesMs).map((ms) => (ms === null ? '–' : String(Math.round(ms))));
  const rows = all
    .filter(({ differenceMs }) => differenceMs !== null)
    .flatMap(({ scenario, sides }) => PLATFORMS.map((platform) => `| ${[scenario, platform, ...cells(sides[platform])].join(' | ')} |`));
  const names = Object.values(PHASES);
  return rows.length === 0
    ? []
    : [
        `| where it went: medians, ms | platform | ${names.join(' | ')} |`,
        `|---|---|${names.map(() => '---|').join('')}`,
        ...rows,
        '',
        "Up to promote by the engine's log; DNS's share is what clients waited for the name alone, anything up to its TTL of 1 s.",
      ];
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

function row(scenario: string, platform: PlatformName, { runs, passed, recoveryMs, injectionLatencyMs, load }: Side): string {
  const times = recoveryMs.map(([, upper]) => upper);
  const spread = times.length === 0 ? ['–', '–', '–'] : [0, 0.5, 1].map((share) => seconds(quantile(times, share)));
  const latency = injectionLatencyMs.length === 0 ? '–' : `${Math.round(quantile(injectionLatencyMs, 0.5))} ms`;
  const loads = load.length === 0 ? '–' : `${load[0]?.toFixed(1)}–${load.at(-1)?.toFixed(1)}`;
  return `| ${[scenario, platform, `${passed} of ${runs}`, ...spread, latency, loads].join(' | ')} |`;
}
