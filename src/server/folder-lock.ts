import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { EngineError } from '../platform/errors.ts';

export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Makes sure that no other process on this host works on the folder: holds an abstract socket named after the folder's device and inode, which the kernel
 * gives up when the process ends, however it ends. A restarted holder may take the next epoch because of this: its predecessor is certainly gone.
 * Rejects with `bad-config` when somebody has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const { dev, ino } = statSync(folder);
  const name = createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen({ path: `\0coditect-dr/${name}` });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new EngineError('bad-config', `another process works on ${folder}; a data folder belongs to one database`, cause);
  }
  return {
    release: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
