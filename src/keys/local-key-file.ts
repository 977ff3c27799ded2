import { hkdfSync, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openFloe, sealFloe } from '../backup/format/floe.ts';
import { EngineError } from '../platform/errors.ts';
import { MAX_WRAP_BYTES, type KeyService } from './key-service.ts';

/** The file is one line: this word, a space, and 32 bytes in base64. */
const WORD = 'cdr1-local-key';
const LINE = new RegExp(`^${WORD} ([A-Za-z0-9+/]{43}=)\\n$`);
const MAX_FILE_BYTES = 128;

/** Makes a new key in a new file that only its owner can read. @throws EngineError bad-config when the file exists or cannot be made */
export async function createLocalKeyFile(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${WORD} ${randomBytes(32).toString('base64')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    throw new EngineError('bad-config', `cannot make the key file ${path}`, error);
  }
}

/**
 * A key in a file of this machine. Wraps are FLOE objects, which commit to their key. Whoever has the file and the store has the backups: the file
 * belongs where the store's readers are not.
 * @throws EngineError bad-config when the file is not a key file of mode 0600 (or 0400) of the user that runs this
 */
export async function openLocalKeyFile(path: string): Promise<KeyService> {
  const key = await readKey(path);
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

async function readKey(path: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw new EngineError('bad-config', `cannot read the key file ${path}`, error);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new EngineError('bad-config', `the key file ${path} is no regular file`);
    if ((status.mode & 0o177) !== 0) {
      throw new EngineError(
        'bad-config',
        `the key file ${path} has mode ${(status.mode & 0o777).toString(8)}: others may use it; chmod 600 it`,
      );
    }
    if (status.uid !== process.geteuid?.()) throw new EngineError('bad-config', `the key file ${path} belongs to another user`);
    if (status.size > MAX_FILE_BYTES) throw new EngineError('bad-config', `${path} is no key file`);
    const found = LINE.exec(await file.readFile('latin1'));
    if (found?.[1] === undefined) throw new EngineError('bad-config', `${path} is no key file`);
    return Buffer.from(found[1], 'base64');
  } finally {
    await file.close();
  }
}
