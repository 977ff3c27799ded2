import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { EngineError } from '../../platform/errors.ts';

/**
 * FLOE (c2sp.org/FLOE) with AES-256-GCM and HKDF-Expand-SHA-384: header and single segments. This is the specification's random-access
 * interface, which does not stop its caller from omitting or repeating a segment: everything outside this folder uses floe.ts.
 */
export interface FloeParameters {
  /** Length of an encrypted segment (ENC_SEG_LEN). */
  readonly segmentBytes: number;
  /** 2^this many segments share one data key (AEAD_ROTATION_MASK). Not in the header; 20 everywhere but in test vectors. */
  readonly rotationBits: number;
}

/** What CDR1 writes: 512 KiB segments, the fastest size in Node (docs/backup-format.md). */
export const CDR1_FLOE: FloeParameters = { segmentBytes: 512 * 1024, rotationBits: 20 };

export const FLOE_KEY_BYTES = 32;
const PARAMETER_BYTES = 10;
const IV_BYTES = 32;
const HEADER_TAG_BYTES = 32;
export const FLOE_HEADER_BYTES = PARAMETER_BYTES + IV_BYTES + HEADER_TAG_BYTES;

const LENGTH_BYTES = 4;
const AEAD_IV_BYTES = 12;
const AEAD_TAG_BYTES = 16;
/** What a segment adds to its plaintext; also the length of the smallest final segment. */
export const FLOE_SEGMENT_OVERHEAD_BYTES = LENGTH_BYTES + AEAD_IV_BYTES + AEAD_TAG_BYTES;

const NOT_FINAL = 0xffffffff;
const MAX_SEGMENTS = 2 ** 40;

/** Keys and identity of one FLOE message; made by startFloeEncryption or startFloeDecryption, of use for one message only. */
export interface FloeMessage {
  readonly parameters: FloeParameters;
  /** The data key of the given segment. */
  dataKey(position: number): Buffer;
}

/** Plaintext bytes in every segment but the last. */
export function floePlainSegmentBytes(parameters: FloeParameters): number {
  return parameters.segmentBytes - FLOE_SEGMENT_OVERHEAD_BYTES;
}

/** Begins a message: fresh random IV, header to be stored first. @throws EngineError internal on a key of the wrong length */
export function startFloeEncryption(
  key: Uint8Array,
  aad: Uint8Array,
  parameters: FloeParameters,
): { readonly message: FloeMessage; readonly header: Buffer } {
  const derive = deriver(key, randomBytes(IV_BYTES), aad, parameters);
  const header = Buffer.concat([derive.prefix, derive.bytes(key, 'HEADER_TAG:', HEADER_TAG_BYTES)]);
  return { message: messageOf(derive, key, parameters), header };
}

/** Checks the header (parameters, key, AAD) in constant time. @throws EngineError backup-damaged */
export function startFloeDecryption(key: Uint8Array, aad: Uint8Array, header: Uint8Array, parameters: FloeParameters): FloeMessage {
  if (header.length !== FLOE_HEADER_BYTES) throw damaged(`header is ${header.length} bytes, not ${FLOE_HEADER_BYTES}`);
  if (!encodeParameters(parameters).equals(header.subarray(0, PARAMETER_BYTES))) throw damaged('header names other FLOE parameters');
  const derive = deriver(key, header.subarray(PARAMETER_BYTES, PARAMETER_BYTES + IV_BYTES), aad, parameters);
  const expected = derive.bytes(key, 'HEADER_TAG:', HEADER_TAG_BYTES);
  if (!timingSafeEqual(expected, header.subarray(PARAMETER_BYTES + IV_BYTES))) {
    throw damaged('header does not authenticate: wrong key, another name or epoch than it was written under, or damaged');
  }
  return messageOf(derive, key, parameters);
}

/** Encrypts the segment at position; every segment but the final one must be full. */
export function encryptFloeSegment(message: FloeMessage, plain: Uint8Array, position: number, isFinal: boolean): Buffer {
  const sealed = Buffer.allocUnsafe(plain.length + FLOE_SEGMENT_OVERHEAD_BYTES);
  encryptFloeSegmentInto(message, plain, { position, isFinal }, sealed);
  return sealed;
}

/** As encryptFloeSegment, into memory of just its length. */
export function encryptFloeSegmentInto(
  message: FloeMessage,
  plain: Uint8Array,
  { position, isFinal }: { readonly position: number; readonly isFinal: boolean },
  sealed: Buffer,
): void {
  const full = floePlainSegmentBytes(message.parameters);
  if (isFinal ? plain.length > full : plain.length !== full) {
    throw new EngineError('internal', `FLOE segment ${position} of ${plain.length} bytes does not fit segments of ${full}`);
  }
  if (position > MAX_SEGMENTS - (isFinal ? 1 : 2)) throw new EngineError('internal', 'FLOE message is longer than 2^40 segments');
  const iv = randomBytes(AEAD_IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', message.dataKey(position), iv, { authTagLength: AEAD_TAG_BYTES });
  cipher.setAAD(segmentAad(position, isFinal));
  const body = cipher.update(plain);
  cipher.final();
  sealed.writeUInt32BE(isFinal ? sealed.length : NOT_FINAL, 0);
  iv.copy(sealed, LENGTH_BYTES);
  body.copy(sealed, LENGTH_BYTES + AEAD_IV_BYTES);
  cipher.getAuthTag().copy(sealed, sealed.length - AEAD_TAG_BYTES);
}

/** Decrypts the segment at position; returns plaintext only when it authenticates. @throws EngineError backup-damaged */
export function decryptFloeSegment(message: FloeMessage, sealed: Uint8Array, position: number, isFinal: boolean): Buffer {
  const { segmentBytes } = message.parameters;
  const fits = isFinal ? sealed.length >= FLOE_SEGMENT_OVERHEAD_BYTES && sealed.length <= segmentBytes : sealed.length === segmentBytes;
  if (!fits) throw damaged(`segment ${position} is cut or too long (${sealed.length} bytes)`);
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (view.readUInt32BE(0) !== (isFinal ? sealed.length : NOT_FINAL)) {
    throw damaged(isFinal ? `segment ${position} is not the final one: the end is missing` : `segment ${position} says that it is final`);
  }
  const bodyBegin = LENGTH_BYTES + AEAD_IV_BYTES;
  const bodyEnd = view.length - AEAD_TAG_BYTES;
  const iv = view.subarray(LENGTH_BYTES, bodyBegin);
  const decipher = createDecipheriv('aes-256-gcm', message.dataKey(position), iv, { authTagLength: AEAD_TAG_BYTES });
  decipher.setAAD(segmentAad(position, isFinal));
  decipher.setAuthTag(view.subarray(bodyEnd));
  const plain = decipher.update(view.subarray(bodyBegin, bodyEnd));
  try {
    decipher.final();
  } catch (error) {
    throw damaged(`segment ${position} does not authenticate`, error);
  }
  return plain;
}

/** Whether these first bytes of a segment say that it is the final one, and if so its length; the length is authenticated only by decrypting. */
export function peekFloeSegment(first: Uint8Array): { readonly isFinal: false } | { readonly isFinal: true; readonly sealedBytes: number } {
  const length = Buffer.from(first.buffer, first.byteOffset, first.byteLength).readUInt32BE(0);
  return length === NOT_FINAL ? { isFinal: false } : { isFinal: true, sealedBytes: length };
}

export function damaged(what: string, cause?: unknown): EngineError {
  return new EngineError('backup-damaged', `encrypted object refused: ${what}`, cause);
}

interface Deriver {
  readonly prefix: Buffer;
  bytes(key: Uint8Array, purpose: string | Buffer, length: number): Buffer;
}

/** FLOE_KDF. One HMAC block is enough: nothing asks for more than the 48 bytes of SHA-384. */
function deriver(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, parameters: FloeParameters): Deriver {
  if (key.length !== FLOE_KEY_BYTES) throw new EngineError('internal', `a FLOE key has ${FLOE_KEY_BYTES} bytes, not ${key.length}`);
  const prefix = Buffer.concat([encodeParameters(parameters), iv]);
  const ownAad = Buffer.from(aad);
  return {
    prefix,
    bytes: (prk, purpose, length) =>
      createHmac('sha384', prk).update(prefix).update(purpose).update(ownAad).update(Buffer.of(1)).digest().subarray(0, length),
  };
}

function messageOf(derive: Deriver, key: Uint8Array, parameters: FloeParameters): FloeMessage {
  const messageKey = derive.bytes(key, 'MESSAGE_KEY:', 48);
  const segmentsPerKey = 2 ** parameters.rotationBits;
  let cached: { readonly first: number; readonly key: Buffer } | undefined;
  return {
    parameters,
    dataKey: (position) => {
      const first = Math.floor(position / segmentsPerKey) * segmentsPerKey;
      if (cached?.first !== first) {
        const purpose = Buffer.concat([Buffer.from('DEK:'), bigEndian64(first)]);
        cached = { first, key: derive.bytes(messageKey, purpose, FLOE_KEY_BYTES) };
      }
      return cached.key;
    },
  };
}

function encodeParameters(parameters: FloeParameters): Buffer {
  const encoded = Buffer.alloc(PARAMETER_BYTES); // AES-256-GCM and HKDF-Expand-SHA-384 are both number 0
  encoded.writeUInt32BE(parameters.segmentBytes, 2);
  encoded.writeUInt32BE(IV_BYTES, 6);
  return encoded;
}

function segmentAad(position: number, isFinal: boolean): Buffer {
  return Buffer.concat([bigEndian64(position), Buffer.of(isFinal ? 1 : 0)]);
}

function bigEndian64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
