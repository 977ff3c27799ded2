import type { CanonicalObject } from '../format/canonical-json.ts';
import { putRecord, readRecords, textOf, timePart } from '../repository/records.ts';
import type { Repository } from '../repository/repository.ts';

/** An object that nobody needed when it was marked. */
export interface MarkedObject {
  readonly name: string;
  readonly generation: string;
}

/** One that nobody needs now. */
export interface Garbage extends MarkedObject {
  readonly bytes: number;
}

export interface Mark {
  readonly name: string;
  readonly generation: string;
  readonly atMs: number;
  readonly objects: readonly MarkedObject[];
}

/** A document holds so many names; it has at most 1 MiB. */
const OBJECTS_PER_MARK = 4000;

/** Objects that are to be deleted: from now on no backup relies on them, and after the grace they go if still nobody needs them. */
export async function putMarks(repository: Repository, objects: readonly MarkedObject[], at: Date, signal?: AbortSignal): Promise<void> {
  for (let first = 0; first < objects.length; first += OBJECTS_PER_MARK) {
    const part = objects.slice(first, first + OBJECTS_PER_MARK);
    const name = `mark/${timePart(at)}-${first}.json`;
    await putRecord(
      repository,
      name,
      { at: at.toISOString(), objects: part.map(({ name: object, generation }) => ({ name: object, generation })) },
      signal,
    );
  }
}

export async function readMarks(repository: Repository, signal?: AbortSignal): Promise<readonly Mark[]> {
  return (await readRecords(repository, 'mark/', signal)).map(({ name, generation, document }) => ({
    name,
    generation,
    atMs: Date.parse(textOf(document, 'at')),
    objects: document['objects'] as unknown as readonly MarkedObject[],
  }));
}

/** Names of what is marked: packs and indexes among them. @param byMs only what was marked by then, and where nobody can tell when */
export async function markedNames(
  repository: Repository,
  signal?: AbortSignal,
  byMs = Number.POSITIVE_INFINITY,
): Promise<ReadonlySet<string>> {
  const marks = (await readMarks(repository, signal)).filter(({ atMs }) => Number.isNaN(atMs) || atMs <= byMs);
  return new Set(marks.flatMap(({ objects }) => objects.map(({ name }) => name)));
}

/** Packs and indexes that a verification found damaged: no later backup may rely on them, so what they held is stored again. */
export async function damagedNames(repository: Repository, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  return new Set((await readRecords(repository, 'verify/', signal)).flatMap(({ document }) => damagedIn(document)));
}

/** Names of packs and indexes in the problems of a verification that failed. */
export function damagedIn({ ok, problems }: CanonicalObject): readonly string[] {
  if (ok !== false || !Array.isArray(problems)) return [];
  return problems.flatMap((problem) => String(problem).match(/(packs\/[0-9a-f]{2}|index\/\d+)\/[0-9a-f]{32}/g) ?? []);
}
