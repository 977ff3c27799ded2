import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { objectStoreConformance } from './conformance.ts';
import { openGcsStore } from './gcs-store.ts';

/** `go install github.com/fsouza/fake-gcs-server@v1.56.1` puts it into one of these. */
function findServer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin')];
  return folders.map((folder) => join(folder, 'fake-gcs-server')).find((path) => existsSync(path));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const path = findServer();

describe(`Google Cloud Storage, against fake-gcs-server${path === undefined ? ': skipped, it is neither on PATH nor in GOPATH/bin' : ''}`, function () {
  let server: ChildProcess | undefined;
  let endpoint = '';
  let buckets = 0;

  before(async function () {
    if (path === undefined) return this.skip();
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    const flags = ['-scheme', 'http', '-backend', 'memory', '-host', '127.0.0.1', '-port', String(port), '-external-url', endpoint];
    server = spawn(path, [...flags, '-public-host', `127.0.0.1:${port}`], { stdio: 'ignore' });
    for (let tries = 0; tries < 100; tries++) {
      const answer = await fetch(`${endpoint}/storage/v1/b?project=test`).catch(() => null);
      if (answer?.ok === true) return;
      await sleep(50);
    }
    throw new Error('fake-gcs-server did not start');
  });

  after(async () => {
    if (server === undefined || server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });

  async function newBucket(): Promise<string> {
    const name = `bucket-${buckets++}`;
    const made = await fetch(`${endpoint}/storage/v1/b?project=test`, { method: 'POST', body: JSON.stringify({ name }) });
    expect(made.ok).to.equal(true);
    return name;
  }

  objectStoreConformance(async () => openGcsStore({ bucket: await newBucket(), endpoint, timeoutMs: 10_000 }), {
    conditionalDelete: 'fake-gcs-server ignores preconditions on delete',
  });

  it('is reached by STORAGE_EMULATOR_HOST, with and without a scheme', async () => {
    const before = process.env['STORAGE_EMULATOR_HOST'];
    try {
      for (const value of [endpoint, endpoint.replace('http://', '')]) {
        process.env['STORAGE_EMULATOR_HOST'] = value;
        const store = openGcsStore({ bucket: await newBucket(), timeoutMs: 10_000 });
        expect(await store.put('a/b', Buffer.from('x'))).to.have.property('outcome', 'stored');
        const names: string[] = [];
        for await (const { name } of store.list('a/')) names.push(name);
        expect(names).to.deep.equal(['a/b']);
      }
    } finally {
      if (before === undefined) delete process.env['STORAGE_EMULATOR_HOST'];
      else process.env['STORAGE_EMULATOR_HOST'] = before;
    }
  });
});
