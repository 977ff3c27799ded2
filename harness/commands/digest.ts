import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../platform/errors.ts';
import { certificateMarkdown, certificateOf, type Subject } from '../report/certificate.ts';
import { annotations, digestMarkdown, digestOf, type DigestRun } from '../report/digest.ts';
import type { Output } from './output.ts';
import { exitCode, judgeFolder } from './run.ts';
import { load } from './scenarios.ts';

export interface DigestOptions {
  readonly reports: string;
  /** How often each of the scenarios was to be played. */
  readonly times: number;
  /** Workflow commands on stdout, for GitHub. */
  readonly annotate: boolean;
  /** Makes a certificate of it. */
  readonly subject: Subject | undefined;
}

/** As runName (places.ts) makes them: also one in which nothing could be written is a run. */
const RUN_FOLDER = /^\d{8}T\d{9}Z-/;
const CERTIFIED_FILES = ['events.ndjson', 'result.json'];

/**
 * `gameday digest`: judges every record of a folder again and writes what all of them amount to (digest.md; certificate.json and .md for a subject). Returns the
 * exit code of the whole. `scenarios` are files that had to be played; throws HarnessError `bad-input` for one that cannot be read.
 */
export async function digest(scenarios: readonly string[], options: DigestOptions, output: Output): Promise<number> {
  const { reports, times, annotate, subject } = options;
  if (!existsSync(reports)) throw new HarnessError('bad-input', `--reports ${reports}: there is no such folder`);
  const names = load(scenarios).map(({ scenario }) => scenario.name);
  const folders = readdirSync(reports)
    .filter((name) => RUN_FOLDER.test(name))
    .toSorted();
  const runs: DigestRun[] = [];
  for (const folder of folders) runs.push({ folder, result: await judged(join(reports, folder), output) });
  const whole = digestOf(runs, { names, times });
  const text = digestMarkdown(whole);
  writeFileSync(join(reports, 'digest.md'), text);
  if (subject !== undefined) {
    const sha256 = new Map(folders.map((folder) => [folder, sums(join(reports, folder))]));
    const certificate = certificateOf(whole, subject, { madeWall: new Date().toISOString(), sha256 });
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

/** null: its record is not whole, and says so on stderr. */
async function judged(folder: string, output: Output): Promise<DigestRun['result']> {
  try {
    return await judgeFolder(folder);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    output.progress(`${error.message}\n`);
    return null;
  }
}

function sums(folder: string): Readonly<Record<string, string>> {
  const there = CERTIFIED_FILES.filter((name) => existsSync(join(folder, name)));
  const sum = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(there.map((name) => [name, sum(name)]));
}
