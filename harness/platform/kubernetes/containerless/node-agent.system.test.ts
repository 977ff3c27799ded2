import { expect } from 'chai';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scriptedApiServer, type ScriptedApiServer } from '../../../testing/scripted-api-server.ts';
import { parseJson } from '../../json.ts';
import { podOf } from '../../local/topology.ts';
import { run } from '../../process.ts';
import { KubeClient } from '../kube-client.ts';
import type { KubePod, KubeVolume } from '../kube-object.ts';
import { removeClusterFiles } from './cluster-files.ts';
import { makeIdentities } from './identities.ts';
import { clusterTopology } from './lab-objects.ts';
import { NodeAgent } from './node-agent.ts';

const topology = clusterTopology(1);
const place = podOf(topology, 'dns', 'outside');
const AGAIN = 'the API server is not ready';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What an agent does about a Pod that is there when it looks first; the API server answers by a script: what a real one does in a bad moment only. */
describe('a node without containers, and an API server in a bad moment', () => {
  let folder: string;
  let server: ScriptedApiServer;
  let agent: NodeAgent | undefined;
  let asked: Asked[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'node-agent-'));
    for (const name of ['data', 'logs']) mkdirSync(path.join(folder, name));
    asked = [];
  });
  afterEach(async () => {
    await agent?.close(0);
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** answer: of everything but the list of pods, which is `pods`, and the watch of them, which stays open; undefined: 200 and nothing in it. */
  async function startAgent(
    pods: readonly KubePod[],
    answer: (method: string, of: string) => [number, object] | undefined,
  ): Promise<NodeAgent> {
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    server = await scriptedApiServer({ folder, identities, user: 'cluster' }, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://scripted');
      const method = request.method ?? '';
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        asked.push({ method, path: pathname, body: parseJson(text) });
        if (searchParams.has('watch')) return response.writeHead(200).flushHeaders();
        const list = { items: pods, metadata: { resourceVersion: '5' } };
        const [status, body]: [number, object] = pathname === '/api/v1/pods' ? [200, list] : (answer(method, pathname) ?? [200, {}]);
        response.writeHead(status).end(JSON.stringify(body));
      });
    });
    const client = await KubeClient.open(server.kubeconfig, 'a');
    const places = { folder: path.join(folder, 'data'), logs: path.join(folder, 'logs'), hostIp: '127.0.0.1' };
    agent = new NodeAgent({ client, topology, identities, ...places, nowMs: () => performance.now() });
    await agent.start(AbortSignal.timeout(60_000));
    return agent;
  }
  async function until(what: string, holds: () => boolean, withinMs = 60_000): Promise<void> {
    for (const limitMs = performance.now() + withinMs; !holds(); await sleep(25))
      if (performance.now() > limitMs) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
  const pathOf = `/api/v1/namespaces/coditect/pods/${place.name}`;
  const pod = (metadata: Partial<KubePod['metadata']>, spec: Partial<KubePod['spec']> = {}): KubePod => ({
    metadata: { name: place.name, namespace: 'coditect', uid: 'one', resourceVersion: '1', ...metadata },
    spec: { nodeName: 'outside', containers: [], ...spec },
  });

  it('lets a Pod go that was being deleted before anybody on its node saw it: else its name would never be free', async () => {
    await startAgent([pod({ deletionTimestamp: '2026-11-28T01:00:00Z', deletionGracePeriodSeconds: 1 })], () => undefined);
    await until('released', () => asked.some(({ method }) => method === 'DELETE'));
    const release = asked.find(({ method }) => method === 'DELETE');
    expect(release?.path).to.equal(pathOf);
    expect(release?.body)
      .to.include({ gracePeriodSeconds: 0 })
      .and.to.deep.include({ preconditions: { uid: 'one' } });
  });

  it('says of a Pod whose configuration cannot be read why it does not run, and runs it when it can', async () => {
    await run('ip', ['netns', 'add', place.netns]);
    try {
      const volumeMounts = [{ name: 'data', mountPath: '/run/pod/data' }];
      const env = [{ name: 'PATH', value: '/usr/sbin:/usr/bin:/sbin:/bin' }];
      const containers = [{ name: 'dns', image: 'none', command: ['sleep', 'infinity'], env, volumeMounts }];
      const volumes: readonly KubeVolume[] = [
        { name: 'data', hostPath: { path: path.join(folder, 'data', 'dns') } },
        { name: 'files', projected: { sources: [{ configMap: { name: 'dns', items: [{ key: 'a', path: 'a' }] } }] } },
      ];
      let reads = 0;
      const starting = await startAgent([pod({}, { containers, volumes })], (method, of) => {
        if (method !== 'GET' || !of.endsWith('/configmaps/dns')) return undefined;
        reads += 1;
        return reads === 1 ? [503, { message: AGAIN }] : [200, { data: { a: 'text' } }];
      });
      const told = (): readonly string[] => asked.filter((one) => one.path === `${pathOf}/status`).map(({ body }) => JSON.stringify(body));
      await until('told', () => told().some((status) => status.includes(AGAIN)));
      await until('running', () => told().some((status) => status.includes('"running"') && status.includes('"ready":true')));
      expect(starting.supervisor(place.name).isReady).to.equal(true);
      expect(reads).to.equal(2);
    } finally {
      await agent?.close(0);
      await run('ip', ['netns', 'delete', place.netns]);
      await removeClusterFiles(topology, path.join(folder, 'data'));
    }
  });
});
