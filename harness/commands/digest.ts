import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isOfStep } from '../check/experiments.ts';
import { OWN_ENGINE } from '../history/event.ts';
import { HarnessError } from '../platform/errors.ts';
import { certificateMarkdown, certificateOf, type Subject } from '../report/certificate.ts';
import { annotations, digestMarkdown, digestOf, type DigestRun } from '../report/digest.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import type { AskedDatabase, Scenario } from '../scenario/scenario.ts';
import type { Output } from './output.ts';
import { exitCode, judgeRecord } from './run.ts';
import { refuseUnwritable } from './run-input.ts';
import { byName, loadForSystem } from './scenarios.ts';

export interface DigestOptions {
  readonly reports: string;
  /** How often each of the scenarios was to be played. */
  readonly times: number;
  /** Workflow commands on stdout, for GitHub. */
  readonly annotate: boolean;
  /** Makes a certificate of it. */
  readonly subject: Subject | undefined;
  /** Files of all scenarios that a release is asked: a certificate of fewer is one of a part. */
  readonly all: readonly string[];
  /** On which the scenarios had to be played, instead of what each says: as for `gameday run`. */
  readonly database?: AskedDatabase | undefined;
  /** Of the system that was there already, on which they had to be played; undefined: those of the lab. */
  readonly clients?: readonly string[] | undefined;
}

/** As runName (places.ts) makes them: also one in which nothing could be written is a run. */
const RUN_FOLDER = /^\d{8}T\d{9}Z-/;
const CERTIFICATE = ['certificate.json', 'certificate.md'];
const CERTIFIED_FILES = ['events.ndjson', 'result.json'];

/**
 * `gameday digest`: judges every record of a folder again and writes what all of them amount to (digest.md; certificate.json and .md for a subject). Returns the
 * exit code of the whole. `scenarios` are files that had to be played; throws HarnessError `bad-input` for one that cannot be read.
 */
export async function digest(scenarios: readonly string[], options: DigestOptions, output: Output): Promise<number> {
  const { reports, times, annotate, subject, all, database } = options;
  if (!existsSync(reports)) throw new HarnessError('bad-input', `--reports ${reports}: there is no such folder`);
  refuseUnwritable(reports);
  if (subject !== undefined && scenarios.length === 0)
    throw new HarnessError('bad-input', 'a certificate says that something was played: name the scenarios that had to be');
  if (database !== undefined && scenarios.length === 0)
    throw new HarnessError(
      'bad-input',
      `--database ${database}: says on what the scenarios had to be played: name the scenarios, or leave it out`,
    );
  // Whatever stops this one, nobody may take the digest of before for it.
  for (const name of ['digest.md', ...(subject === undefined ? [] : CERTIFICATE)]) removeFile(join(reports, name));
  const wanted = wantedByName(scenarios, options);
  const names = [...wanted.keys()];
  const folders = readdirSync(reports)
    .filter((name) => RUN_FOLDER.test(name))
    .toSorted();
  const runs: DigestRun[] = [];
  for (const folder of folders) runs.push({ folder, ...(await judged(join(reports, folder), wanted, output)) });
  // A release is this package's engine as it is then: what another one passed, or it itself before, or a system that somebody else started, says nothing of it.
  const whole = digestOf(runs, { names, times, ...(subject === undefined ? {} : { engine: OWN_ENGINE, commit: subject.commit }) });
  const text = digestMarkdown(whole);
  writeFileSync(join(reports, 'digest.md'), text);
  if (subject !== undefined) {
    const sha256 = new Map(folders.map((folder) => [folder, sums(join(reports, folder))]));
    const unasked = unaskedOf(all, wanted);
    const certificate = certificateOf(whole, subject, { madeWall: new Date().toISOString(), unasked, sha256 });
    writeFileSync(join(reports, 'certificate.json'), `${JSON.stringify(certificate, null, 2)}\n`);
    writeFileSync(join(reports, 'certificate.md'), certificateMarkdown(certificate, whole));
  }
  if (annotate)
    output.text(
      annotations(whole)
        .map((line) => `${line}\n`)
        .join(''),
    );
  output.text(annotate ? `${whole.outcome}: ${whole.reason}\n` : text);
  return exitCode([whole.outcome]);
}

function removeFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new HarnessError('bad-input', `${file} is a folder: move it away`);
  rmSync(file, { force: true });
}

/** By their files too: what somebody else calls by the name of one asks for something else, as does its own file on another database. */
function unaskedOf(all: readonly string[], wanted: Wanted): readonly string[] {
  const names = loadForSystem(all).map(({ file, scenario: { name } }) => ({ name, asked: wanted.get(name)?.file, file: resolve(file) }));
  return names.filter(({ asked, file }) => asked === undefined || resolve(asked) !== file).map(({ name }) => name);
}

type Wanted = ReadonlyMap<string, LoadedScenario>;

/** Records of clusters count as well, whose manifests may hold what a lab has not. */
function wantedByName(scenarios: readonly string[], { database, clients }: Pick<DigestOptions, 'database' | 'clients'>): Wanted {
  return byName(loadForSystem([...new Map(scenarios.map((file) => [resolve(file), file])).values()], database, clients));
}

/** No result: its record is not whole, and says so on stderr. */
async function judged(folder: string, wanted: Wanted, output: Output): Promise<Omit<DigestRun, 'folder'>> {
  try {
    const { result, scenario } = await judgeRecord(folder);
    const now = wanted.get(scenario.name);
    return { result, outdated: now !== undefined && !isAsNow(now, scenario, result) };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    output.progress(`${error.message}\n`);
    return { result: null };
  }
}

/** Whether this is what was played: a run that passed what its scenario asked then proves nothing of what it asks now. */
function isAsNow(now: LoadedScenario, scenario: Scenario, { faults }: ResultDocument): boolean {
  const sha256Of = (fault: string): string | undefined => [...now.faults].find(([step]) => isOfStep(fault, step))?.[1][0]?.sha256;
  return isDeepStrictEqual(now.scenario, scenario) && faults.every(({ fault, manifestSha256 }) => sha256Of(fault) === manifestSha256);
}

function sums(folder: string): Readonly<Record<string, string>> {
  const there = CERTIFIED_FILES.filter((name) => existsSync(join(folder, name)));
  const sum = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(there.map((name) => [name, sum(name)]));
}
