import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { RunEvent } from '../../history/event.ts';
import { parseJson } from '../../platform/json.ts';
import type { ResultDocument } from '../../report/result-shape.ts';

export const ROOT = path.resolve(import.meta.dirname, '../../../..');
const GAMEDAY = path.join(ROOT, 'dist/harness/main.js');

export interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** `gameday`, as users start it. */
export function startGameday(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [GAMEDAY, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, text }))) };
}

export interface Run {
  readonly ended: Promise<Ended>;
  /** What is in its record so far. */
  readonly events: () => readonly RunEvent[];
  readonly result: () => ResultDocument;
}

/** `gameday run` of one scenario, into a folder of its own. */
export function startRun(args: readonly string[], reports: string): Run {
  const { ended } = startGameday(['run', '--reports', reports, ...args]);
  const runFolder = (): string => path.join(reports, existsSync(reports) ? (readdirSync(reports)[0] ?? '') : '');
  const record = (): string => path.join(runFolder(), 'events.ndjson');
  const text = (): string => (existsSync(record()) ? readFileSync(record(), 'utf8') : '');
  return {
    ended,
    events: () =>
      text()
        .split('\n')
        .flatMap((line) => (parseJson(line) as RunEvent | undefined) ?? []),
    result: () => JSON.parse(readFileSync(path.join(runFolder(), 'result.json'), 'utf8')) as ResultDocument,
  };
}
