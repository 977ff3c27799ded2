import { hkdfSync, randomBytes } from 'node:crypto';
import { EngineError } from '../../platform/errors.ts';

export const EPOCH_KEY_BYTES = 32;

/** All that follows from one epoch key. The epoch is also the domain of deduplication: another epoch key gives other ids. */
export interface EpochKeys {
  /** Names the epoch key without telling it: 32 hex digits. */
  readonly kid: string;
  /** Keyed BLAKE3 of blobs, and of lists of them. */
  readonly id: Buffer;
  /** Seeds the chunker, so that lengths of chunks tell nothing of known content. */
  readonly chunk: Buffer;
  /** FLOE keys by what the object holds. */
  readonly pack: Buffer;
  readonly meta: Buffer;
  readonly log: Buffer;
}

export function newEpochKey(): Buffer {
  return randomBytes(EPOCH_KEY_BYTES);
}

/** HKDF-SHA-384, empty salt, one label a key. @throws EngineError internal on an epoch key of the wrong length */
export function deriveEpochKeys(epochKey: Uint8Array): EpochKeys {
  if (epochKey.length !== EPOCH_KEY_BYTES) {
    throw new EngineError('internal', `an epoch key has ${EPOCH_KEY_BYTES} bytes, not ${epochKey.length}`);
  }
  const derive = (label: string, length: number): Buffer => Buffer.from(hkdfSync('sha384', epochKey, '', label, length));
  return {
    kid: derive('cdr1/kid', 16).toString('hex'),
    id: derive('cdr1/id', 32),
    chunk: derive('cdr1/chunk', 32),
    pack: derive('cdr1/pack', 32),
    meta: derive('cdr1/meta', 32),
    log: derive('cdr1/log', 32),
  };
}
