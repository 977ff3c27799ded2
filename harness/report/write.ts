import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunResult } from '../check/verdict.ts';
import { reportPage } from './html/page.ts';
import { junitXml } from './junit.ts';
import { toResultDocument } from './result.ts';
import type { ResultDocument } from './result-shape.ts';
import { summaryMarkdown } from './summary.ts';

/** Every report format: file in the run folder → its text. Adding one is one line here. */
const FORMATS: Readonly<Record<string, (result: ResultDocument) => string>> = {
  'result.json': (result) => `${JSON.stringify(result, null, 2)}\n`,
  'report.html': reportPage,
  'summary.md': summaryMarkdown,
  'junit.xml': junitXml,
};

/**
 * Writes every report of a judged run into its folder (made when it is not there) and answers the document they show.
 * Files are replaced as a whole: a reader never sees half of one. Repeating it is harmless.
 */
export async function writeReports(runFolder: string, run: RunResult): Promise<ResultDocument> {
  const result = toResultDocument(run);
  for (const [file, render] of Object.entries(FORMATS)) await replaceFile(join(runFolder, file), render(result));
  return result;
}

async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
