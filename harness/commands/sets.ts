import { HarnessError } from '../platform/errors.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { AskedDatabase, ScenarioSet } from '../scenario/scenario.ts';
import { packagedScenarios } from './places.ts';
import { playableOn, type Chosen } from './playable.ts';
import { load } from './scenarios.ts';

/** Those scenarios of the package that belong to a set; those of `foundationdb` are played on it. Throws HarnessError `bad-input`. */
export function loadSet(set: ScenarioSet): readonly LoadedScenario[] {
  const members = load(packagedScenarios()).filter(({ scenario }) => scenario.sets.includes(set));
  return set === 'foundationdb' ? load(filesOf(members), set) : members;
}

/** As loadSet; on a database that somebody asks for, those that are played there. Throws HarnessError `bad-input` also where none is: what plays nothing shows nothing. */
export function chooseSet(set: ScenarioSet, database: AskedDatabase | undefined): Chosen {
  if (set === 'foundationdb' && database === 'embedded')
    throw new HarnessError(
      'bad-input',
      `--database ${database}: the scenarios of --set foundationdb are played on FoundationDB; name the file of one to play it on another`,
    );
  const members = loadSet(set);
  if (database === undefined) return { played: members, leftOut: [] };
  const chosen = playableOn(filesOf(members), database);
  if (chosen.played.length === 0)
    throw new HarnessError(
      'bad-input',
      [`--database ${database}: no scenario of --set ${set} is played there`, ...chosen.leftOut].join('\n'),
    );
  return chosen;
}

/** For people; empty: none. */
export function leftOutText({ played, leftOut }: Chosen): string {
  if (leftOut.length === 0) return '';
  return `${played.length} scenarios are played; left out, as asked for:\n${leftOut.join('\n').replaceAll(/^/gm, '  ')}\n\n`;
}

const filesOf = (loaded: readonly LoadedScenario[]): readonly string[] => [...new Set(loaded.map(({ file }) => file))];
