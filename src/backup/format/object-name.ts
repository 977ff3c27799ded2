import { EngineError } from '../../platform/errors.ts';

/** What an encrypted object is; the number goes into its AAD, so that none can stand in for another. */
export const OBJECT_TYPES = { pack: 1, index: 2, manifest: 3, log: 4 } as const;
export type ObjectType = keyof typeof OBJECT_TYPES;

export interface ObjectIdentity {
  readonly type: ObjectType;
  /** Full name in the repository, as `packs/3f/3f…`. */
  readonly name: string;
  /** Repository UUID, in lower case. */
  readonly repo: string;
  /** Key id of the epoch key, 32 hex digits. */
  readonly kid: string;
  /** Number of the epoch of that key. */
  readonly epoch: bigint;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEX_16_BYTES = /^[0-9a-f]{32}$/;
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** A short lower-case name that may be one part of an object name. */
export function isNamePart(part: string): boolean {
  return SEGMENT.test(part) && !part.includes('..');
}

export const CONFIG_NAME = 'config.json';

export function packName(packId: string): string {
  return `packs/${checked(packId, HEX_16_BYTES, 'pack id').slice(0, 2)}/${packId}`;
}

export function indexName(epoch: bigint, indexId: string): string {
  return `index/${epoch}/${checked(indexId, HEX_16_BYTES, 'index id')}`;
}

export function manifestName(cluster: string, backupId: string): string {
  return `manifests/${checked(cluster, SEGMENT, 'cluster id')}/${checked(backupId, SEGMENT, 'backup id')}`;
}

/** The first version is part of the name, so that of two writers only one can continue a stream at a version. */
export function logName(cluster: string, stream: string, begin: number): string {
  return `${logPrefix(cluster)}${checked(stream, SEGMENT, 'stream id')}/${begin.toString().padStart(16, '0')}`;
}

/** Where the log of every cluster is. */
export const LOG_FOLDER = 'log/';

export function logPrefix(cluster: string): string {
  return `${LOG_FOLDER}${checked(cluster, SEGMENT, 'cluster id')}/`;
}

export function keyWrapName(kid: string, wrapId: string): string {
  return `keys/${checked(kid, HEX_16_BYTES, 'key id')}/${checked(wrapId, HEX_16_BYTES, 'wrap id')}.json`;
}

export function isKeyWrapName(name: string): boolean {
  return /^keys\/[0-9a-f]{32}\/[0-9a-f]{32}\.json$/.test(name);
}

/**
 * The AAD that binds an encrypted object to its place: `CDR1`, 0, type, repository UUID (16 bytes), key id (16), epoch (64 bits, big-endian), name.
 * All but the name have one length, so no two places have one AAD.
 */
export function objectAad(identity: ObjectIdentity): Buffer {
  const repo = Buffer.from(checked(identity.repo, UUID, 'repository UUID').replaceAll('-', ''), 'hex');
  const kid = Buffer.from(checked(identity.kid, HEX_16_BYTES, 'key id'), 'hex');
  const epoch = Buffer.alloc(8);
  epoch.writeBigUInt64BE(identity.epoch);
  return Buffer.concat([Buffer.from('CDR1\0'), Buffer.of(OBJECT_TYPES[identity.type]), repo, kid, epoch, Buffer.from(identity.name)]);
}

function checked(value: string, pattern: RegExp, what: string): string {
  if (!pattern.test(value) || value.includes('..')) throw new EngineError('bad-request', `${JSON.stringify(value)} is no ${what}`);
  return value;
}
