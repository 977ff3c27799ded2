import { putRecord, readRecordsAndRefused, textOf, timeIn, timePart } from '../repository/records.ts';
import { signalOf, type Repository } from '../repository/repository.ts';

/** A hold, or the end of one: `hold/<backupId>/<time>.json`. Nothing is taken back by deleting, so a hold ends only by a signed record as it began by one. */
export interface Hold {
  readonly backupId: string;
  readonly held: boolean;
  readonly by: string;
  readonly why: string;
  readonly at: Date;
}

/** The last one counts, and by its name it is the last: so it gets a time after all that are there, by whatever clocks. */
export async function putHold(repository: Repository, { backupId, held, by, why, at }: Hold, signal?: AbortSignal): Promise<void> {
  const folder = `hold/${backupId}/`;
  let time = at;
  for await (const { name } of repository.store.list(folder, signalOf(signal))) {
    const before = timeIn(name.slice(folder.length).replace(/\.json$/, ''));
    if (before !== null && before >= time) time = new Date(before.getTime() + 1);
  }
  await putRecord(repository, `${folder}${timePart(time)}.json`, { backupId, held, by, why, at: at.toISOString() }, signal);
}

export interface Held {
  readonly by: string;
  readonly why: string;
  readonly at: string;
}

/**
 * Backups that are held, with who said so last. A record that is damaged, or signed by nobody who is trusted, holds as well: what it said may have been just that, and a new record ends it.
 * @param backupId of this one only
 */
export async function readHolds(repository: Repository, signal?: AbortSignal, backupId?: string): Promise<ReadonlyMap<string, Held>> {
  const held = new Map<string, Held>();
  const { records, refused } = await readRecordsAndRefused(repository, backupId === undefined ? 'hold/' : `hold/${backupId}/`, signal);
  const doubtful = refused.map(({ name }) => ({
    name,
    document: { held: true, by: 'unknown', why: 'the record of its hold does not open', at: '' },
  }));
  for (const { name, document } of [...records, ...doubtful].toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    // The name is signed with the document.
    const id = name.split('/')[1]!;
    if (document['held'] === true) held.set(id, { by: textOf(document, 'by'), why: textOf(document, 'why'), at: textOf(document, 'at') });
    else held.delete(id);
  }
  return held;
}
