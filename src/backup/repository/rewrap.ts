import type { KeyService } from '../../keys/key-service.ts';
import { EngineError } from '../../platform/errors.ts';
import { newEpochKey } from '../format/epoch-keys.ts';
import type { ObjectStore } from '../../objectstore/object-store.ts';
import { decodeKeyWrap, isBy, unwrapAny, unwrapEpochKey, wrapEpochKey, type KeyWrap, type OpenedKey } from '../format/key-wrap.ts';
import { readShreds } from './shred.ts';
import { signalOf, type Repository } from './repository.ts';
import { listWraps, type StoredWrap } from './wraps.ts';

export interface RewrapOptions {
  readonly repository: Pick<Repository, 'repo' | 'store' | 'service' | 'recipients' | 'trusted'>;
  /** Opens the wraps that the present service did not make. */
  readonly previous: KeyService | null;
  /** Also the wraps of other services than the present one go. */
  readonly removeOthers: boolean;
  readonly created: Date;
}

export interface Rewrapped {
  readonly wrapped: number;
  readonly removed: number;
}

/**
 * Encrypts every epoch key anew with the present key service (its newest key version) and to the recipients, reads each back and opens it, and only then deletes the old wraps. No backup is touched.
 * Interrupted anywhere every key still opens; run again it goes on.
 */
export async function rewrapKeys({ repository, previous, removeOthers, created }: RewrapOptions, signal: AbortSignal): Promise<Rewrapped> {
  const { store, service, recipients, repo } = repository;
  const destroyed = await readShreds(repository, signal);
  const wraps = (await listWraps(store, signal)).filter(({ wrap }) => wrap.repo === repo && !destroyed.has(wrap.kid));
  let removed = 0;
  const kids = new Set(wraps.map(({ wrap }) => wrap.kid));
  for (const kid of kids) {
    const old = wraps.filter(({ wrap }) => wrap.kid === kid);
    const { key, epoch } = await openAny(old, [service, ...(previous === null ? [] : [previous])], signal);
    const stored = await putWrap(store, await wrapEpochKey(key, { repo, epoch }, service, created, signal), signal);
    const opened = await unwrapEpochKey(stored, service, signal);
    if (!opened.equals(key)) throw new EngineError('backup-damaged', `the new wrap of ${kid} opens to another key`);
    for (const recipient of recipients) await putWrap(store, await wrapEpochKey(key, { repo, epoch }, recipient, created, signal), signal);
    for (const { name, generation, wrap } of old) {
      const ours = [service, ...recipients].some((each) => isBy(wrap, each));
      if (!ours && !removeOthers) continue;
      await store.delete(name, { generation, signal });
      removed++;
    }
  }
  return { wrapped: kids.size, removed };
}

/** Begins a new epoch: backups from now on are under a new key and share nothing with those before. */
export async function newEpoch(
  repository: Pick<Repository, 'repo' | 'store' | 'service' | 'recipients' | 'epoch'>,
  created: Date,
  signal: AbortSignal,
): Promise<bigint> {
  const epoch = repository.epoch + 1n;
  const { repo, store, service, recipients } = repository;
  const key = newEpochKey();
  // That of the service first: with one of a recipient alone there would be an epoch that nothing here can write to.
  for (const each of [service, ...recipients])
    await putWrap(store, await wrapEpochKey(key, { repo, epoch }, each, created, signal), signal);
  return epoch;
}

/** Wraps the epoch key that is written now to each recipient that has no wrap of it: one that was configured later, or after a run that was cut off. */
export async function addMissingRecipients(repository: Repository, created: Date, signal: AbortSignal): Promise<number> {
  const { repo, store, service, recipients, epoch, keys } = repository;
  if (recipients.length === 0) return 0;
  const wraps = (await listWraps(store, signal)).filter(({ wrap }) => wrap.repo === repo && wrap.kid === keys.kid);
  const missing = recipients.filter((recipient) => !wraps.some(({ wrap }) => isBy(wrap, recipient)));
  if (missing.length === 0) return 0;
  const { key } = await openAny(wraps, [service], signal);
  for (const recipient of missing) await putWrap(store, await wrapEpochKey(key, { repo, epoch }, recipient, created, signal), signal);
  return missing.length;
}

/** Stores a wrap and gives it as it is read back. */
async function putWrap(
  store: ObjectStore,
  { name, bytes }: { readonly name: string; readonly bytes: Buffer },
  signal: AbortSignal,
): Promise<KeyWrap> {
  const result = await store.put(name, bytes, { signal });
  if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${name} is taken`);
  const back = await store.get(name, { maxBytes: bytes.length, ...signalOf(signal) });
  if (back.outcome === 'not-found') throw new EngineError('object-store-failed', `${name} was stored and is not there`);
  if (!back.body.equals(bytes)) throw new EngineError('backup-damaged', `${name} was stored and reads as something else`);
  return decodeKeyWrap(name, back.body);
}

async function openAny(wraps: readonly StoredWrap[], services: readonly KeyService[], signal: AbortSignal): Promise<OpenedKey> {
  const opened = await unwrapAny(
    wraps.map(({ wrap }) => wrap),
    services,
    signal,
  );
  if (opened !== null) return opened;
  const known = wraps.map(({ wrap }) => `${wrap.service} ${wrap.key}`).join(', ');
  throw new EngineError('key-service-failed', `epoch key ${wraps[0]?.wrap.kid} opens with ${known}; configure it as backup.previous_keys`);
}
