import { EngineError, isEngineError } from '../../platform/errors.ts';
import { getSegment, listStreams, type Stream } from '../log/segments.ts';
import type { BackupEntry } from './catalog.ts';
import { putRecord, readRecords, textOf, type StoredRecord } from './records.ts';
import type { Repository } from './repository.ts';
import { listWraps } from './wraps.ts';

export interface ShredOptions {
  readonly repository: Repository;
  readonly kid: string;
  readonly by: string;
  readonly at: Date;
}

/**
 * Destroys an epoch key: a signed record that it is meant and which streams of the log are under it (afterwards nothing tells them from damaged ones), then every wrap of it. All that was encrypted under it is unreadable from then on, in whatever copy of the store, but not where a copy of a wrap
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
  if (!known.has(kid)) {
    const streams = await streamsUnder(repository, kid, signal);
    await putRecord(repository, shredName(kid), { kid, epoch: String(epoch), by, at: at.toISOString(), streams }, signal);
  }
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
  return new Set((await shredRecords(repository, signal)).map(({ document }) => textOf(document, 'kid')));
}

/** Streams of the log that were under a key when that was destroyed. One that is only damaged is not among them, nor one under a key that is only missing. */
export async function readDestroyedStreams(
  repository: Pick<Repository, 'store' | 'trusted'>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const named = (await shredRecords(repository, signal)).flatMap(({ document: { streams } }) => (Array.isArray(streams) ? streams : []));
  return new Set(named.filter((stream) => typeof stream === 'string'));
}

async function shredRecords(
  repository: Pick<Repository, 'store' | 'trusted'>,
  signal: AbortSignal | undefined,
): Promise<readonly StoredRecord[]> {
  const records = await readRecords(repository, 'shred/', signal);
  return records.filter(({ name, document }) => name === shredName(textOf(document, 'kid')));
}

/** Of all clusters. Those that are under a key that is destroyed already are not read. */
async function streamsUnder(repository: Repository, kid: string, signal: AbortSignal): Promise<readonly string[]> {
  const destroyed = await readDestroyedStreams(repository, signal);
  const streams = (await listStreams(repository, null, signal)).filter(({ stream }) => !destroyed.has(stream));
  const found: string[] = [];
  for (const stream of streams) if (await isUnder(repository, { kid, stream }, signal)) found.push(stream.stream);
  return found;
}

/** By the first segment that opens. Where none does: only if the key is not to be had, and so may be why. */
async function isUnder(
  repository: Repository,
  { kid, stream: { cluster, stream, begins } }: { readonly kid: string; readonly stream: Stream },
  signal: AbortSignal,
): Promise<boolean> {
  let isKeyMissing = false;
  for (const begin of begins) {
    try {
      return (await getSegment(repository, { cluster, stream, begin }, signal)).kid === kid;
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
      isKeyMissing ||= error.code === 'key-service-failed';
    }
  }
  return isKeyMissing && !(await opens(repository, kid));
}

async function opens(repository: Repository, kid: string): Promise<boolean> {
  const { epoch } = repository.epochs.find((each) => each.kid === kid)!;
  try {
    await repository.keysOf(kid, epoch);
    return true;
  } catch (error) {
    if (isEngineError(error, 'key-service-failed')) return false;
    throw error;
  }
}

export function isDestroyed({ manifest, kid }: BackupEntry, destroyedKeys: ReadonlySet<string>): boolean {
  return manifest === null && kid !== null && destroyedKeys.has(kid);
}

function shredName(kid: string): string {
  return `shred/${kid}.json`;
}
