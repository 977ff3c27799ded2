import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunResult } from '../check/verdict.ts';
import { HarnessError } from '../platform/errors.ts';
import { allureFiles } from './allure.ts';
import { indexPage, type IndexedRun } from './html/index-page.ts';
import { reportPage } from './html/page.ts';
import { junitXml, unjudgedJunitXml } from './junit.ts';
import { toResultDocument } from './result.ts';
import { resultShape, type ResultDocument } from './result-shape.ts';
import { summaryMarkdown } from './summary.ts';

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
  for (const [file, text] of Object.entries(texts)) await replaceFile(join(runFolder, file), text);
  const allureFolder = join(dirname(runFolder), 'allure-results');
  // Not junit.xml: Allure would take it for results of its own.
  const { 'junit.xml': _, ...attachments } = texts;
  for (const { name, text } of allureFiles(result, attachments)) await replaceFile(join(allureFolder, name), text);
  await replaceFile(join(dirname(runFolder), 'index.html'), indexPage(await readRuns(dirname(runFolder))));
  return result;
}

/**
 * Before a run begins: its junit.xml, which says that the run was broken off. `writeReports` replaces it; whatever ends the run before that leaves it there, and CI sees an error
 * where it would see nothing.
 */
export async function writeUnjudged(runFolder: string, scenario: string, startedWall: string): Promise<void> {
  await replaceFile(join(runFolder, 'junit.xml'), unjudgedJunitXml(scenario, startedWall));
}

/** Runs whose result.json can be read and has this version of the schema; others are left out. */
async function readRuns(reportsFolder: string): Promise<readonly IndexedRun[]> {
  const runs: IndexedRun[] = [];
  for (const entry of await readdir(reportsFolder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const text = await readFile(join(reportsFolder, entry.name, 'result.json'), 'utf8').catch(() => null);
    const result = text === null ? undefined : parseResult(text);
    if (result !== undefined) runs.push({ folder: entry.name, result });
  }
  return runs;
}

function parseResult(text: string): ResultDocument | undefined {
  try {
    return resultShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // half a file of a run that was killed
  }
}

/** Throws HarnessError `bad-input` where we may not write: an archive is often read-only. */
async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EROFS', 'EACCES', 'EPERM'].includes(code)) throw error;
    const fix = "copy the run's folder to where you may write, into a folder of its own, and judge that";
    throw new HarnessError('bad-input', `${path}: cannot be written (${code}); ${fix}`, error);
  }
}
