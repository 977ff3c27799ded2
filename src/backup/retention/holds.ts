import { putRecord, readRecords, textOf, timePart } from '../repository/records.ts';
import type { Repository } from '../repository/repository.ts';

/** A hold, or the end of one: `hold/<backupId>/<time>.json`. Nothing is taken back by deleting, so a hold ends only by a signed record as it began by one. */
export interface Hold {
  readonly backupId: string;
  readonly held: boolean;
  readonly by: string;
  readonly why: string;
  readonly at: Date;
}

export async function putHold(repository: Repository, { backupId, held, by, why, at }: Hold, signal?: AbortSignal): Promise<void> {
  await putRecord(repository, `hold/${backupId}/${timePart(at)}.json`, { backupId, held, by, why, at: at.toISOString() }, signal);
}

/** Backups that are held, with who said so last. @param backupId of this one only */
export async function readHolds(
  repository: Repository,
  signal?: AbortSignal,
  backupId?: string,
): Promise<ReadonlyMap<string, { readonly by: string; readonly why: string; readonly at: string }>> {
  const held = new Map<string, { by: string; why: string; at: string }>();
  for (const { document } of await readRecords(repository, backupId === undefined ? 'hold/' : `hold/${backupId}/`, signal)) {
    const id = textOf(document, 'backupId');
    if (document['held'] === true) held.set(id, { by: textOf(document, 'by'), why: textOf(document, 'why'), at: textOf(document, 'at') });
    else held.delete(id);
  }
  return held;
}
