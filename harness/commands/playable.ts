import { isDeepStrictEqual } from 'node:util';
import { HarnessError } from '../platform/errors.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { DEFAULT_LAYOUT, layoutOf } from '../scenario/on-database.ts';
import type { AskedDatabase } from '../scenario/scenario.ts';
import { load } from './scenarios.ts';

/** Some of many. */
export interface Chosen {
  readonly played: readonly LoadedScenario[];
  /** The others, with their file and why: lines of each. */
  readonly leftOut: readonly string[];
}

/**
 * Those of these scenarios that are to be played on a database which somebody asks for, for all of them at once: not one that is of another layout of FoundationDB, that asks for what is not there, or
 * that asks there what one before it asks. As they were written all of them are right. Throws HarnessError `bad-input` where one is not.
 */
export function playableOn(files: readonly string[], asked: AskedDatabase): Chosen {
  const played: LoadedScenario[] = [];
  const leftOut: string[] = [];
  for (const file of files) {
    const here = ofOtherLayout(file, asked) ?? loadedOrWhyNot(file, asked);
    const twin = typeof here === 'string' ? undefined : played.find((other) => here.some((one) => asksTheSame(one, other)));
    if (typeof here === 'string') leftOut.push(here);
    else if (twin !== undefined) leftOut.push(`${file}: asks on ${asked} what ${twin.file} asks`);
    else played.push(...here);
  }
  return { played, leftOut };
}

/** One that says how FoundationDB replicates is about that; with what every other one has it could be played, but says nothing of it. */
function ofOtherLayout(file: string, asked: AskedDatabase): string | undefined {
  const layout = layoutOf(asked);
  const own = load([file])[0]?.scenario.foundationdb ?? DEFAULT_LAYOUT;
  if (layout === undefined || own === layout || own === DEFAULT_LAYOUT) return undefined;
  return `${file}: is of \`foundationdb: ${own}\`, and is played there without \`--database ${asked}\``;
}

function loadedOrWhyNot(file: string, asked: AskedDatabase): readonly LoadedScenario[] | string {
  try {
    return load([file], asked);
  } catch (error) {
    if (error instanceof HarnessError && error.code === 'bad-input') return error.message;
    throw error;
  }
}

function asksTheSame({ scenario: one }: LoadedScenario, { scenario: other }: LoadedScenario): boolean {
  return isDeepStrictEqual({ ...one, name: '', question: '', sets: [] }, { ...other, name: '', question: '', sets: [] });
}
