import { expect } from 'chai';
import { objectStoreConformance } from './conformance.ts';
import { openGcsStore } from './gcs-store.ts';
import { findFakeGcs, startFakeGcs, type FakeGcs } from './testing/fake-gcs.ts';

const path = findFakeGcs();

describe(`Google Cloud Storage, against fake-gcs-server${path === undefined ? ': skipped, it is neither on PATH nor in GOPATH/bin' : ''}`, function () {
  let server: FakeGcs;

  before(async function () {
    if (path === undefined) return this.skip();
    server = await startFakeGcs(path);
  });
  after(() => server?.stop());

  objectStoreConformance(async () => openGcsStore({ bucket: await server.newBucket(), endpoint: server.endpoint, timeoutMs: 10_000 }), {
    conditionalDelete: 'fake-gcs-server ignores preconditions on delete',
  });

  it('is reached by STORAGE_EMULATOR_HOST, with and without a scheme', async () => {
    const before = process.env['STORAGE_EMULATOR_HOST'];
    try {
      for (const value of [server.endpoint, server.endpoint.replace('http://', '')]) {
        process.env['STORAGE_EMULATOR_HOST'] = value;
        const store = openGcsStore({ bucket: await server.newBucket(), timeoutMs: 10_000 });
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
