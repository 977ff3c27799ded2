import { createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import { openFloe, sealFloe } from '../backup/format/floe.ts';
import { EngineError } from '../platform/errors.ts';
import { createKeyLineFile, readKeyLineFile } from './key-line-file.ts';
import { MAX_WRAP_BYTES, type KeyService } from './key-service.ts';

/**
 * X25519 keys whose private half is kept where no network reaches it: what was wrapped to the public half, the *recipient*, opens without any key service. As age does it: a key pair for each wrap, HKDF of
 * what the two keys agree on, and that key encrypts.
 *
 * wrapped = ephemeral public key (32) ‖ FLOE( plain ), under HKDF-SHA-384( shared secret, salt = ephemeral ‖ recipient, info = `cdr1/x25519-wrap` ), 32 bytes, and the AAD of the wrap.
 */
const WORD = 'cdr1-offline-key';
const KEY_BYTES = 32;
const WRAP_LABEL = 'cdr1/x25519-wrap';
const RECIPIENT = /^x25519:([0-9a-f]{64}):([0-9a-f]{8})$/;
/** What precedes the 32 bytes in DER: RFC 8410. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

/** Makes a private key in a new file of mode 0600, and returns its recipient. @throws EngineError bad-config when the file exists or cannot be made */
export async function createOfflineKeyFile(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('x25519');
  const key = privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(PKCS8.length);
  await createKeyLineFile(path, WORD, key);
  return recipientOf(rawPublic(privateKey));
}

/** Wraps to a recipient, and cannot open what it wrapped. @throws EngineError bad-config where the text is no recipient, or mistyped */
export function openRecipient(text: string): KeyService {
  const raw = parseRecipient(text);
  return {
    kind: 'x25519',
    keyName: text,
    wrap: async (plain, aad, signal) => {
      signal?.throwIfAborted();
      return wrapTo(raw, plain, aad);
    },
    unwrap: (_wrapped, _aad, signal) => {
      signal?.throwIfAborted();
      return Promise.reject(
        new EngineError('key-service-failed', `${text} only wraps: its private key opens this, as backup.keys of kind x25519-file`),
      );
    },
  };
}

/** @throws EngineError bad-config when the file is not such a key of mode 0600 (or 0400) of the user that runs this */
export async function openOfflineKeyFile(path: string): Promise<KeyService> {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, await readKeyLineFile(path, WORD)]), format: 'der', type: 'pkcs8' });
  const own = rawPublic(privateKey);
  const recipient = openRecipient(recipientOf(own));
  return {
    ...recipient,
    unwrap: async (wrapped, aad, signal) => {
      signal?.throwIfAborted();
      try {
        const ephemeral = Buffer.from(wrapped.subarray(0, KEY_BYTES));
        const shared = diffieHellman({ privateKey, publicKey: publicKeyOf(ephemeral) });
        return openFloe(wrapKey(shared, ephemeral, own), aad, wrapped.subarray(KEY_BYTES));
      } catch (error) {
        throw new EngineError(
          'key-service-failed',
          `${recipient.keyName} does not open this key: it was wrapped to another, for another place, or is damaged`,
          error,
        );
      }
    },
  };
}

function wrapTo(recipient: Buffer, plain: Uint8Array, aad: Uint8Array): Buffer {
  if (plain.length === 0 || plain.length > MAX_WRAP_BYTES)
    throw new EngineError('bad-request', `cannot wrap a key of ${plain.length} bytes`);
  const { privateKey } = generateKeyPairSync('x25519');
  const ephemeral = rawPublic(privateKey);
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey, publicKey: publicKeyOf(recipient) });
  } catch (error) {
    throw new EngineError('bad-config', `${recipientOf(recipient)} is no key that anything can be wrapped to`, error);
  }
  return Buffer.concat([ephemeral, sealFloe(wrapKey(shared, ephemeral, recipient), aad, plain)]);
}

function wrapKey(shared: Buffer, ephemeral: Buffer, recipient: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha384', shared, Buffer.concat([ephemeral, recipient]), WRAP_LABEL, 32));
}

/** `x25519:`, the public key in hex, and 4 bytes of its hash, so that a slip of the pen does not wrap to nobody. */
function recipientOf(raw: Buffer): string {
  return `x25519:${raw.toString('hex')}:${checkOf(raw)}`;
}

function parseRecipient(text: string): Buffer {
  const found = RECIPIENT.exec(text);
  const raw = Buffer.from(found?.[1] ?? '', 'hex');
  if (found === null || checkOf(raw) !== found[2])
    throw new EngineError(
      'bad-config',
      `${JSON.stringify(text)} is no recipient, or mistyped: \`coditect-dr backup keygen FILE\` tells it, as x25519:…:…`,
    );
  return raw;
}

function checkOf(raw: Buffer): string {
  return createHash('sha256').update('cdr1/recipient\0').update(raw).digest('hex').slice(0, 8);
}

function rawPublic(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(SPKI.length);
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
}
