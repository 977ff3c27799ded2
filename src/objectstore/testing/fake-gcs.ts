import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../testing/free-ports.ts';
import { WITH_PARENT } from '../../testing/with-parent.ts';

/** A running fake-gcs-server. The owner calls `stop`. */
export interface FakeGcs {
  readonly endpoint: string;
  /** Makes an empty bucket and gives its name. */
  newBucket(): Promise<string>;
  stop(): Promise<void>;
}

/** Where ./scripts/setup, or `go install github.com/fsouza/fake-gcs-server@v1.56.1`, put it; undefined where it is not installed. */
export function findFakeGcs(): string | undefined {
  const built = join(homedir(), '.cache', 'coditect-dr', 'bin');
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), built, join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin')];
  return folders.map((folder) => join(folder, 'fake-gcs-server')).find((path) => existsSync(path));
}

export async function startFakeGcs(path: string): Promise<FakeGcs> {
  const [port] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const flags = ['-scheme', 'http', '-backend', 'memory', '-host', '127.0.0.1', '-port', String(port), '-external-url', endpoint];
  const server = spawn('setpriv', [...WITH_PARENT, path, ...flags, '-public-host', `127.0.0.1:${port}`], { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  let buckets = 0;
  const newBucket = async (): Promise<string> => {
    const name = `bucket-${buckets++}`;
    const made = await fetch(`${endpoint}/storage/v1/b?project=test`, { method: 'POST', body: JSON.stringify({ name }) });
    if (!made.ok) throw new Error(`fake-gcs-server made no bucket: ${made.status}`);
    return name;
  };
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${endpoint}/storage/v1/b?project=test`).catch(() => null);
    if (answer?.ok === true) return { endpoint, newBucket, stop };
    await sleep(50);
  }
  await stop();
  throw new Error('fake-gcs-server did not start');
}
