import { EngineError } from '../../platform/errors.ts';
import type { CanonicalObject } from '../format/canonical-json.ts';
import { signDocument, verifyDocument } from '../format/signing.ts';
import { requireSigningKey, signalOf, type Repository } from './repository.ts';

const MAX_RECORD_BYTES = 1024 * 1024;

/** A signed record of something that was done with a backup: `verify/<backupId>/<time>-<level>.json`. */
export interface StoredRecord {
  readonly name: string;
  readonly generation: string;
  readonly document: CanonicalObject;
}

/** Stores a signed document under a free name. */
export async function putRecord(repository: Repository, name: string, document: CanonicalObject, signal?: AbortSignal): Promise<void> {
  const bytes = signDocument(name, document, requireSigningKey(repository));
  const result = await repository.store.put(name, bytes, signalOf(signal));
  if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${name} is taken`);
}

/** All records under a prefix whose signature holds, in the order of their names; others prove nothing and are left out. */
export async function readRecords(
  repository: Pick<Repository, 'store' | 'trusted'>,
  prefix: string,
  signal?: AbortSignal,
): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  for await (const { name, generation } of repository.store.list(prefix, signalOf(signal))) {
    const found = await repository.store.get(name, { maxBytes: MAX_RECORD_BYTES, ...signalOf(signal) });
    if (found.outcome === 'not-found') continue;
    try {
      records.push({ name, generation, document: verifyDocument(name, found.body, repository.trusted) });
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'backup-damaged') throw error;
    }
  }
  return records;
}

/** Time as a part of a name that sorts: 20261122T210000123Z. */
export function timePart(time: Date): string {
  return time.toISOString().replaceAll(/[-:.]/g, '');
}

/** A member that is a text; empty where it is none. */
export function textOf(document: CanonicalObject, name: string): string {
  const value = document[name];
  return typeof value === 'string' ? value : '';
}
