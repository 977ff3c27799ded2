import type { VerdictOutcome } from '../check/verdict.ts';
import { duration, lostCount, plural, recoveryText, whole } from './figures.ts';
import { inline, table } from './markdown.ts';
import type { ResultDocument } from './result-shape.ts';

/** A run's folder and what came of it; null: it broke off, there is nothing to judge. */
export interface DigestRun {
  readonly folder: string;
  readonly result: ResultDocument | null;
  /** Of a scenario that was to be played: that, or a manifest of it, says something else now than when this was played. */
  readonly outdated?: boolean;
}

/** Scenarios that were to be played, each so many times. */
export interface Wanted {
  readonly names: readonly string[];
  readonly times: number;
  /** Undefined: any, but one and the same. */
  readonly engine?: string | undefined;
  /** That the engine was to be of; undefined: any, but one and the same. */
  readonly commit?: string | undefined;
}

export interface Digest {
  readonly outcome: VerdictOutcome;
  readonly reason: string;
  readonly runs: readonly DigestRun[];
  /** Scenarios that were to be played (more often). */
  readonly missing: readonly string[];
}

/**
 * Several runs as one verdict: pass only where everything that was wanted was played to its end, with one engine of one revision, and each run passed. A run that broke off, or was never
 * begun, is inconclusive as nothing is known of it. Pure.
 */
export function digestOf(runs: readonly DigestRun[], wanted: Wanted): Digest {
  const played = runs.flatMap(({ result }) => (result === null ? [] : [result]));
  const brokenOff = runs.length - played.length;
  const outdated = runs.filter((run) => run.outdated === true).length;
  const asWanted = runs.flatMap((run) => (run.result === null || run.outdated === true ? [] : [run.result]));
  // A folder that was copied is no second run.
  const often = (name: string): number => new Set(asWanted.flatMap(({ scenario, runId }) => (scenario.name === name ? [runId] : []))).size;
  const missing = wanted.names.filter((name) => often(name) < wanted.times);
  // What one engine passed says nothing of another.
  const versionsOf = (what: 'engine' | 'revision') => [
    ...new Set(played.map(({ environment }) => environment.versions[what] ?? NOT_NAMED)),
  ];
  const engines = versionsOf('engine');
  const isOfOthers = engines.length > 1 || engines.some((engine) => engine !== (wanted.engine ?? engine));
  const revisions = versionsOf('revision');
  const isOfOtherRevisions = revisions.length > 1 || revisions.some((revision) => wanted.commit?.startsWith(revision) === false);
  const count = (outcome: VerdictOutcome): number => played.filter(({ verdict }) => verdict.outcome === outcome).length;
  const [passed, failed, inconclusive] = [count('pass'), count('fail'), count('inconclusive')];
  const parts = [
    `${passed} of ${plural(runs.length, 'run')} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(inconclusive > 0 ? [`${inconclusive} inconclusive`] : []),
    ...(brokenOff > 0 ? [`${brokenOff} broken off`] : []),
    ...(outdated > 0 ? [`${plural(outdated, 'run')} of a scenario or a manifest that was another then`] : []),
    ...(isOfOthers ? [`of ${plural(engines.length, 'engine')}: ${engines.join(', ')}${asked(wanted.engine)}`] : []),
    ...(isOfOtherRevisions ? [`of ${plural(revisions.length, 'revision')}: ${revisions.join(', ')}${asked(wanted.commit)}`] : []),
    ...(missing.length > 0 ? [`not played${wanted.times > 1 ? ` ${wanted.times} times` : ''}: ${missing.join(', ')}`] : []),
  ];
  const isPass = passed > 0 && passed === runs.length && missing.length === 0 && !isOfOthers && !isOfOtherRevisions;
  return { outcome: failed > 0 ? 'fail' : isPass ? 'pass' : 'inconclusive', reason: parts.join(', '), runs, missing };
}

const NOT_NAMED = 'one that is not named';
const asked = (what: string | undefined): string => (what === undefined ? '' : `; ${what} was to be played`);

/** For a job's summary, an issue, a release. Its first line is the verdict. */
export function digestMarkdown({ outcome, reason, runs, missing }: Digest): string {
  const rows = runs.map(({ folder, result }) =>
    result === null
      ? [inline(folder), 'broken off', '–', '–', 'there is no whole record of it']
      : [
          inline(result.scenario.name),
          result.verdict.outcome,
          recoveryText(result.recovery),
          lostText(result),
          inline(result.verdict.reason),
        ],
  );
  const unplayed = missing.map((name) => [inline(name), 'not played', '–', '–', '–']);
  const machine = runs.find(({ result }) => result !== null)?.result ?? null;
  const parts = [
    `# Game days: ${outcome.toUpperCase()}`,
    `${inline(reason)}.`,
    table(['scenario', 'verdict', 'recovery', 'lost writes', 'what it says'], [...rows, ...unplayed]),
    machine === null
      ? ''
      : inline(
          `${machine.scenario.platform}; ${machine.environment.kernel}, ${plural(machine.environment.cpus, 'CPU')}, node ${machine.environment.node}; ` +
            `${duration(runs.reduce((sum, { result }) => sum + (result?.durationMs ?? 0), 0))} of play.`,
        ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function lostText(result: ResultDocument): string {
  const lost = lostCount(result);
  return lost === null ? '?' : whole(lost);
}

/** Workflow commands that GitHub shows beside the scenario's file: one for each run that did not pass, and for each that is missing. */
export function annotations({ runs, missing }: Digest): readonly string[] {
  const lines = runs.flatMap(({ folder, result }) => {
    if (result === null) return [annotation({ title: `${folder}: broken off` }, 'There is no whole record of this run.')];
    const { scenario, verdict } = result;
    if (verdict.outcome === 'pass') return [];
    return [annotation({ file: scenario.file, title: `${scenario.name}: ${verdict.outcome}` }, verdict.reason)];
  });
  return [...lines, ...missing.map((name) => annotation({ title: `${name}: not played` }, 'It was to be played and was not.'))];
}

/** A message is one line, and what it says is no command of its own. */
function annotation(properties: Readonly<Record<string, string>>, message: string): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const written = Object.entries(properties).map(([name, value]) => `${name}=${property(value)}`);
  return `::error ${written.join(',')}::${data(message)}`;
}
