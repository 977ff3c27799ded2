import type { VerdictOutcome } from '../check/verdict.ts';
import { quantile } from '../measure/quantile.ts';
import { UNKNOWN } from '../platform/revision.ts';
import type { PlayedRun, PolicyExpectation } from './failover.ts';
import type { BegunDay } from './kept-runs.ts';

/** Whose recovery is broken down. */
const BROKEN_DOWN = ['region-loss', 'frozen-primary', 'one-way-mute', 'one-way-deaf'];
const PHASES = {
  recovery: 'recovery time (upper bound, worst vantage)',
  detect: 'detect',
  decide: 'decide',
  acquire: 'take the epoch',
  fence: 'fence (beside it: catch up)',
  catchUp: 'catch up: seal what is complete',
  promote: 'promote: to the first commit',
  dns: "DNS's share",
  firstSuccess: 'first success: first commit to the first operation of sustained service',
} as const;
/** The seed's own claim (ADR-010, part 2). */
const SEED = 'The seed document gives 12.3 s ± 1.2 for a failover and 2.1 min for the whole.';

/**
 * Why a run breaks a promise that its scenario makes, or makes too few; null when it keeps them: no acknowledged write lost in sync mode, never two that acknowledge, not
 * two failovers. The scenario must declare them, and the checks must have been able to say so. One that allows a loss in sync mode comes back from a backup: it promises
 * neither the writes since nor how often the service moves, and its verdict holds the loss against the objective.
 */
export function brokenPromise(run: PlayedRun): string | null {
  const { replication, checks, lost, splitBrain, expectFailover, expectLoss, moves } = run;
  const fromBackup = replication === 'sync' && expectLoss === 'allowed';
  if (splitBrain > 0 || checks.singlePrimary !== 'pass') return `split brain: ${checks.singlePrimary}`;
  if (replication === 'sync' && ((lost !== 0 && !fromBackup) || checks.lostWrites !== 'pass')) return `lost writes: ${lost ?? 'unknown'}`;
  if (fromBackup) return null;
  if (expectFailover === 'allowed') return 'the scenario allows any number of failovers';
  // A failback is the second move of two that were ordered.
  if (checks.expectedFailover !== 'pass' || (expectFailover !== 'ordered' && moves > 1))
    return `${moves} moves: ${checks.expectedFailover}`;
  return null;
}

/** What was to be played: names of scenarios, variants each by its own. */
export interface Asked {
  readonly scenarios: readonly string[];
  readonly repeat: number;
  /** Game days that began and did not come to their end. */
  readonly brokenOff?: readonly BegunDay[];
  /** Of the bench, and nobody asked for them: what is there may hold, and is a part. */
  readonly unasked?: readonly string[];
}

/** What keeps these runs from being the bench that was asked for, however each of them ended. */
function shortcomings(runs: readonly PlayedRun[], { scenarios, repeat, brokenOff = [] }: Asked): readonly string[] {
  const of = (name: string): number => new Set(runs.filter(({ scenario }) => scenario === name).map(({ runId }) => runId)).size;
  const missing = scenarios.filter((name) => of(name) < repeat).map((name) => `${name}: ${of(name)} of ${repeat} runs`);
  // A pass of a program that has changed since says nothing of the one that is there now, and times of two machines are no samples of one thing.
  const machines = [...new Set(runs.map(({ machine }) => machine))];
  return [...missing, ...brokenOff.map(brokenOffInWords), ...notOne('revision', revisionsOf(runs)), ...notOne('machine', machines)];
}

/** What a game day would have shown that broke off; one that was played later shows another. */
export const brokenOffInWords = ({ begun, wall }: BegunDay): string =>
  `${begun}, begun ${wall}: broke off, and nobody knows what it would have shown`;

/** What keeps runs from being of one revision, or of one machine. */
export function notOne(what: 'revision' | 'machine', all: readonly string[]): readonly string[] {
  const several = all.length < 2 ? [] : [`the runs are of ${all.length} ${what}s: ${all.join(', ')}`];
  return all.includes(UNKNOWN) ? [...several, `nobody knows of which ${what} some of the runs are`] : several;
}

export function failoverHolds(runs: readonly PlayedRun[], asked: Asked): boolean {
  const complete = runs.length > 0 && shortcomings(runs, asked).length === 0;
  return complete && runs.every((run) => run.verdict.outcome === 'pass' && brokenPromise(run) === null);
}

/** Of what is in pieces, or has a run that proves nothing, nobody knows whether it will hold. */
export function failoverVerdict(runs: readonly PlayedRun[], asked: Asked): VerdictOutcome {
  if (failoverHolds(runs, asked)) return 'pass';
  const speaksAgainst = (run: PlayedRun): boolean =>
    run.verdict.outcome === 'fail' || (run.verdict.outcome === 'pass' && brokenPromise(run) !== null);
  return runs.some(speaksAgainst) ? 'fail' : 'inconclusive';
}

const revisionsOf = (runs: readonly PlayedRun[]): readonly string[] => [...new Set(runs.map(({ revision }) => revision))];

export function failoverTable(runs: readonly PlayedRun[], expectations: readonly PolicyExpectation[], asked: Asked): string {
  const scenarios = byScenario(runs);
  return [
    `${runs.length} runs of ${scenarios.size} scenarios; ${loads(runs)}. Engine ${revisionsOf(runs).join(', ')}.`,
    '',
    ...warning(runs, asked),
    ...promises(scenarios),
    '',
    '## Where the time went',
    '',
    ...BROKEN_DOWN.flatMap((name) => phases(name, scenarios.get(name) ?? [])),
    "Detect, decide and what follows up to the first commit are by the log of the engine, placed on the harness's clock; recovery time, DNS's share and first success are measured from outside.",
    '',
    '## Planned moves',
    '',
    ...pauses(scenarios),
    '',
    '## What the policies alone make of a lost region',
    '',
    ...expected(expectations),
    '',
    ...others(runs),
  ].join('\n');
}

export function loads(runs: readonly PlayedRun[]): string {
  const sorted = runs.map(({ load }) => load).sort((a, b) => a - b);
  const median = sorted.length === 0 ? '–' : quantile(sorted, 0.5).toFixed(1);
  return `load of the machine as a run began: median ${median}, highest ${(sorted.at(-1) ?? 0).toFixed(1)}`;
}

/** What stands before all figures that are not those of the whole bench; nothing where they are. */
export function warning(runs: readonly PlayedRun[], asked: Asked): readonly string[] {
  const unasked = (asked.unasked ?? []).filter((name) => !runs.some(({ file }) => file.endsWith(`/${name}.yaml`)));
  const short = [...shortcomings(runs, asked), ...(unasked.length === 0 ? [] : [`not asked for: ${unasked.join(', ')}`])];
  if (short.length === 0) return [];
  return ['**Not the whole bench**, so that it proves nothing as a whole:', ...short.map((one) => `- ${one}`), ''];
}

export function byScenario(runs: readonly PlayedRun[]): ReadonlyMap<string, readonly PlayedRun[]> {
  return Map.groupBy(runs, ({ scenario }) => scenario);
}

/** What every scenario kept, a row each. */
export function promises(scenarios: ReadonlyMap<string, readonly PlayedRun[]>): readonly string[] {
  const rows = [...scenarios].map(([name, runs]) => {
    const passed = runs.filter(({ verdict }) => verdict.outcome === 'pass').length;
    const lost = runs.reduce((sum, run) => sum + (run.lost ?? 0), 0);
    const acknowledged = runs.reduce((sum, run) => sum + run.acknowledged, 0);
    const broken = runs.filter((run) => brokenPromise(run) !== null).length;
    const moves = [...new Set(runs.map((run) => run.moves))].sort((a, b) => a - b).join(', ');
    const { median, p95 } = spread(runs.map((run) => run.breakdown['recovery'] ?? null));
    return `| ${name} | ${runs.length} | ${passed} | ${broken} | ${acknowledged} | ${lost} | ${moves} | ${median} | ${p95} |`;
  });
  return [
    '| scenario | n | passed | broke a promise | acknowledged writes | lost | moves of the service | recovery, median ms | p95 |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ];
}

function phases(name: string, runs: readonly PlayedRun[]): readonly string[] {
  if (runs.length === 0) return [`${name}: not played.`, ''];
  const rows = Object.entries(PHASES).map(([key, what]) => {
    const { n, median, p95, max } = spread(runs.map((run) => run.breakdown[key] ?? null));
    return `| ${what} | ${n} | ${median} | ${p95} | ${max} |`;
  });
  return [`| ${name}, milliseconds | n | median | p95 | max |`, '|---|---|---|---|---|', ...rows, ''];
}

function pauses(scenarios: ReadonlyMap<string, readonly PlayedRun[]>): readonly string[] {
  const rows = ['switchover', 'failback'].flatMap((name) => {
    const runs = scenarios.get(name) ?? [];
    if (runs.length === 0) return [`| ${name} | 0 | – | – | – | – |`];
    const { n, median, p95, max } = spread(runs.map(({ writePauseMs }) => writePauseMs));
    return [`| ${name} | ${n} | ${median} | ${p95} | ${max} | ${runs.reduce((sum, { lost }) => sum + (lost ?? 0), 0)} |`];
  });
  return ['| longest pause of writes, ms | n | median | p95 | max | lost |', '|---|---|---|---|---|---|', ...rows];
}

function expected(expectations: readonly PolicyExpectation[]): readonly string[] {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const rows = expectations.map(({ preset, ttlSeconds, expected: { decided, fenced, nameForgotten, service } }) => {
    const cells = [decided, fenced, nameForgotten, service].map(
      (of) => `${seconds(of.meanMs)} (${seconds(of.earliestMs)}–${seconds(of.latestMs)})`,
    );
    return `| ${preset}, TTL ${ttlSeconds} s | ${cells.join(' | ')} |`;
  });
  const head = ['| seconds, mean (earliest–latest) | decided | old lease over | name forgotten | service |', '|---|---|---|---|---|'];
  return [...head, ...rows, '', `Computed (\`coditect-dr policy\`), without round trips, disks and the client's own connection. ${SEED}`];
}

/** Runs that did not pass, each with the reason. */
export function others(runs: readonly PlayedRun[]): readonly string[] {
  const told = runs.flatMap((run) => {
    const broken = brokenPromise(run);
    if (broken === null && run.verdict.outcome === 'pass') return [];
    return [
      `- ${run.scenario}, ${run.runId} (load ${run.load.toFixed(1)}): ${run.verdict.outcome}: ${run.verdict.reason}${broken === null ? '' : `; ${broken}`}`,
    ];
  });
  return told.length === 0 ? ['Every run that was played passed.'] : ['## Runs that did not pass', '', ...told];
}

interface Shown {
  readonly n: number;
  readonly median: string;
  readonly p95: string;
  readonly max: string;
}

export function spread(values: readonly (number | null)[]): Shown {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number): string => (sorted.length === 0 ? '–' : String(Math.round(quantile(sorted, share))));
  return { n: sorted.length, median: at(0.5), p95: at(0.95), max: at(1) };
}
