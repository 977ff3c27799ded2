import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { EngineError } from '../platform/errors.ts';
import { makeFolders } from '../platform/make-folder.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/** In it each process that wants the folder has a socket. */
const SOCKETS = 'lock';

/**
 * Makes sure that no other process of this machine works on the folder: holds a socket in it, which the kernel closes when the process ends, however it ends. A restarted holder may take the next
 * epoch because of this: its predecessor is certainly gone. A socket in the file system is reached from every network namespace; one without a file only from its own, and the next pod on a volume is in
 * another, also while the one before, which was deleted by force, is still there.
 * Rejects with `bad-config` when somebody has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const place = join(folder, SOCKETS);
  makeFolders(place);
  const descriptor = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY);
  // A socket's path has at most 107 bytes, whatever the folder's has.
  const at = (name: string): string => `/proc/self/fd/${descriptor}/${name}`;
  const server = createServer((socket) => socket.destroy());
  server.unref();
  const release = async (): Promise<void> => {
    await closed(server);
    closeSync(descriptor);
  };
  try {
    const own = randomUUID();
    server.listen({ path: at(own) });
    await once(server, 'listening');
    // Only now: of two that come at once at least one sees the other.
    for (const name of readdirSync(place)) {
      if (name === own) continue;
      if (await isThere(at(name))) throw taken(folder);
      rmSync(at(name), { force: true });
    }
  } catch (cause) {
    await release();
    throw cause instanceof EngineError
      ? cause
      : new EngineError('bad-config', `${folder} cannot be locked: its file system must have sockets`, cause);
  }
  return { release };
}

function taken(folder: string): EngineError {
  return new EngineError('bad-config', `another process works on ${folder}; a data folder belongs to one database`);
}

/** Whether a process holds the socket. One that does not come to accept is there as well. */
function isThere(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
}
