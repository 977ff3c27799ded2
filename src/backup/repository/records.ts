import { EngineError, isEngineError } from '../../platform/errors.ts';
import type { CanonicalObject } from '../format/canonical-json.ts';
import { signDocument, verifyDocument } from '../format/signing.ts';
import { requireSigningKey, signalOf, type Repository } from './repository.ts';

/** No record has more: a larger one is not read. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** A signed record of something that was done with a backup: `verify/<backupId>/<time>-<level>.json`. */
export interface StoredRecord {
  readonly name: string;
  readonly generation: string;
  readonly document: CanonicalObject;
}

/** Stores a signed document under a free name. */
export async function putRecord(repository: Repository, name: string, document: CanonicalObject, signal?: AbortSignal): Promise<void> {
  const bytes = signDocument(name, document, requireSigningKey(repository));
  if (bytes.length > MAX_RECORD_BYTES) throw new EngineError('internal', `${name} would have ${bytes.length} bytes: nobody would read it`);
  const result = await repository.store.put(name, bytes, signalOf(signal));
  if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${name} is taken`);
}

/** All records under a prefix whose signature holds, in the order of their names; others prove nothing and are left out. */
export async function readRecords(
  repository: Pick<Repository, 'store' | 'trusted'>,
  prefix: string,
  signal?: AbortSignal,
): Promise<readonly StoredRecord[]> {
  return (await readRecordsAndRefused(repository, prefix, signal)).records;
}

/** The same, and what is there beside: damaged, or signed by nobody who is trusted. */
export async function readRecordsAndRefused(
  repository: Pick<Repository, 'store' | 'trusted'>,
  prefix: string,
  signal?: AbortSignal,
): Promise<{ readonly records: readonly StoredRecord[]; readonly refused: readonly Omit<StoredRecord, 'document'>[] }> {
  const records: StoredRecord[] = [];
  const refused: Omit<StoredRecord, 'document'>[] = [];
  for await (const { name, generation, bytes } of repository.store.list(prefix, signalOf(signal))) {
    if (bytes > MAX_RECORD_BYTES) {
      refused.push({ name, generation });
      continue;
    }
    const found = await repository.store.get(name, { maxBytes: MAX_RECORD_BYTES, ...signalOf(signal) });
    if (found.outcome === 'not-found') continue;
    try {
      records.push({ name, generation, document: verifyDocument(name, found.body, repository.trusted) });
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged')) throw error;
      refused.push({ name, generation });
    }
  }
  return { records, refused };
}

/** Time as a part of a name that sorts: 20261122T210000123Z. */
export function timePart(time: Date): string {
  return time.toISOString().replaceAll(/[-:.]/g, '');
}

/** The time that such a part stands for; null where it is none. */
export function timeIn(part: string): Date | null {
  const timeMs = Date.parse(part.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\d)(\d{3}Z)$/, '$1-$2-$3:$4:$5.$6'));
  return Number.isNaN(timeMs) ? null : new Date(timeMs);
}

/** A member that is a text; empty where it is none. */
export function textOf(document: CanonicalObject, name: string): string {
  const value = document[name];
  return typeof value === 'string' ? value : '';
}
