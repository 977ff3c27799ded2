import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../platform/errors.ts';

/** An abstract socket: a name in the kernel, gone with its process whatever kills it; nothing to clean up, nothing left behind. */
const NAME = '\0coditect-dr-gameday';
const POLL_MS = 500;
const WAIT_MS = 30 * 60_000;

/**
 * Waits until no other game day runs on this machine: two would measure each other. Returns how to let the next one in. Users share the
 * name, so they wait for each other too. Throws HarnessError `timeout` after half an hour.
 */
export async function takeTurn(onWait: () => void, name = NAME): Promise<() => Promise<void>> {
  const limitMs = performance.now() + WAIT_MS;
  for (let told = false; ; told = true) {
    const held = await hold(name);
    if (held !== null) return () => new Promise((resolve) => held.close(() => resolve()));
    if (!told) onWait();
    if (performance.now() >= limitMs)
      throw new HarnessError('timeout', 'another game day has been running on this machine for half an hour');
    await sleep(POLL_MS);
  }
}

function hold(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
