import type { KeyService } from '../../keys/key-service.ts';
import { EngineError } from '../../platform/errors.ts';
import { newEpochKey } from '../format/epoch-keys.ts';
import { decodeKeyWrap, unwrapEpochKey, wrapEpochKey } from '../format/key-wrap.ts';
import { listWraps, signalOf, type Repository, type StoredWrap } from './repository.ts';

export interface RewrapOptions {
  readonly repository: Pick<Repository, 'repo' | 'store' | 'service'>;
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
 * Encrypts every epoch key anew with the present key service (its newest key version), reads each back and opens it, and only then deletes the old wraps. No backup is touched.
 * Interrupted anywhere every key still opens; run again it goes on.
 */
export async function rewrapKeys({ repository, previous, removeOthers, created }: RewrapOptions, signal: AbortSignal): Promise<Rewrapped> {
  const { store, service, repo } = repository;
  const wraps = (await listWraps(store, signal)).filter(({ wrap }) => wrap.repo === repo);
  let removed = 0;
  const kids = new Set(wraps.map(({ wrap }) => wrap.kid));
  for (const kid of kids) {
    const old = wraps.filter(({ wrap }) => wrap.kid === kid);
    const key = await openAny(old, [service, ...(previous === null ? [] : [previous])], signal);
    const epoch = BigInt(old[0]!.wrap.epoch);
    const made = await wrapEpochKey(key, { repo, epoch }, service, created, signal);
    const result = await store.put(made.name, made.bytes, { signal });
    if (result.outcome !== 'stored') throw new EngineError('backup-failed', `${made.name} is taken`);
    const back = await store.get(made.name, { maxBytes: made.bytes.length, ...signalOf(signal) });
    if (back.outcome === 'not-found') throw new EngineError('object-store-failed', `${made.name} was stored and is not there`);
    const opened = await unwrapEpochKey(decodeKeyWrap(made.name, back.body), service, signal);
    if (!opened.equals(key)) throw new EngineError('backup-damaged', `${made.name} opens to another key`);
    for (const { name, generation, wrap } of old) {
      const ours = wrap.service === service.kind && wrap.key === service.keyName;
      if (!ours && !removeOthers) continue;
      await store.delete(name, { generation, signal });
      removed++;
    }
  }
  return { wrapped: kids.size, removed };
}

/** Begins a new epoch: backups from now on are under a new key and share nothing with those before. */
export async function newEpoch(
  repository: Pick<Repository, 'repo' | 'store' | 'service' | 'epoch'>,
  created: Date,
  signal: AbortSignal,
): Promise<bigint> {
  const epoch = repository.epoch + 1n;
  const { name, bytes } = await wrapEpochKey(newEpochKey(), { repo: repository.repo, epoch }, repository.service, created, signal);
  await repository.store.put(name, bytes, { signal });
  return epoch;
}

async function openAny(wraps: readonly StoredWrap[], services: readonly KeyService[], signal: AbortSignal): Promise<Buffer> {
  for (const service of services)
    for (const { wrap } of wraps)
      if (wrap.service === service.kind && wrap.key === service.keyName) return await unwrapEpochKey(wrap, service, signal);
  const known = wraps.map(({ wrap }) => `${wrap.service} ${wrap.key}`).join(', ');
  throw new EngineError('key-service-failed', `epoch key ${wraps[0]?.wrap.kid} opens with ${known}; configure it as backup.previous_keys`);
}
