import { isEngineError } from '../../platform/errors.ts';
import type { Manifest } from '../format/manifest.ts';
import type { Repository } from '../repository/repository.ts';
import { hashOfEntries, tailIn } from './log-tail.ts';
import { getSegment, type StoredSegment, type Stream } from './segments.ts';

/**
 * Whether a stream has the last entries that a backup has, given the segment with the version of the backup. Versions and epochs are equal also where a database began anew under the same name: going on from its backup with the log of the one before would make
 * a database that never was. True where that cannot be told: entries that are not there any more, or of a database that keeps none.
 */
export async function hasTailOf(
  repository: Repository,
  { cluster, stream, begins }: Stream,
  { manifest, segment }: { readonly manifest: Manifest; readonly segment: StoredSegment },
  signal: AbortSignal,
): Promise<boolean> {
  const { index, tail } = tailIn(manifest);
  if (tail === null || 'changes' in segment) return true;
  let entries = segment.entries.slice(0, index - segment.begin + 1);
  const first = (): number => index - entries.length + 1;
  for (const begin of begins.filter((each) => each < segment.begin).toReversed()) {
    if (first() <= tail.first) break;
    const before = await getSegment(repository, { cluster, stream, begin }, signal).catch((error: unknown) => {
      if (isEngineError(error, 'backup-damaged', 'key-service-failed')) return null;
      throw error;
    });
    if (before === null || 'changes' in before || before.end !== first() - 1) return true;
    entries = [...before.entries, ...entries];
  }
  return first() > tail.first || hashOfEntries(entries.slice(tail.first - first())) === tail.hash;
}
