import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scriptedApiServer } from '../../testing/scripted-api-server.ts';
import type { RunContext } from '../platform.ts';
import { makeIdentities } from './containerless/identities.ts';
import { KubernetesPlatform } from './kubernetes.ts';
import { NodesWord } from './nodes-word.ts';

describe('a cluster whose API server goes away between the first look and the start', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'start-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is not waited for beyond the limit of the start', async () => {
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    const stop = new AbortController();
    let looks = 0;
    const server = await scriptedApiServer({ folder, identities, user: 'gameday' }, (request, response) => {
      const isPods = new URL(request.url ?? '/', 'https://cluster').pathname.endsWith('/pods');
      if (isPods) looks += 1;
      if (looks > 2) stop.abort(new Error('the limit of the start'));
      response.writeHead(looks > 1 ? 503 : 200).end(JSON.stringify({ items: [], resources: [] }));
    });
    const context: RunContext = { nowMs: () => performance.now(), record: () => undefined, runFolder: folder, seed: 1 };
    const inside = await NodesWord.open(server.system, { programs: folder, logs: folder });
    const platform = await KubernetesPlatform.connect(server.system, inside, context, stop.signal);
    try {
      const why: unknown = await platform.start(stop.signal).catch((error: unknown) => error);
      expect(String(why)).to.equal('Error: the limit of the start');
    } finally {
      server.close();
      await platform.close();
    }
  });
});
