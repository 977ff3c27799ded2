import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { makeFolders } from '../platform/make-folder.ts';
import { checkedCrc32c, checkGet, checkName, checkPrefix, compareNames, isNamePart, tooLarge } from './object-checks.ts';
import type { DeleteOutcome, GetOptions, GetOutcome, ObjectStore, PutOptions, PutOutcome, StoredObject } from './object-store.ts';

const TEMPORARY = '.tmp';
const TEMPORARY_MAX_AGE_MS = 24 * 3600 * 1000;
const NO_FOLLOW = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Objects as files in a folder of this machine. An object is written to a temporary file, fsynced, and linked to its name, which fails where the name
 * exists; then the folder is fsynced. The file system must have hard links. The folder keeps no checksums; the format's own cover every byte. A
 * delete of one generation looks first and then deletes, which is safe as long as names are not used again.
 * @param wallMs for the age of temporary files that a killed program left, which are removed here
 */
export async function openFolderStore(root: string, wallMs: number): Promise<ObjectStore> {
  let isThere = await isAnything(root);
  // Only once: where a store that was there is away (its disk is not mounted), nothing is to be written in its place.
  const make = async (): Promise<void> => {
    await atRoot(root, async () => makeFolders(join(root, TEMPORARY)));
    isThere = true;
  };
  if (isThere) {
    await make();
    await atRoot(root, () => removeOldTemporaries(join(root, TEMPORARY), wallMs));
  }
  return {
    supports: { conditionalReplace: false, storedChecksums: false },
    put: (name, body, options) =>
      guarded(name, options?.signal, async () => {
        if (!isThere) await make();
        return await put(root, name, body, options);
      }),
    get: (name, options) => guarded(name, options.signal, () => get(root, name, options)),
    stat: (name, signal) => guarded(name, signal, () => stat(root, name)),
    list: (prefix, options) => list(root, prefix, options),
    delete: (name, options) => guarded(name, options?.signal, () => remove(root, name, options?.generation)),
  };
}

/** false: there is nothing of that name. What only reads leaves it so. */
async function isAnything(root: string): Promise<boolean> {
  return await lstat(root).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false;
      throw storeError(root, error);
    },
  );
}

async function put(root: string, name: string, body: Uint8Array, options: PutOptions | undefined): Promise<PutOutcome> {
  if (options?.replace !== undefined) throw new EngineError('object-store-failed', 'a folder cannot replace an object under a condition');
  checkedCrc32c(name, body, options);
  const target = join(root, name);
  const temporary = join(root, TEMPORARY, randomUUID());
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(body, options?.signal === undefined ? {} : { signal: options.signal });
      await file.sync();
    } finally {
      await file.close();
    }
    await makeFoldersOf(root, dirname(name));
    const created = await linkNew(temporary, target);
    await syncFolder(dirname(target)); // also where it existed: who learns that may rely on it
    if (!created) return { outcome: 'exists' };
  } finally {
    await rm(temporary, { force: true });
  }
  const object = await stat(root, name);
  if (object === null) throw new EngineError('object-store-failed', `${name} was removed while it was stored`);
  return { outcome: 'stored', object };
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Makes the folders of a name one by one, so that each new one is made durable in its parent. */
async function makeFoldersOf(root: string, folder: string): Promise<void> {
  if (folder === '.') return;
  let path = root;
  for (const part of folder.split('/')) {
    const parent = path;
    path = join(path, part);
    const made = await mkdir(path, { mode: 0o700 }).then(
      () => true,
      (error: unknown) => (codeOf(error) === 'EEXIST' ? false : Promise.reject(error as Error)),
    );
    if (made) await syncFolder(parent);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function get(root: string, name: string, options: GetOptions): Promise<GetOutcome> {
  checkGet(options);
  let file: FileHandle;
  try {
    file = await open(join(root, name), NO_FOLLOW);
  } catch (error) {
    if (isMissing(error)) return { outcome: 'not-found' };
    throw error;
  }
  try {
    const status = await file.stat({ bigint: true });
    if (!status.isFile()) return { outcome: 'not-found' };
    const size = Number(status.size);
    const begin = Math.min(options.range?.begin ?? 0, size);
    const end = Math.min(options.range?.end ?? size, size);
    if (end - begin > options.maxBytes) throw tooLarge(name, end - begin, options.maxBytes);
    const body = Buffer.allocUnsafe(end - begin);
    for (let at = 0; at < body.length;) {
      options.signal?.throwIfAborted();
      const { bytesRead } = await file.read(body, at, body.length - at, begin + at);
      if (bytesRead === 0) throw new EngineError('object-store-failed', `${name} became shorter while it was read`);
      at += bytesRead;
    }
    return { outcome: 'found', body, generation: generationOf(status) };
  } finally {
    await file.close();
  }
}

async function stat(root: string, name: string): Promise<StoredObject | null> {
  try {
    const status = await lstat(join(root, name), { bigint: true });
    return status.isFile() ? { name, bytes: Number(status.size), crc32c: null, generation: generationOf(status) } : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function remove(root: string, name: string, generation: string | undefined): Promise<DeleteOutcome> {
  const object = await stat(root, name);
  if (object === null) return { outcome: 'not-found' };
  if (generation !== undefined && object.generation !== generation) return { outcome: 'changed' };
  await rm(join(root, name), { force: true });
  await syncFolder(dirname(join(root, name)));
  return { outcome: 'deleted' };
}

async function* list(root: string, prefix: string, options: { after?: string; signal?: AbortSignal } = {}): AsyncGenerator<StoredObject> {
  checkPrefix(prefix);
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* listFolder(folder);

  /** In the order of whole names: a folder sorts as its name with the `/` that follows in all names in it. */
  async function* listFolder(at: string): AsyncGenerator<StoredObject> {
    options.signal?.throwIfAborted();
    const found = await guarded(null, options.signal, () => readdir(join(root, at), { withFileTypes: true }).catch(emptyIfMissing));
    const names = found.filter((entry) => isNamePart(entry.name)).map((entry) => `${at}${entry.name}${entry.isDirectory() ? '/' : ''}`);
    for (const name of names.toSorted(compareNames)) {
      if (name.endsWith('/')) {
        const mayHold = name.startsWith(prefix) || prefix.startsWith(name);
        if (mayHold && !(options.after !== undefined && options.after > name && !options.after.startsWith(name))) yield* listFolder(name);
      } else if (name.startsWith(prefix) && (options.after === undefined || name > options.after)) {
        const object = await guarded(name, options.signal, () => stat(root, name));
        if (object !== null) yield object;
      }
    }
  }
}

/** A file that is replaced has another inode or another time; content never changes in place. */
function generationOf(status: { readonly ino: bigint; readonly mtimeNs: bigint }): string {
  return `${status.mtimeNs}-${status.ino}`;
}

async function removeOldTemporaries(folder: string, wallMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const status = await lstat(join(folder, name)).catch(() => null);
    if (status !== null && wallMs - status.mtimeMs > TEMPORARY_MAX_AGE_MS) await rm(join(folder, name), { force: true });
  }
}

async function guarded<T>(name: string | null, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (name !== null) checkName(name);
  signal?.throwIfAborted();
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if (signal?.aborted === true) throw signal.reason as Error;
    throw storeError(name ?? 'the folder', error);
  }
}

async function atRoot(root: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw storeError(root, error);
  }
}

const TRANSIENT = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'EINTR', 'EBUSY', 'ETIMEDOUT', 'ESTALE']);
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room, then run it again',
  EDQUOT: 'the quota is used up: make room, then run it again',
  ENOENT: 'there is no such folder, and none can be made there',
  EROFS: 'the file system is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'the file system has no hard links, or this user may not write there',
  ENOTSUP: 'the file system has no hard links',
};

function storeError(name: string, error: unknown): EngineError {
  const code = codeOf(error);
  const transient = code !== undefined && TRANSIENT.has(code);
  const reason = (code !== undefined ? HINTS[code] : undefined) ?? code ?? 'unexpected';
  return new EngineError(transient ? 'object-store-transient' : 'object-store-failed', `folder store, ${name}: ${reason}`, error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** ENOTDIR: a part of the name is a file, so nothing has the name. ELOOP: a symbolic link, which is no object. */
function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error) ?? '');
}

function emptyIfMissing(error: unknown): [] {
  if (isMissing(error)) return [];
  throw error;
}
