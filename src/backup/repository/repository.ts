import { randomUUID, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { KeyService } from '../../keys/key-service.ts';
import type { ObjectStore } from '../../objectstore/object-store.ts';
import { EngineError, isEngineError } from '../../platform/errors.ts';
import { checked } from '../format/checked.ts';
import { deriveEpochKeys, newEpochKey, type EpochKeys } from '../format/epoch-keys.ts';
import { unwrapAny, wrapEpochKey, type KeyWrap } from '../format/key-wrap.ts';
import { CONFIG_NAME, LOG_FOLDER } from '../format/object-name.ts';
import { signDocument, verifyDocument } from '../format/signing.ts';
import { readWraps } from './wraps.ts';

const MAX_DOCUMENT_BYTES = 1024 * 1024;
const configShape = z.looseObject({ format: z.literal(1), repo: z.uuid(), created: z.iso.datetime() });

/** What a repository is opened with. */
export interface RepositoryAccess {
  readonly store: ObjectStore;
  readonly service: KeyService;
  /** Every epoch key is wrapped to these as well. */
  readonly recipients: readonly KeyService[];
  /** Needed to write; null to read only. */
  readonly signingKey: KeyObject | null;
  readonly trusted: readonly KeyObject[];
}

/** An open repository: its objects, and the keys of the epoch that is written now. */
export interface Repository extends RepositoryAccess {
  readonly repo: string;
  readonly epoch: bigint;
  readonly keys: EpochKeys;
  /** All epoch keys that have a wrap, the newest first. */
  readonly epochs: readonly EpochKeyRef[];
  /** What there is among the keys that opens nothing. */
  readonly problems: readonly string[];
  /** Keys of any epoch that is there still. @throws EngineError key-service-failed */
  keysOf(kid: string, epoch: bigint): Promise<EpochKeys>;
}

export interface EpochKeyRef {
  readonly kid: string;
  readonly epoch: bigint;
}

/**
 * Makes a repository in an empty place: configuration and first epoch key. `exists` where there is one that opens. Key wraps alone are of one that was never finished.
 * @throws EngineError bad-request where a repository is there without its configuration: a new identity could open none of its backups; backup-damaged where the configuration is not as it was signed
 */
export async function initRepository(access: RepositoryAccess, created: Date, signal?: AbortSignal): Promise<'made' | 'exists'> {
  const { store, service, recipients } = access;
  const signingKey = requireSigningKey(access);
  if ((await store.stat(CONFIG_NAME, signal)) !== null) {
    await repositoryId(access, signal);
    return 'exists';
  }
  const orphan = await anyObject(store, signal);
  if (orphan !== null) throw withoutConfig(orphan);
  const repo = randomUUID();
  // The key first: a configuration without one would be a repository that nobody can write to.
  const epochKey = newEpochKey();
  for (const each of [service, ...recipients]) {
    const wrap = await wrapEpochKey(epochKey, { repo, epoch: 1n }, each, created, signal);
    await store.put(wrap.name, wrap.bytes, signalOf(signal));
  }
  const config = signDocument(CONFIG_NAME, { format: 1, repo, created: created.toISOString() }, signingKey);
  const result = await store.put(CONFIG_NAME, config, signalOf(signal));
  return result.outcome === 'stored' ? 'made' : 'exists';
}

/**
 * @param how.toRead also where a key has no wrap that is whole, and may be the newest: what is under it does not open, and nothing must be written under another
 * @throws EngineError bad-request where there is none, backup-damaged where it is not as it was signed, or a key as above, key-service-failed where no key opens
 */
export async function openRepository(
  access: RepositoryAccess,
  signal?: AbortSignal,
  { toRead = false }: { readonly toRead?: boolean } = {},
): Promise<Repository> {
  const { store, service } = access;
  const repo = await repositoryId(access, signal);
  const { wraps: all, damaged, strays } = await readWraps(store, signal);
  const [wrong] = damaged.values();
  const wraps = all.filter(({ wrap }) => wrap.repo === repo);
  if (wrong !== undefined && !(toRead && wraps.length > 0)) throw wrong;
  const opened = new Map<string, Promise<EpochKeys>>();
  const wrapsOf = (kid: string): readonly KeyWrap[] => wraps.flatMap(({ wrap }) => (wrap.kid === kid ? [wrap] : []));
  const open = async (kid: string): Promise<EpochKeys> => {
    const found = await unwrapAny(wrapsOf(kid), [service], signal);
    if (found === null) throw damaged.get(kid) ?? noKey(kid, wrapsOf(kid), service);
    return deriveEpochKeys(found.key);
  };
  const keysOf = (kid: string): Promise<EpochKeys> => {
    const keys = opened.get(kid) ?? open(kid);
    opened.set(kid, keys);
    // A key service that failed is asked again.
    keys.catch(() => opened.delete(kid));
    return keys;
  };
  const numbers = new Map<string, bigint>();
  for (const { kid } of wraps.map(({ wrap }) => wrap))
    if (!numbers.has(kid)) numbers.set(kid, await epochOf(wrapsOf(kid), service, signal));
  const epochs = [...numbers].map(([kid, epoch]) => ({ kid, epoch })).toSorted((a, b) => (a.epoch < b.epoch ? 1 : -1));
  const newest = epochs[0];
  if (newest === undefined)
    throw new EngineError('backup-damaged', 'the repository has no key: it was destroyed, and what it opened with it');
  const problems = [
    ...[...damaged].map(([kid, { message }]) => `what is under the key ${kid} does not open, its only wrap is damaged: ${message}`),
    ...strays.map((name) => `${name} is no key of this repository`),
  ];
  return { ...access, repo, epoch: newest.epoch, keys: await keysOf(newest.kid), epochs, problems, keysOf };
}

/** Where its wraps do not say the same, as that does which opens: that of one that is damaged must not count. */
async function epochOf(wraps: readonly KeyWrap[], service: KeyService, signal: AbortSignal | undefined): Promise<bigint> {
  const said = wraps.map(({ epoch }) => BigInt(epoch));
  if (said.every((epoch) => epoch === said[0])) return said[0]!;
  const found = await unwrapAny(wraps, [service], signal).catch((error: unknown) => {
    if (isEngineError(error, 'key-service-failed', 'backup-damaged')) return null;
    throw error;
  });
  return found?.epoch ?? said[0]!;
}

/** The repository's UUID, from its signed configuration; no key is needed. */
export async function repositoryId({ store, trusted }: RepositoryAccess, signal?: AbortSignal): Promise<string> {
  const found = await store.get(CONFIG_NAME, { maxBytes: MAX_DOCUMENT_BYTES, ...signalOf(signal) });
  if (found.outcome === 'not-found') {
    const orphan = await anyObject(store, signal);
    throw orphan === null
      ? new EngineError('bad-request', 'there is no backup repository in this store; make one with `coditect-dr backup init`')
      : withoutConfig(orphan);
  }
  return checked(CONFIG_NAME, verifyDocument(CONFIG_NAME, found.body, trusted), configShape).repo;
}

export function requireSigningKey({ signingKey }: Pick<RepositoryAccess, 'signingKey'>): KeyObject {
  if (signingKey === null) throw new EngineError('bad-config', 'backup.signing.key_file is needed to write to a repository');
  return signingKey;
}

/** Under exactOptionalPropertyTypes an absent signal must be an absent member. */
export function signalOf(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** Some object that only a repository which was in use has; null where there is none. */
async function anyObject(store: ObjectStore, signal: AbortSignal | undefined): Promise<string | null> {
  for (const folder of ['manifests/', 'packs/', 'index/', LOG_FOLDER])
    for await (const { name } of store.list(folder, signalOf(signal))) return name;
  return null;
}

function withoutConfig(name: string): EngineError {
  return new EngineError(
    'bad-request',
    `${CONFIG_NAME} is missing in this store, but ${name} is there: it is a repository that lost its configuration, or not all of one;` +
      ` put ${CONFIG_NAME} back from a copy of the store: without it, or with a new one, none of its backups opens`,
  );
}

function noKey(kid: string, wraps: readonly KeyWrap[], service: KeyService): EngineError {
  const known = wraps.map((wrap) => `${wrap.service} ${wrap.key}`).join(', ');
  return new EngineError(
    'key-service-failed',
    wraps.length === 0
      ? `the keys of epoch ${kid} were destroyed: what was encrypted under them cannot be read any more`
      : `epoch key ${kid} opens with ${known}, not with ${service.kind} ${service.keyName}`,
  );
}
