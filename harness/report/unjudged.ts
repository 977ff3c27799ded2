import { z } from 'zod';
import { parseJson } from '../platform/json.ts';
import { resultShape, type ResultDocument } from './result-shape.ts';

/** A run without a verdict: what can be told of it. */
export interface Unjudged {
  readonly runId: string;
  /** Its name. */
  readonly scenario: string;
  /** Empty: not known. */
  readonly startedWall: string;
  /** Why it was not judged. */
  readonly problem: string;
}

/** What is there of a run that could not be judged. */
export interface Remains {
  /** Name of its folder. */
  readonly folder: string;
  /** result.json; null: there is none, as everywhere here. */
  readonly result: string | null;
  /** events.ndjson. */
  readonly record: string | null;
  /** Whether there are reports beside it. */
  readonly hasReports: boolean;
}

/** Which run it is, by its result or by its record's first line; undefined: this is no run's folder. */
export function whichRun({ folder, result, record, hasReports }: Remains): Omit<Unjudged, 'problem'> | undefined {
  const judged = result === null ? undefined : judgedShape.safeParse(parseJson(result)).data;
  if (judged !== undefined) return { runId: judged.runId, scenario: judged.scenario.name, startedWall: judged.startedWall };
  const started = record === null ? undefined : startedShape.safeParse(parseJson(record.split('\n', 1)[0] ?? '')).data;
  if (started !== undefined) return { runId: started.runId, scenario: started.scenario.name, startedWall: started.wall };
  return record !== null && hasReports ? { runId: folder, scenario: folder, startedWall: '' } : undefined;
}

/** undefined: half a file of a run that was killed, or one of another version. */
export const parseResult = (text: string): ResultDocument | undefined => resultShape.safeParse(parseJson(text)).data;

/** Only what names the run: the rest may be of another version. */
const judgedShape = z.object({ runId: z.string(), startedWall: z.string(), scenario: z.object({ name: z.string() }) });

/** The same of a record: the rest of the line may be what is wrong with it. */
const startedShape = z.object({
  kind: z.literal('run-started'),
  runId: z.string(),
  wall: z.string(),
  scenario: z.object({ name: z.string() }),
});
