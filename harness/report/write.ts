import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunResult } from '../check/verdict.ts';
import { HarnessError } from '../platform/errors.ts';
import { allureFiles, allureId, unjudgedAllureFiles, type AllureFile } from './allure.ts';
import { indexPage, type IndexedRun, type UnjudgedRun } from './html/index-page.ts';
import { reportPage } from './html/page.ts';
import { junitXml, unjudgedJunitXml } from './junit.ts';
import { toResultDocument } from './result.ts';
import type { ResultDocument } from './result-shape.ts';
import { summaryMarkdown } from './summary.ts';
import { UNJUDGED_FORMATS } from './unjudged-pages.ts';
import { parseResult, whichRun, type Unjudged } from './unjudged.ts';

/** Every report of a run: file in its folder → its text. Adding one is one line here. */
const FORMATS = {
  'result.json': (result) => `${JSON.stringify(result, null, 2)}\n`,
  'report.html': reportPage,
  'summary.md': summaryMarkdown,
  'junit.xml': junitXml,
} as const satisfies Readonly<Record<string, (result: ResultDocument) => string>>;

/**
 * Writes every report of a judged run into its folder, its Allure result into `allure-results` beside the folder, and
 * the index of all runs; answers the document they show. Files are replaced as a whole: a reader never sees half of one.
 * Repeating it (`gameday judge`) replaces what it wrote before.
 */
export async function writeReports(runFolder: string, run: RunResult): Promise<ResultDocument> {
  const result = toResultDocument(run);
  const texts = Object.fromEntries(Object.entries(FORMATS).map(([file, render]) => [file, render(result)]));
  await replaceFiles(runFolder, Object.entries(texts));
  await Promise.all(Object.keys(FORMATS).map((file) => rm(withdrawn(join(runFolder, file)), { force: true })));
  // Not junit.xml: Allure would take it for results of its own.
  const { 'junit.xml': _, ...attachments } = texts;
  await writeAround(runFolder, allureFiles(result, attachments));
  return result;
}

/**
 * Before a run begins: its junit.xml and its Allure result, which say that the run was broken off. `writeReports` replaces them; whatever ends the run before that leaves them there, and
 * CI sees an error where it would see nothing.
 */
export async function writeUnjudged(runFolder: string, scenario: string, startedWall: string): Promise<void> {
  const run: Unjudged = { runId: basename(runFolder), scenario, startedWall, problem: 'the run was broken off: it was not judged' };
  await replaceFiles(runFolder, [['junit.xml', unjudgedJunitXml(run)]]);
  await writeAllure(runFolder, unjudgedAllureFiles(run, {}));
}

/**
 * Of a run whose record cannot be judged: whoever opens its reports must not find the verdict of before. Those are set aside (`result.json.withdrawn`, …), and pages that say
 * `problem` stand in their places, without a result.json. The record itself is not touched. Answers what was done, for who asked for a verdict; null: the folder is no run's.
 */
export async function withdrawReports(runFolder: string, problem: string): Promise<string | null> {
  const read = (file: string): Promise<string | null> => readFile(join(runFolder, file), 'utf8').catch(() => null);
  const there = Object.keys(FORMATS).filter((file) => existsSync(join(runFolder, file)));
  const run = whichRun({
    folder: basename(resolve(runFolder)),
    result: await read('result.json'),
    record: await read('events.ndjson'),
    hasReports: there.length > 0,
  });
  if (run === undefined) return null;
  try {
    const judgedBefore = there.includes('result.json');
    if (judgedBefore) for (const file of there) await setAside(join(runFolder, file));
    await writePages(runFolder, { ...run, problem });
    return judgedBefore
      ? 'its reports say so now, and those of an earlier judgement were set aside as *.withdrawn'
      : 'its reports say so now';
  } catch (error) {
    return `the reports beside it are no verdict, and could not be replaced: ${(error as Error).message}`;
  }
}

async function writePages(runFolder: string, run: Unjudged): Promise<void> {
  const texts = Object.fromEntries(Object.entries(UNJUDGED_FORMATS).map(([file, render]) => [file, render(run)]));
  await replaceFiles(runFolder, Object.entries(texts));
  const { 'junit.xml': _, ...attachments } = texts;
  const files = unjudgedAllureFiles(run, attachments);
  const stays = new Set(files.map(({ name }) => name));
  for (const name of await readdir(allureFolder(runFolder)).catch(() => []))
    if (name.startsWith(allureId(run.runId)) && !stays.has(name)) await rm(join(allureFolder(runFolder), name));
  await writeAround(runFolder, files);
}

const allureFolder = (runFolder: string): string => join(dirname(runFolder), 'allure-results');
const withdrawn = (path: string): string => `${path}.withdrawn`;

/** What shows the run beside its folder. */
async function writeAround(runFolder: string, allure: readonly AllureFile[]): Promise<void> {
  await writeAllure(runFolder, allure);
  const { judged, unjudged } = await readRuns(dirname(runFolder));
  await replaceFiles(dirname(runFolder), [['index.html', indexPage(judged, unjudged)]]);
}

async function writeAllure(runFolder: string, files: readonly AllureFile[]): Promise<void> {
  await replaceFiles(
    allureFolder(runFolder),
    files.map(({ name, text }) => [name, text]),
  );
}

/** Those without a result.json that can be read and has this version of the schema are not judged. */
async function readRuns(
  reportsFolder: string,
): Promise<{ readonly judged: readonly IndexedRun[]; readonly unjudged: readonly UnjudgedRun[] }> {
  const judged: IndexedRun[] = [];
  const unjudged: UnjudgedRun[] = [];
  for (const entry of await readdir(reportsFolder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const folder = join(reportsFolder, entry.name);
    const text = await readFile(join(folder, 'result.json'), 'utf8').catch(() => null);
    const result = text === null ? undefined : parseResult(text);
    if (result !== undefined) judged.push({ folder: entry.name, result });
    else if (existsSync(join(folder, 'junit.xml'))) unjudged.push({ folder: entry.name, hasPage: existsSync(join(folder, 'report.html')) });
  }
  return { judged, unjudged };
}

/**
 * Each as a whole, and all or none where the disk is full: reports of two judgements side by side would contradict each other. Throws HarnessError `bad-input` where we may not
 * write: an archive is often read-only.
 */
async function replaceFiles(folder: string, files: readonly (readonly [name: string, text: string])[]): Promise<void> {
  let path = folder;
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of files) {
      path = join(folder, name);
      await writeFile(`${path}.part`, text);
    }
    for (const [name] of files) {
      path = join(folder, name);
      await rename(`${path}.part`, path);
    }
  } catch (error) {
    await Promise.allSettled(files.map(([name]) => rm(`${join(folder, name)}.part`, { force: true })));
    throw notWritten(path, error);
  }
}

async function setAside(path: string): Promise<void> {
  try {
    await rename(path, withdrawn(path));
  } catch (error) {
    throw notWritten(path, error);
  }
}

const FIXES: readonly (readonly [codes: readonly string[], fix: string])[] = [
  [['ENOSPC', 'EDQUOT'], 'make room there, and judge it again'],
  [['EROFS', 'EACCES', 'EPERM'], "copy the run's folder to where you may write, into a folder of its own, and judge that"],
  [['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'], 'something else has that name: move it away, and judge it again'],
];

function notWritten(path: string, error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const [, fix] = FIXES.find(([codes]) => codes.includes(code)) ?? [];
  if (fix === undefined) return error;
  return new HarnessError('bad-input', `${path}: cannot be written (${code}); ${fix}`, error);
}
