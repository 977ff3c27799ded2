import { putRecord, readRecords, textOf, timePart } from '../repository/records.ts';
import type { Repository } from '../repository/repository.ts';

/** An object that nobody needed when it was marked. */
export interface MarkedObject {
  readonly name: string;
  readonly generation: string;
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

/** Ids of packs that are marked. */
export async function markedPacks(repository: Repository, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const marks = await readMarks(repository, signal);
  const names = marks.flatMap(({ objects }) => objects.map(({ name }) => name)).filter((name) => name.startsWith('packs/'));
  return new Set(names.map((name) => name.slice(name.lastIndexOf('/') + 1)));
}

/** Packs that a verification found damaged: no later backup may rely on them, so what they held is stored again. */
export async function damagedPacks(repository: Repository, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const failed = (await readRecords(repository, 'verify/', signal)).filter(({ document }) => document['ok'] === false);
  const problems = failed.flatMap(({ document }) => (Array.isArray(document['problems']) ? document['problems'] : []));
  return new Set(
    problems.flatMap((problem) => [...String(problem).matchAll(/packs\/[0-9a-f]{2}\/([0-9a-f]{32})/g)].map((match) => match[1]!)),
  );
}
