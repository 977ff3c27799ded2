import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { EngineError } from '../../platform/errors.ts';
import { decodeCanonical, encodeCanonical, type CanonicalObject } from './canonical-json.ts';
import { objectAad, type ObjectIdentity } from './object-name.ts';

/**
 * Ed25519 signatures. Whoever checks one needs no decryption key, and trusts only public keys that came another way than through the store.
 *
 * A signed object is `CDR1SGN` 0, key id (16), epoch (8), signer id (16), signature (64), and then the FLOE object that is signed. One object and not
 * two, so that there is no moment with a manifest and no signature.
 */
const MAGIC = Buffer.from('CDR1SGN\0');
const OBJECT_DOMAIN = Buffer.from('cdr1/signed-object\0');
const DOCUMENT_DOMAIN = Buffer.from('cdr1/signed-document\0');
const SIGNER_ID_BYTES = 16;
const SIGNATURE_BYTES = 64;
const MAX_DOCUMENT_BYTES = 1024 * 1024;
export const SIGNED_HEADER_BYTES = MAGIC.length + 16 + 8 + SIGNER_ID_BYTES + SIGNATURE_BYTES;

export interface SignedObject {
  readonly identity: ObjectIdentity;
  /** Who signed, 32 hex digits. */
  readonly signer: string;
  /** The FLOE object. */
  readonly body: Uint8Array;
}

/** Names a public key: the first 16 bytes of the SHA-256 of its 32 raw bytes, in hex. Takes a private key too. */
export function signerId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new EngineError('bad-config', 'a signing key of backups is an Ed25519 key');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  return createHash('sha256')
    .update(raw)
    .digest('hex')
    .slice(0, 2 * SIGNER_ID_BYTES);
}

/** Puts a signature in front of a FLOE object. */
export function signObject(identity: ObjectIdentity, body: Uint8Array, privateKey: KeyObject): Buffer {
  const epoch = Buffer.alloc(8);
  epoch.writeBigUInt64BE(identity.epoch);
  const signature = sign(null, objectMessage(identity, body), privateKey);
  return Buffer.concat([MAGIC, Buffer.from(identity.kid, 'hex'), epoch, Buffer.from(signerId(privateKey), 'hex'), signature, body]);
}

/** Whether it says that it is signed; whether that holds is for `verifyObject`. */
export function isSignedObject(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

/**
 * Checks the signature under the name at which the object was found.
 * @throws EngineError backup-damaged when it does not hold, or no trusted key made it
 */
export function verifyObject(
  bytes: Uint8Array,
  found: { readonly type: ObjectIdentity['type']; readonly name: string; readonly repo: string },
  trusted: readonly KeyObject[],
): SignedObject {
  const refuse = (problem: string): EngineError => new EngineError('backup-damaged', `${found.name} refused: ${problem}`);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < SIGNED_HEADER_BYTES || !view.subarray(0, MAGIC.length).equals(MAGIC)) throw refuse('it is no signed object');
  const identity = { ...found, kid: view.toString('hex', 8, 24), epoch: view.readBigUInt64BE(24) };
  const signer = view.toString('hex', 32, 48);
  const key = trusted.find((candidate) => signerId(candidate) === signer);
  if (key === undefined) throw refuse(`signed by ${signer}, which is not among the trusted keys`);
  const body = view.subarray(SIGNED_HEADER_BYTES);
  if (!verify(null, objectMessage(identity, body), key, view.subarray(48, SIGNED_HEADER_BYTES)))
    throw refuse('the signature does not hold');
  return { identity, signer, body };
}

/** Adds the member `signature` to a document that is stored in the clear under name. */
export function signDocument(name: string, document: CanonicalObject, privateKey: KeyObject): Buffer {
  if ('signature' in document) throw new EngineError('internal', `${name} has a signature already`);
  const value = sign(null, documentMessage(name, document), privateKey).toString('base64');
  return encodeCanonical({ ...document, signature: { algorithm: 'Ed25519', signer: signerId(privateKey), value } });
}

/** Returns the document without its signature. @throws EngineError backup-damaged when that does not hold, or no trusted key made it */
export function verifyDocument(name: string, bytes: Uint8Array, trusted: readonly KeyObject[]): CanonicalObject {
  const { signature, ...document } = decodeCanonical(bytes, MAX_DOCUMENT_BYTES, name);
  const refuse = (problem: string): EngineError => new EngineError('backup-damaged', `${name} refused: ${problem}`);
  const { algorithm, signer, value } = (signature ?? {}) as CanonicalObject;
  if (algorithm !== 'Ed25519' || typeof signer !== 'string' || typeof value !== 'string') throw refuse('it is not signed with Ed25519');
  const key = trusted.find((candidate) => signerId(candidate) === signer);
  if (key === undefined) throw refuse(`signed by ${signer}, which is not among the trusted keys`);
  const raw = Buffer.from(value, 'base64');
  // One signature has one spelling: base64 with other padding bits would decode to the same bytes.
  const spelled = raw.length === SIGNATURE_BYTES && raw.toString('base64') === value;
  if (!spelled || !verify(null, documentMessage(name, document), key, raw)) throw refuse('the signature does not hold');
  return document;
}

function objectMessage(identity: ObjectIdentity, body: Uint8Array): Buffer {
  return Buffer.concat([OBJECT_DOMAIN, objectAad(identity), createHash('sha384').update(body).digest()]);
}

function documentMessage(name: string, document: CanonicalObject): Buffer {
  return Buffer.concat([DOCUMENT_DOMAIN, Buffer.from(`${name}\0`), encodeCanonical(document)]);
}
