import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { KeyService } from '../../keys/key-service.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import { decodeCanonical, encodeCanonical } from './canonical-json.ts';
import { checked } from './checked.ts';
import { deriveEpochKeys } from './epoch-keys.ts';
import { keyWrapName } from './object-name.ts';

export const MAX_KEY_WRAP_BYTES = 64 * 1024;

/**
 * An epoch key, encrypted by a key service: one object for each service key that can open it, written once. Changing the service key adds a wrap and
 * deletes the old one; deleting all wraps of an epoch key makes all that was encrypted under it unreadable for ever.
 */
const keyWrapShape = z.looseObject({
  format: z.literal(1),
  repo: z.uuid(),
  kid: z.string().regex(/^[0-9a-f]{32}$/),
  epoch: z.string().regex(/^(0|[1-9][0-9]{0,18})$/),
  service: z.enum(['local-file', 'cloud-kms', 'x25519']),
  key: z.string().min(1),
  wrapped: z.base64(),
  created: z.iso.datetime(),
});
export type KeyWrap = z.infer<typeof keyWrapShape>;

export interface EpochIdentity {
  readonly repo: string;
  readonly epoch: bigint;
}

/** Encrypts an epoch key; returns the object to store. */
export async function wrapEpochKey(
  epochKey: Uint8Array,
  { repo, epoch }: EpochIdentity,
  service: KeyService,
  created: Date,
  signal?: AbortSignal,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const { kid } = deriveEpochKeys(epochKey);
  const wrapped = (await service.wrap(epochKey, wrapAad(repo, kid, epoch), signal)).toString('base64');
  const wrap: KeyWrap = {
    format: 1,
    repo,
    kid,
    epoch: epoch.toString(),
    service: service.kind,
    key: service.keyName,
    wrapped,
    created: created.toISOString(),
  };
  const id = createHash('sha256').update(`${wrap.service}\0${wrap.key}\0${wrapped}`).digest('hex').slice(0, 32);
  return { name: keyWrapName(kid, id), bytes: encodeCanonical(wrap as Parameters<typeof encodeCanonical>[0]) };
}

/** @throws EngineError backup-damaged, or backup-unsupported when a newer program wrote it */
export function decodeKeyWrap(name: string, bytes: Uint8Array): KeyWrap {
  const document = decodeCanonical(bytes, MAX_KEY_WRAP_BYTES, name);
  if (typeof document['format'] === 'number' && document['format'] > 1) {
    throw new EngineError('backup-unsupported', `${name} has format ${document['format']}, this program reads 1: use a newer one`);
  }
  return checked(name, document, keyWrapShape);
}

/**
 * Opens a wrap and checks that it holds the key that it is named after.
 * @throws EngineError key-service-failed when the service is another or refuses, backup-damaged when it is another key
 */
export async function unwrapEpochKey(wrap: KeyWrap, service: KeyService, signal?: AbortSignal): Promise<Buffer> {
  if (wrap.service !== service.kind || wrap.key !== service.keyName) {
    throw new EngineError(
      'key-service-failed',
      `epoch key ${wrap.kid} was wrapped by ${wrap.service} ${wrap.key}, not by ${service.keyName}`,
    );
  }
  const epochKey = await service.unwrap(Buffer.from(wrap.wrapped, 'base64'), wrapAad(wrap.repo, wrap.kid, BigInt(wrap.epoch)), signal);
  if (epochKey.length !== 32 || deriveEpochKeys(epochKey).kid !== wrap.kid) {
    throw new EngineError('backup-damaged', `the wrap of epoch key ${wrap.kid} holds another key`);
  }
  return epochKey;
}

/** Whether this key of this service wrapped it. */
export function isBy(wrap: KeyWrap, { kind, keyName }: KeyService): boolean {
  return wrap.service === kind && wrap.key === keyName;
}

export interface OpenedKey {
  readonly key: Buffer;
  /** As the wrap says that opened: it does with no other. */
  readonly epoch: bigint;
}

/**
 * The key of the first of its wraps that opens with one of the services, each on its own: one that does not, of a version of the service's key that is gone or damaged, must not keep another from it.
 * @throws EngineError as unwrapEpochKey, where there are some by these services and none opens
 */
export async function unwrapAny(
  wraps: readonly KeyWrap[],
  services: readonly KeyService[],
  signal?: AbortSignal,
): Promise<OpenedKey | null> {
  let failure: EngineError | null = null;
  for (const service of services)
    for (const wrap of wraps.filter((each) => isBy(each, service))) {
      try {
        return { key: await unwrapEpochKey(wrap, service, signal), epoch: BigInt(wrap.epoch) };
      } catch (error) {
        if (!isEngineError(error, 'key-service-failed', 'backup-damaged')) throw error;
        // A service that fails may open it later.
        if (failure === null || error.code === 'key-service-failed') failure = error;
      }
    }
  if (failure !== null) throw failure;
  return null;
}

function wrapAad(repo: string, kid: string, epoch: bigint): Buffer {
  return Buffer.from(`cdr1|${repo}|${kid}|${epoch}`);
}
