import { isEngineError } from '../../platform/errors.ts';
import { listBackups } from '../repository/catalog.ts';
import type { Repository } from '../repository/repository.ts';
import { getSegment, listStreams, type Stream } from './segments.ts';

/** Of a stream whose end is damaged so many segments more are tried. */
const TRIED = 3;

/**
 * The highest epoch of the database that any backup or stream of the cluster reaches, whichever of them is restored; 0 where there is none. What begins after a restore must be above it: an epoch
 * has one history, and by it a log is told from another. What does not open any more tells nothing, and nobody can take it for anything either.
 */
export async function highestEpoch(repository: Repository, cluster: string, signal: AbortSignal): Promise<number> {
  const entries = await listBackups(repository, cluster, signal);
  const ofBackups = entries.map(({ manifest }) => Number(manifest?.generation ?? 0));
  const ofStreams: number[] = [];
  for (const stream of await listStreams(repository, cluster, signal)) ofStreams.push(await endEpochOf(repository, stream, signal));
  return Math.max(0, ...ofBackups, ...ofStreams);
}

async function endEpochOf(repository: Repository, { cluster, stream, begins }: Stream, signal: AbortSignal): Promise<number> {
  for (const begin of begins.slice(-TRIED).toReversed()) {
    try {
      return (await getSegment(repository, { cluster, stream, begin }, signal)).endEpoch;
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
    }
  }
  return 0;
}
