import { readFileSync } from 'node:fs';
import { HarnessError } from '../platform/errors.ts';
import { decodeRecordedScenario } from '../scenario/recorded.ts';
import { decodeEvent } from './event-schema.ts';
import type { RunEvent } from './event.ts';

/** The events of a recorded run; event i is line i + 1. Refuses (broken-record) a torn, unknown or missing record with file:line. */
export function readEvents(file: string): readonly RunEvent[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new HarnessError('bad-input', `${file}: cannot be read; give the folder of a run, such as reports/<run>`, error);
  }
  return parseEvents(text, file);
}

/** As readEvents, from text. */
export function parseEvents(text: string, file: string): readonly RunEvent[] {
  const lines = text.split('\n');
  const rest = lines.pop();
  if (rest !== '') throw broken(file, lines.length + 1, 'torn record: the line has no end (was the runner killed while writing?)');
  const events = lines.map((line, index) => parseLine(line, file, index + 1));
  const [started] = events;
  if (started?.kind !== 'run-started') throw broken(file, 1, 'the first record must be run-started');
  try {
    decodeRecordedScenario(started.scenario);
  } catch (error) {
    throw broken(file, 1, (error as Error).message + OTHER_VERSION);
  }
  const second = events.findIndex((event, index) => index > 0 && event.kind === 'run-started');
  if (second > 0) throw broken(file, second + 1, 'a second run-started: two runs in one file');
  return events;
}

const OTHER_VERSION = '; was it recorded by another version of gameday? Judge it with that one';

function parseLine(line: string, file: string, number: number): RunEvent {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw broken(file, number, `torn record: ${(error as Error).message}`);
  }
  const decoded = decodeEvent(record);
  if (!decoded.ok) throw broken(file, number, decoded.problem + OTHER_VERSION);
  return decoded.event;
}

function broken(file: string, line: number, problem: string): HarnessError {
  return new HarnessError('broken-record', `${file}:${line}: ${problem}`);
}
