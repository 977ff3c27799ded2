import { hkdfSync, randomBytes } from 'node:crypto';
import { openFloe, sealFloe } from '../backup/format/floe.ts';
import { EngineError } from '../platform/errors.ts';
import { createKeyLineFile, readKeyLineFile } from './key-line-file.ts';
import { MAX_WRAP_BYTES, type KeyService } from './key-service.ts';

const WORD = 'cdr1-local-key';

/** Makes a new key in a new file that only its owner can read. @throws EngineError bad-config when the file exists or cannot be made */
export async function createLocalKeyFile(path: string): Promise<void> {
  await createKeyLineFile(path, WORD, randomBytes(32));
}

/**
 * A key in a file of this machine. Wraps are FLOE objects, which commit to their key. Whoever has the file and the store has the backups: the file
 * belongs where the store's readers are not.
 * @throws EngineError bad-config when the file is not a key file of mode 0600 (or 0400) of the user that runs this
 */
export async function openLocalKeyFile(path: string): Promise<KeyService> {
  const key = await readKeyLineFile(path, WORD);
  const id = Buffer.from(hkdfSync('sha384', key, '', 'cdr1/local-key-id', 16)).toString('hex');
  const keyName = `local-file:${id}`;
  return {
    kind: 'local-file',
    keyName,
    wrap: async (plain, aad, signal) => {
      signal?.throwIfAborted();
      if (plain.length === 0 || plain.length > MAX_WRAP_BYTES)
        throw new EngineError('bad-request', `cannot wrap a key of ${plain.length} bytes`);
      return sealFloe(key, aad, plain);
    },
    unwrap: async (wrapped, aad, signal) => {
      signal?.throwIfAborted();
      try {
        return openFloe(key, aad, wrapped);
      } catch (error) {
        throw new EngineError(
          'key-service-failed',
          `${keyName} does not open this key: it was wrapped by another, for another place, or is damaged`,
          error,
        );
      }
    },
  };
}
