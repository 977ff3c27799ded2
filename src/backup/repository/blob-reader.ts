import { EngineError, isEngineError } from '../../platform/errors.ts';
import { decodeBlobIndex, type BlobIndex, type BlobPlace } from '../format/blob-index.ts';
import { openBlob } from '../format/blob.ts';
import type { EpochKeys } from '../format/epoch-keys.ts';
import { FLOE_HEADER_BYTES } from '../format/floe-core.ts';
import { openFloe, openFloeReader } from '../format/floe.ts';
import type { Manifest } from '../format/manifest.ts';
import { indexName, objectAad, packName } from '../format/object-name.ts';
import { named } from './named.ts';
import { signalOf, type Repository } from './repository.ts';

export const MAX_INDEX_BYTES = 256 * 1024 * 1024;

/** Where blobs lie, from the indexes of a manifest; and the packs as the manifest names them. */
export interface BlobMap {
  readonly keys: EpochKeys;
  readonly epoch: bigint;
  readonly packs: ReadonlyMap<string, Manifest['packs'][number]>;
  /** @throws EngineError backup-damaged where no index has it, or its pack is not in the manifest */
  find(id: Uint8Array): BlobPlace;
}

/** Opens the indexes of a backup; each is checked against what the manifest says of it. */
export async function openBlobMap(repository: Repository, manifest: Manifest, signal?: AbortSignal): Promise<BlobMap> {
  const keys = await repository.keysOf(manifest.kid, BigInt(manifest.epoch));
  const epoch = BigInt(manifest.epoch);
  const indexes: BlobIndex[] = [];
  for (const { id, bytes } of manifest.index) indexes.push(await readIndex(repository, { keys, epoch, id, bytes }, signal));
  const packs = new Map(manifest.packs.map((pack) => [pack.id, pack]));
  return {
    keys,
    epoch,
    packs,
    find: (id) => {
      for (const index of indexes) {
        const place = index.find(id);
        // A blob may have been stored twice; only the copy in a pack of this manifest is sure to be kept.
        if (place !== null && packs.has(Buffer.from(place.pack).toString('hex'))) return place;
      }
      throw new EngineError('backup-damaged', `backup ${manifest.backupId} has no blob ${Buffer.from(id).toString('hex')}`);
    },
  };
}

/** @throws EngineError backup-damaged where it is missing, has another length or does not open */
export async function readIndex(
  { store, repo }: Repository,
  { keys, epoch, id, bytes }: { readonly keys: EpochKeys; readonly epoch: bigint; readonly id: string; readonly bytes: number | null },
  signal?: AbortSignal,
): Promise<BlobIndex> {
  const name = indexName(epoch, id);
  const found = await store.get(name, { maxBytes: bytes ?? MAX_INDEX_BYTES, ...signalOf(signal) }).catch(async (error: unknown) => {
    // More is not read than it should have; that it has more is damage, and not a store that fails.
    const stored = bytes !== null && isEngineError(error, 'object-store-failed') ? await store.stat(name, signal) : null;
    if (stored === null || stored.bytes === bytes) throw error;
    throw new EngineError('backup-damaged', `${name} has ${stored.bytes} bytes, the manifest says ${bytes}`, error);
  });
  if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
  if (bytes !== null && found.body.length !== bytes)
    throw new EngineError('backup-damaged', `${name} has ${found.body.length} bytes, the manifest says ${bytes}`);
  return named(name, () =>
    decodeBlobIndex(openFloe(keys.meta, objectAad({ type: 'index', name, repo, kid: keys.kid, epoch }), found.body)),
  );
}

/** Reads some bytes of a pack's plaintext: only the segments that hold them travel. */
export async function readPackRange(
  repository: Repository,
  map: BlobMap,
  pack: Uint8Array,
  range: { readonly begin: number; readonly end: number },
  signal?: AbortSignal,
): Promise<Buffer> {
  const { name, stored, aad, fetch } = packIn(repository, map, Buffer.from(pack).toString('hex'), signal);
  const { keys } = map;
  const header = await fetch(0, Math.min(FLOE_HEADER_BYTES, stored.bytes));
  const floe = named(name, () => openFloeReader(keys.pack, aad, header, stored.bytes));
  if (range.end > floe.plainBytes) throw new EngineError('backup-damaged', `${name} is shorter than its index says`);
  const { first, last, skipBytes } = floe.locate(range.begin, range.end);
  const from = floe.sealedRange(first).begin;
  const sealed = await fetch(from, floe.sealedRange(last).end);
  return named(name, () => {
    const parts: Buffer[] = [];
    for (let n = first; n <= last; n++) {
      const { begin, end } = floe.sealedRange(n);
      parts.push(floe.decrypt(n, sealed.subarray(begin - from, end - from)));
    }
    return Buffer.concat(parts).subarray(skipBytes, skipBytes + range.end - range.begin);
  });
}

/** Reads all of a pack, whatever it holds. @throws EngineError backup-damaged where it is not as it was written */
export async function checkPack(repository: Repository, map: BlobMap, id: string, signal?: AbortSignal): Promise<void> {
  const { name, stored, aad, fetch } = packIn(repository, map, id, signal);
  const sealed = await fetch(0, stored.bytes);
  named(name, () => openFloe(map.keys.pack, aad, sealed));
}

/** A pack as the manifest names it. @throws EngineError backup-damaged where it does not */
export function packOf(
  { packs }: Pick<BlobMap, 'packs'>,
  id: string,
): { readonly name: string; readonly stored: Manifest['packs'][number] } {
  const name = packName(id);
  const stored = packs.get(id);
  if (stored === undefined) throw new EngineError('backup-damaged', `${name} is not in the manifest`);
  return { name, stored };
}

/** `fetch` reads sealed bytes of it. */
function packIn({ store, repo }: Repository, map: BlobMap, id: string, signal?: AbortSignal) {
  const { name, stored } = packOf(map, id);
  const fetch = async (begin: number, end: number): Promise<Buffer> => {
    const found = await store.get(name, { range: { begin, end }, maxBytes: end - begin, ...signalOf(signal) });
    if (found.outcome === 'not-found') throw new EngineError('backup-damaged', `${name} is missing`);
    if (found.body.length !== end - begin)
      throw new EngineError('backup-damaged', `${name} is cut: it has not the ${stored.bytes} bytes of the manifest`);
    return found.body;
  };
  return { name, stored, fetch, aad: objectAad({ type: 'pack', name, repo, kid: map.keys.kid, epoch: map.epoch }) };
}

/** One blob by its id, checked. */
export async function readBlob(repository: Repository, map: BlobMap, id: Uint8Array, signal?: AbortSignal): Promise<Buffer> {
  const { pack, offset, storedBytes } = map.find(id);
  const bytes = await readPackRange(repository, map, pack, { begin: offset, end: offset + storedBytes }, signal);
  return named(packName(Buffer.from(pack).toString('hex')), () => openBlob(bytes, map.keys.id, id));
}
