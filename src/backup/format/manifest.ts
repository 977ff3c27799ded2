import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { EngineError } from '../../platform/errors.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { decodeCanonical, encodeCanonical, type CanonicalObject } from './canonical-json.ts';
import { checked, whatIsWrong } from './checked.ts';
import type { EpochKeys } from './epoch-keys.ts';
import { floeSealedBytes, openFloe, sealFloe } from './floe.ts';
import { isBackupId } from './ids.ts';
import { manifestName, objectAad, type ObjectIdentity } from './object-name.ts';
import { SIGNED_HEADER_BYTES, signObject, verifyObject } from './signing.ts';

/** The major version that this program writes and the highest that it reads; minor versions only add fields, and the one written today is 0. */
export const FORMAT_MAJOR = 1;
/** A manifest names packs of 16 MiB in about 120 bytes each: this is enough for some 8 TB. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;
/** As it is stored: encrypted and signed. */
export const MAX_STORED_MANIFEST_BYTES = floeSealedBytes(MAX_MANIFEST_BYTES) + SIGNED_HEADER_BYTES;

const count = z.int().nonnegative();
const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const keyHex = z.string().regex(/^([0-9a-f]{2})*$/);
const number64 = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,19})$/)
  .refine((text) => BigInt(text) < 2n ** 64n, 'is above 64 bits');
const time = z.iso.datetime();
const storedObject = { bytes: count, crc32c: z.int().min(0).max(0xffffffff), generation: z.string() };

/** Objects are loose: fields of a later minor version are kept, and written again as they came. */
const manifestShape = z.looseObject({
  format: z.looseObject({ major: z.literal(FORMAT_MAJOR), minor: count }),
  backupId: z.string().refine(isBackupId, 'is no ULID'),
  repo: z.uuid(),
  cluster: z.looseObject({ id: z.string().min(1), description: z.string() }),
  database: z.looseObject({ kind: z.string().min(1), version: z.string() }),
  kind: z.enum(['full', 'incremental', 'log']),
  consistency: z.enum(['exact', 'fuzzy+log', 'frozen-dr']),
  beginVersion: number64,
  endVersion: number64,
  readVersion: number64,
  clock: z.array(z.looseObject({ version: number64, wall: time })),
  generation: number64,
  ranges: z.array(
    z.looseObject({ begin: keyHex, end: keyHex.nullable(), files: count, records: count, lists: z.array(hex(32)), root: hex(32) }),
  ),
  packs: z.array(z.looseObject({ id: hex(16), ...storedObject })),
  index: z.array(z.looseObject({ id: hex(16), ...storedObject })),
  totals: z.looseObject({ records: count, plainBytes: count, storedBytes: count }),
  codecs: z.looseObject({ compression: z.string(), chunker: z.string(), implementation: z.record(z.string(), z.string()) }),
  kid: hex(16),
  epoch: number64,
  lease: z.looseObject({ epoch: number64, holder: z.string(), order: count.optional() }),
  tail: z.looseObject({ first: number64, hash: hex(32) }).optional(),
  parent: z.string().refine(isBackupId, 'is no ULID').nullable(),
  log: z.looseObject({ stream: z.string(), head: hex(32) }).nullable(),
  tool: z.looseObject({ name: z.string(), version: z.string() }),
  configDigest: hex(32),
  created: time,
  retainUntil: time.nullable(),
  legalHold: z.boolean(),
  labels: z.record(z.string(), z.string()),
  objectives: z.looseObject({ rpoSeconds: count, rtoSeconds: count }),
});

/** What a backup is. Versions and epochs are decimal strings of 64 bits, keys and ids hex. */
export type Manifest = z.infer<typeof manifestShape>;

/** @throws EngineError bad-request when the manifest is not of its shape */
export function encodeManifest(manifest: Manifest): Buffer {
  const { success, error } = manifestShape.safeParse(manifest);
  if (!success) throw new EngineError('bad-request', `manifest: ${whatIsWrong(error)}`);
  const bytes = encodeCanonical(manifest as CanonicalObject);
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new EngineError('bad-request', `manifest of ${bytes.length} bytes, at most ${MAX_MANIFEST_BYTES}`);
  return bytes;
}

/** @throws EngineError backup-damaged, or backup-unsupported when a newer major version wrote it */
export function decodeManifest(bytes: Uint8Array, name = 'manifest'): Manifest {
  const document = decodeCanonical(bytes, MAX_MANIFEST_BYTES, name);
  const major = (document['format'] as CanonicalObject | undefined)?.['major'];
  if (typeof major === 'number' && major > FORMAT_MAJOR) {
    throw new EngineError(
      'backup-unsupported',
      `the backup has format ${major}, this program reads up to ${FORMAT_MAJOR}: use a newer one`,
    );
  }
  return checked(name, document, manifestShape);
}

export interface SealedManifest {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The manifest as an object to store: encrypted, signed, bound to its name. Storing it commits the backup. */
export function sealManifest(manifest: Manifest, keys: EpochKeys, signingKey: KeyObject): SealedManifest {
  if (manifest.kid !== keys.kid) throw new EngineError('internal', 'the manifest names another epoch key than it is encrypted with');
  const name = manifestName(manifest.cluster.id, manifest.backupId);
  const identity: ObjectIdentity = { type: 'manifest', name, repo: manifest.repo, kid: manifest.kid, epoch: BigInt(manifest.epoch) };
  const body = sealFloe(keys.meta, objectAad(identity), encodeManifest(manifest));
  return { name, bytes: signObject(identity, body, signingKey) };
}

/**
 * Checks signature, key, name and content of a stored manifest; keysOf gives the keys of an epoch, which its wraps may be needed for.
 * @throws EngineError backup-damaged or backup-unsupported
 */
export async function openManifest(
  stored: { readonly name: string; readonly repo: string; readonly bytes: Uint8Array },
  trusted: readonly KeyObject[],
  keysOf: (kid: string, epoch: bigint) => Promise<EpochKeys>,
): Promise<Manifest> {
  const { identity, body } = verifyObject(stored.bytes, { type: 'manifest', name: stored.name, repo: stored.repo }, trusted);
  const keys = await keysOf(identity.kid, identity.epoch);
  const manifest = decodeManifest(openFloe(keys.meta, objectAad(identity), body), stored.name);
  const { repo, kid, epoch, cluster, backupId } = manifest;
  const states = { repo, kid, epoch, name: manifestName(cluster.id, backupId) };
  for (const [field, stated, is] of [
    ['repo', states.repo, identity.repo],
    ['kid', states.kid, identity.kid],
    ['epoch', states.epoch, identity.epoch.toString()],
    ['name', states.name, identity.name],
  ] as const) {
    if (stated !== is) throw new EngineError('backup-damaged', `${stored.name} refused: it states ${field} ${stated}, not ${is}`);
  }
  return manifest;
}

/** The end of the log that a backup was read at: what follows it begins there. */
export function logEndOf({ readVersion, generation }: Manifest): LogEnd {
  return { index: Number(readVersion), epoch: Number(generation) };
}
