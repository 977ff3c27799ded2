import { EngineError, isEngineError } from '../../platform/errors.ts';
import { decodeBlob, encodeBlob } from '../format/blob.ts';
import { openFloe, sealFloe } from '../format/floe.ts';
import { isBackupId } from '../format/ids.ts';
import { decodeChangeSegment, encodeChangeSegment, isChangeSegment, type ChangeSegment } from '../format/change-segment.ts';
import { chainHash, decodeLogSegment, encodeLogSegment, MAX_SEGMENT_BYTES, type LogSegment } from '../format/log-segment.ts';
import { LOG_FOLDER, logName, logPrefix, objectAad, type ObjectIdentity } from '../format/object-name.ts';
import { isSignedObject, signObject, verifyObject } from '../format/signing.ts';
import { named } from '../repository/named.ts';
import type { LogChange } from './log-to-apply.ts';
import { requireSigningKey, signalOf, type Repository } from '../repository/repository.ts';

/** Of a database that counts its versions one by one, or of one that does not. */
export type AnySegment = LogSegment | ChangeSegment;

/** A segment as it is in the store, with what tells it from others. */
export type StoredSegment = AnySegment & StoredFacts;

interface StoredFacts {
  readonly stream: string;
  /** Epoch key that it opens with. */
  readonly kid: string;
  /** The last version that it covers. */
  readonly end: number;
  readonly endEpoch: number;
  readonly hash: Buffer;
}

const MAX_STORED_BYTES = MAX_SEGMENT_BYTES + 1024 * 1024;
const LEVEL = 1;
/** A segment is full from then on. */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

/** Stores a segment; `taken` where another writer has continued the stream there. */
export async function putSegment(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string },
  segment: AnySegment,
  signal: AbortSignal,
): Promise<StoredSegment | 'taken'> {
  const { store, keys, repo, epoch } = repository;
  const name = logName(place.cluster, place.stream, segment.begin);
  const isOfChanges = 'changes' in segment;
  const plain = isOfChanges ? encodeChangeSegment(segment) : encodeLogSegment(segment);
  const identity: ObjectIdentity = { type: 'log', name, repo, kid: keys.kid, epoch };
  const sealed = sealFloe(keys.log, objectAad(identity), encodeBlob(plain, LEVEL));
  const body = isOfChanges ? signObject(identity, sealed, requireSigningKey(repository)) : sealed;
  const result = await store.put(name, body, { signal });
  return result.outcome === 'stored' ? described({ stream: place.stream, kid: keys.kid }, segment, chainHash(keys.id, plain)) : 'taken';
}

/**
 * A stream is under one epoch key, which its segments do not name: each that there is is tried, the newest first, as they say at once whether they open with it.
 * @throws EngineError backup-damaged, naming it, where it opens with none; key-service-failed where a key that was not to be had might open it
 */
export async function getSegment(
  repository: Repository,
  place: { readonly cluster: string; readonly stream: string; readonly begin: number },
  signal: AbortSignal,
): Promise<StoredSegment> {
  const { store, repo } = repository;
  const name = logName(place.cluster, place.stream, place.begin);
  const found = await store.get(name, { maxBytes: MAX_STORED_BYTES, signal });
  if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
  // One of changes is signed, and so says its key.
  const signed = isSignedObject(found.body) ? verifyObject(found.body, { type: 'log', name, repo }, repository.trusted) : null;
  const epochs = repository.epochs.filter(({ kid }) => signed === null || kid === signed.identity.kid);
  let problem: unknown = new EngineError('backup-damaged', `${name} is under an epoch key that is not there`);
  let isFirst = true;
  for (const { kid, epoch } of epochs) {
    try {
      const keys = await repository.keysOf(kid, epoch);
      return named(name, () => {
        const aad = objectAad({ type: 'log', name, repo, kid, epoch });
        const { plain, rest } = decodeBlob(openFloe(keys.log, aad, signed?.body ?? found.body));
        if (rest.length > 0) throw new EngineError('backup-damaged', 'bytes follow its content');
        if (isChangeSegment(plain) !== (signed !== null)) throw new EngineError('backup-damaged', 'of its kind all are signed, or none is');
        const segment = isChangeSegment(plain) ? decodeChangeSegment(plain) : decodeLogSegment(plain);
        if (segment.begin !== place.begin) throw new EngineError('backup-damaged', `it begins at version ${segment.begin}`);
        return described({ stream: place.stream, kid }, segment, chainHash(keys.id, plain));
      });
    } catch (error) {
      if (!isEngineError(error, 'backup-damaged', 'key-service-failed')) throw error;
      // That a key is missing weighs more: with it the segment might open.
      if (isFirst || error.code === 'key-service-failed') problem = error;
      isFirst = false;
    }
  }
  throw problem;
}

export interface Stream {
  readonly cluster: string;
  readonly stream: string;
  /** First versions of its segments. */
  readonly begins: readonly number[];
}

/** The streams of a cluster, or of all, oldest first within each. */
export async function listStreams({ store }: Repository, cluster: string | null, signal: AbortSignal): Promise<readonly Stream[]> {
  const streams = new Map<string, { readonly cluster: string; readonly stream: string; readonly begins: number[] }>();
  for await (const { name } of store.list(cluster === null ? LOG_FOLDER : logPrefix(cluster), signalOf(signal))) {
    const [of, stream, begin] = name.slice(LOG_FOLDER.length).split('/');
    if (of === undefined || stream === undefined || !isBackupId(stream) || !/^\d{16}$/.test(begin ?? '')) continue;
    const key = `${of}/${stream}`;
    const known = streams.get(key) ?? { cluster: of, stream, begins: [] };
    known.begins.push(Number(begin));
    streams.set(key, known);
  }
  return [...streams.values()];
}

function described(from: { readonly stream: string; readonly kid: string }, segment: AnySegment, hash: Buffer): StoredSegment {
  if ('changes' in segment) return { ...segment, ...from, hash, endEpoch: segment.changes.at(-1)?.epoch ?? segment.epochBefore };
  const last = segment.entries.at(-1)!;
  return { ...segment, ...from, hash, end: segment.begin + segment.entries.length - 1, endEpoch: last.epoch };
}

/** Whether a segment continues another. */
export function follows(segment: StoredSegment, before: StoredSegment): boolean {
  return segment.begin === before.end + 1 && before.hash.equals(segment.previous);
}

/** The epoch at a version of the segment, or right before it. */
export function epochIn(segment: StoredSegment, version: number): number | undefined {
  if (version === segment.begin - 1) return segment.epochBefore;
  if (!('changes' in segment)) return segment.entries[version - segment.begin]?.epoch;
  return segment.changes.findLast((change) => change.version <= version)?.epoch ?? segment.epochBefore;
}

/** What a segment changed in versions `from` to `through`. */
export function logChangesIn(segment: StoredSegment, from: number, through: number): readonly LogChange[] {
  if (!('changes' in segment))
    return segment.entries
      .slice(from - segment.begin, through - segment.begin + 1)
      .flatMap(({ op, key, value }) => (op === 'noop' ? [] : [{ key, value: op === 'put' ? value : null }]));
  return segment.changes
    .filter(({ version }) => version >= from && version <= through)
    .flatMap(({ op, key, value }): readonly LogChange[] => {
      if (op === 'noop') return [];
      return op === 'clear' ? [{ from: key, to: value.length === 0 ? null : value }] : [{ key, value: op === 'put' ? value : null }];
    });
}
