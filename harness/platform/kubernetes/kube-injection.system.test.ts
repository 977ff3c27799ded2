import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scriptedApiServer } from '../../testing/scripted-api-server.ts';
import type { Experiment, RunContext } from '../platform.ts';
import { makeIdentities } from './containerless/identities.ts';
import { openEntries } from './journal.ts';
import { KubeClient } from './kube-client.ts';
import { KubeInjection } from './kube-injection.ts';

const NAME = 'cut';
const place = { apiVersion: 'chaos-mesh.org/v1alpha1', resource: 'networkchaos', namespace: 'coditect', name: NAME };
const document = { apiVersion: place.apiVersion, kind: 'NetworkChaos', metadata: { name: NAME }, spec: { mode: 'all', selector: {} } };
const rest = { fault: NAME, kind: document.kind, namespace: place.namespace, name: NAME, mode: 'all', narrowed: false };
const experiment: Experiment = { ...rest, document, sources: ['a'], targets: [], opaque: false, namespaceOf: { a: 'coditect' } };
const object = (resourceVersion: string) => ({
  ...document,
  metadata: { ...place, uid: NAME, resourceVersion, finalizers: ['chaos-mesh/records'] },
});

describe('an experiment that is given up before anybody has seen it', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'injection-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('counts as taken back when the cluster has let it go, not while its watch has yet to hear of it', async () => {
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    const stop = new AbortController();
    const cluster = { applied: false, watched: false, asked: false, there: false };
    const server = await scriptedApiServer({ folder, identities, user: 'gameday' }, (request, response) => {
      const url = new URL(request.url ?? '/', 'https://cluster');
      const say = (status: number, body: object): void => void response.writeHead(status).end(JSON.stringify(body));
      const giveUp = (): void => void (cluster.applied && cluster.watched && stop.abort(new Error('interrupted')));
      if (request.method === 'PATCH') {
        cluster.applied = cluster.there = true;
        response.once('finish', giveUp);
        return say(200, object('2'));
      }
      if (request.method === 'DELETE') {
        cluster.asked = true;
        return say(200, object('3'));
      }
      if (url.pathname.endsWith(`/${NAME}`)) return say(404, { details: { name: NAME } });
      if (!url.searchParams.has('watch')) {
        const items = cluster.asked && cluster.there ? [object('3')] : [];
        return say(200, { items, metadata: { resourceVersion: items.length === 0 ? '1' : '3' } });
      }
      response.writeHead(200).flushHeaders();
      if (url.searchParams.get('resourceVersion') === '3') {
        cluster.there = false; // its finalizer is done
        return void response.write(`${JSON.stringify({ type: 'DELETED', object: object('4') })}\n`);
      }
      cluster.watched = true; // and tells nothing: it lags
      giveUp();
    });
    const client = await KubeClient.open(server.kubeconfig, 'a');
    const context: RunContext = { nowMs: () => performance.now(), record: () => undefined, runFolder: folder, seed: 1 };
    const injection = new KubeInjection([experiment], { placeOf: () => ({ client, place }) }, context, 'run');
    try {
      const why = await injection.apply(stop.signal).then(
        () => 'applied',
        (error: unknown) => (error as Error).message,
      );
      expect(why).to.match(/and was taken back$/);
      expect(cluster.there, 'it is there still').to.equal(false);
      expect(openEntries(folder)).to.deep.equal([]);
    } finally {
      await injection.close();
      server.close();
    }
  });
});
