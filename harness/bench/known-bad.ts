import type { ResultDocument } from '../report/result-shape.ts';
import { CONTROL, engineProgram, KNOWN_BAD } from '../testing/known-bad.ts';
import { runGamedayProgram } from './gameday-cli.ts';

interface Planned {
  readonly engine: string;
  readonly breaks: string;
  readonly scenario: string;
  /** The checks that are there for it; none for the control, which must pass. */
  readonly caughtBy: readonly string[];
}

export interface KnownBadRun extends Planned {
  readonly runId: string;
  readonly outcome: ResultDocument['verdict']['outcome'];
  readonly failing: readonly string[];
  /** Caught by just those checks (others may fail as well); the control: passed. */
  readonly asItShould: boolean;
}

/** Each known-bad engine in its scenario, and the correct one in all of these that it can play. */
export const PLAN: readonly Planned[] = [
  ...KNOWN_BAD.map(({ engine, breaks, scenario, caughtBy, alsoBy = [] }) => ({
    engine,
    breaks,
    scenario,
    caughtBy: [caughtBy, ...alsoBy],
  })),
  ...[...new Set(KNOWN_BAD.flatMap(({ scenario, ours }) => (ours === true ? [] : [scenario])))].map((scenario) => ({
    engine: CONTROL,
    breaks: '',
    scenario,
    caughtBy: [],
  })),
];

export async function playKnownBad(signal: AbortSignal, say: (line: string) => void): Promise<readonly KnownBadRun[]> {
  const runs: KnownBadRun[] = [];
  for (const planned of PLAN) {
    say(`${planned.engine} in ${planned.scenario}`);
    const [result] = await runGamedayProgram([planned.scenario, '--engine', engineProgram(planned.engine)], { signal });
    if (result !== undefined) runs.push(knownBadRun(planned, result));
  }
  return runs;
}

export function knownBadRun(planned: Planned, { runId, verdict: { outcome }, findings }: ResultDocument): KnownBadRun {
  const failing = [...new Set(findings.filter((finding) => finding.outcome === 'fail').map((finding) => finding.check))];
  const caught = outcome === 'fail' && planned.caughtBy.every((check) => failing.includes(check));
  return { ...planned, runId, outcome, failing, asItShould: planned.caughtBy.length === 0 ? outcome === 'pass' : caught };
}

export function knownBadHolds(runs: readonly KnownBadRun[]): boolean {
  return runs.length === PLAN.length && runs.every(({ asItShould }) => asItShould);
}

export function knownBadTable(runs: readonly KnownBadRun[]): string {
  const rows = runs.map(({ engine, breaks, scenario, caughtBy, failing, outcome, asItShould }) => {
    const must = caughtBy.length === 0 ? 'pass' : `fail by ${caughtBy.join(', ')}`;
    const did = failing.length === 0 ? outcome : `${outcome} by ${failing.join(', ')}`;
    return `| ${[engine, breaks, scenario, must, did, asItShould ? 'yes' : '**no**'].join(' | ')} |`;
  });
  const bad = runs.filter(({ caughtBy }) => caughtBy.length > 0);
  const count = (some: readonly KnownBadRun[]): string => `${some.filter(({ asItShould }) => asItShould).length} of ${some.length}`;
  return [
    '| engine | sentence that it breaks | scenario | must | did | as it should |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `${count(bad)} known-bad engines caught by the check meant for them; the control passed ${count(runs.filter((one) => !bad.includes(one)))}.`,
  ].join('\n');
}
