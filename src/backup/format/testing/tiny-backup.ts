import { crc32c } from '@node-rs/crc32';
import type { KeyObject } from 'node:crypto';
import type { KeyService } from '../../../keys/key-service.ts';
import type { ObjectStore } from '../../../objectstore/object-store.ts';
import { encodeBlobIndex, type BlobPlace } from '../blob-index.ts';
import { encodeBlob } from '../blob.ts';
import { deriveEpochKeys, type EpochKeys } from '../epoch-keys.ts';
import { sealFloe } from '../floe.ts';
import { blobId, listRoot, packId } from '../ids.ts';
import type { KeyRange } from '../key-range.ts';
import { wrapEpochKey } from '../key-wrap.ts';
import { sealManifest, type Manifest } from '../manifest.ts';
import { CONFIG_NAME, indexName, objectAad, packName, type ObjectType } from '../object-name.ts';
import { encodeRangeFile, type KeyValue } from '../records.ts';
import { signDocument } from '../signing.ts';

export interface TinyBackup {
  readonly repo: string;
  readonly epoch: bigint;
  readonly epochKey: Uint8Array;
  readonly signingKey: KeyObject;
  readonly service: KeyService;
  /** Range files in chain order; together all keys. */
  readonly files: readonly { readonly range: KeyRange; readonly records: readonly KeyValue[] }[];
}

/** Writes a whole repository with one backup, one pack per range file, as docs/backup-format.md says. Returns the name of its manifest. */
export async function writeTinyBackup(store: ObjectStore, backup: TinyBackup): Promise<string> {
  const keys = deriveEpochKeys(backup.epochKey);
  const put = async (name: string, bytes: Buffer): Promise<{ bytes: number; crc32c: number; generation: string }> => {
    const result = await store.put(name, bytes);
    if (result.outcome !== 'stored') throw new Error(`${name}: ${result.outcome}`);
    return { bytes: bytes.length, crc32c: crc32c(bytes), generation: result.object.generation };
  };
  const seal = (type: ObjectType, name: string, key: Buffer, plain: Uint8Array): Buffer =>
    sealFloe(key, objectAad({ type, name, repo: backup.repo, kid: keys.kid, epoch: backup.epoch }), plain);

  const config = { format: 1, repo: backup.repo, created: '2026-11-22T18:00:00.000Z' };
  await put(CONFIG_NAME, signDocument(CONFIG_NAME, config, backup.signingKey));
  const wrap = await wrapEpochKey(backup.epochKey, backup, backup.service, new Date(0));
  await put(wrap.name, wrap.bytes);

  const fileBlobs = backup.files.map(({ range, records }) => encodeRangeFile(range, records));
  const ids = fileBlobs.map((plain) => blobId(keys.id, plain));
  const list = Buffer.concat(ids);
  const listId = blobId(keys.id, list);
  const places: BlobPlace[] = [];
  const packs: Manifest['packs'] = [];
  for (const [n, plain] of [...fileBlobs, list].entries()) {
    // A small blob in front, so that offsets are not all 0.
    const filler = Buffer.from(`filler ${n}`);
    const blobs = [encodeBlob(filler, null), encodeBlob(plain, 3)] as const;
    const blob = ids[n] ?? listId;
    const pack = packId(keys.id, [blobId(keys.id, filler), blob]);
    const name = packName(pack.toString('hex'));
    packs.push({ id: pack.toString('hex'), ...(await put(name, seal('pack', name, keys.pack, Buffer.concat(blobs)))) });
    places.push({ blob, pack, offset: blobs[0].length, storedBytes: blobs[1].length, plainBytes: plain.length });
  }
  const indexId = '0'.repeat(32);
  const nameOfIndex = indexName(backup.epoch, indexId);
  const index = { id: indexId, ...(await put(nameOfIndex, seal('index', nameOfIndex, keys.meta, encodeBlobIndex(places)))) };
  const manifest = manifestOf(backup, keys, {
    packs,
    index: [index],
    lists: [listId.toString('hex')],
    root: listRoot(keys.id, ids).toString('hex'),
  });
  const sealed = sealManifest(manifest, keys, backup.signingKey);
  await put(sealed.name, sealed.bytes);
  return sealed.name;
}

function manifestOf(
  { repo, epoch, files }: TinyBackup,
  { kid }: EpochKeys,
  { packs, index, lists, root }: Pick<Manifest, 'packs' | 'index'> & { lists: string[]; root: string },
): Manifest {
  const records = files.reduce((sum, file) => sum + file.records.length, 0);
  return {
    format: { major: 1, minor: 0 },
    backupId: '01ARYZ6S410000000000000000',
    repo,
    cluster: { id: 'tiny', description: 'a test' },
    database: { kind: 'embedded', version: '1' },
    kind: 'full',
    consistency: 'exact',
    beginVersion: '0',
    endVersion: '17',
    readVersion: '17',
    clock: [],
    generation: '1',
    ranges: [{ begin: '', end: null, files: files.length, records, lists, root }],
    packs,
    index,
    totals: { records, plainBytes: 0, storedBytes: packs.reduce((sum, { bytes }) => sum + bytes, 0) },
    codecs: { compression: 'zstd-3', chunker: 'none', implementation: {} },
    kid,
    epoch: epoch.toString(),
    lease: { epoch: '1', holder: 'test' },
    parent: null,
    log: null,
    tool: { name: 'coditect-dr', version: 'test' },
    configDigest: '0'.repeat(64),
    created: '2026-11-22T18:00:00.000Z',
    retainUntil: null,
    legalHold: false,
    labels: {},
    objectives: { rpoSeconds: 5, rtoSeconds: 10 },
  };
}
