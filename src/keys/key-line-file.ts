import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { ownIdentity, whoElseMayRead, type Identity } from '../platform/secret-file.ts';

/** A file of one line: a word that says what the key is for, a space, and 32 bytes in base64. */
const MAX_FILE_BYTES = 128;

/** Makes a new file that only its owner can read. @throws EngineError bad-config when the file exists or cannot be made */
export async function createKeyLineFile(path: string, word: string, key: Buffer): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${word} ${key.toString('base64')}\n`);
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
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const why = isThere ? ': a key is never replaced, since what it opens would be lost; name a new file, or move this one away' : '';
    throw new EngineError('bad-config', `cannot make the key file ${path}${why}`, error);
  }
}

/**
 * A key of one's own, or a secret as Kubernetes mounts it: a link to a file of root's for a group of ours. What is opened is what is judged, wherever the link led.
 * @throws EngineError bad-config when it is not such a file, or others may read it
 */
export async function readKeyLineFile(path: string, word: string, self: Identity = ownIdentity()): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new EngineError('bad-config', `cannot read the key file ${path}: name the one that the backups were made with`, error);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new EngineError('bad-config', `the key file ${path} is no regular file`);
    const problem = whoElseMayRead(status, self);
    if (problem !== null) throw new EngineError('bad-config', `the key file ${path} has ${problem}`);
    if (status.uid !== self.uid && status.uid !== 0) throw new EngineError('bad-config', `the key file ${path} belongs to another user`);
    const text = status.size > MAX_FILE_BYTES ? '' : await file.readFile('latin1');
    const found = new RegExp(`^${word} ([A-Za-z0-9+/]{43}=)\\n$`).exec(text);
    if (found?.[1] === undefined)
      throw new EngineError('bad-config', `${path} is no key file of this kind: one is the single line \`${word} …\`, 32 bytes in base64`);
    return Buffer.from(found[1], 'base64');
  } finally {
    await file.close();
  }
}
