import { EngineError } from '../../platform/errors.ts';
import type { BackupEntry } from './catalog.ts';
import { putRecord, readRecords, textOf } from './records.ts';
import { listWraps, type Repository } from './repository.ts';

export interface ShredOptions {
  readonly repository: Repository;
  readonly kid: string;
  readonly by: string;
  readonly at: Date;
}

/**
 * Destroys an epoch key: a signed record that it is meant, then every wrap of it. All that was encrypted under it is unreadable from then on, in whatever copy of the store, but not where a copy of a wrap
 * (a versioned bucket, a backup of the store) and its key service still are. Interrupted it goes on when it is run again. What is left of the backups goes with the next prunes.
 * @throws EngineError bad-request for the epoch that is written now, or a key that is not there
 */
export async function shredEpochKey({ repository, kid, by, at }: ShredOptions, signal: AbortSignal): Promise<{ readonly wraps: number }> {
  if (kid === repository.keys.kid)
    throw new EngineError(
      'bad-request',
      `${kid} is the epoch key that is written now: \`coditect-dr backup rewrap --new-epoch\` first, and make a backup`,
    );
  const known = await requireEpochKey(repository, kid, signal);
  const epoch = repository.epochs.find((each) => each.kid === kid)?.epoch;
  if (!known.has(kid)) await putRecord(repository, shredName(kid), { kid, epoch: String(epoch), by, at: at.toISOString() }, signal);
  let wraps = 0;
  for (const { name, generation, wrap } of await listWraps(repository.store, signal)) {
    if (wrap.repo !== repository.repo || wrap.kid !== kid) continue;
    await repository.store.delete(name, { generation, signal });
    wraps++;
  }
  return { wraps };
}

/** Returns the keys that were destroyed: one of them may be named, too, as destroying it may have been interrupted. @throws EngineError bad-request where there is and was no such key */
export async function requireEpochKey(repository: Repository, kid: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const known = await readShreds(repository, signal);
  const kids = repository.epochs.map((each) => each.kid);
  if (!kids.includes(kid) && !known.has(kid))
    throw new EngineError(
      'bad-request',
      `there is no epoch key ${kid}; there are ${kids.join(', ')} (\`backup show\` tells under which one a backup is)`,
    );
  return known;
}

/** Epoch keys that were destroyed on purpose. A key whose wraps are only missing is not among them: somebody may find them again. */
export async function readShreds(repository: Pick<Repository, 'store' | 'trusted'>, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const records = await readRecords(repository, 'shred/', signal);
  return new Set(
    records.filter(({ name, document }) => name === shredName(textOf(document, 'kid'))).map(({ document }) => textOf(document, 'kid')),
  );
}

export function isDestroyed({ manifest, kid }: BackupEntry, destroyedKeys: ReadonlySet<string>): boolean {
  return manifest === null && kid !== null && destroyedKeys.has(kid);
}

function shredName(kid: string): string {
  return `shred/${kid}.json`;
}
