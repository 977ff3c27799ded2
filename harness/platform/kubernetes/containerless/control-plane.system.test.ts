import { expect } from 'chai';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { faultKinds } from '../../../registry.ts';
import { KubeClient } from '../kube-client.ts';
import { PODS, resourcePath, type KubeObject } from '../kube-object.ts';
import { probePatch } from '../pod-probes/probe-container.ts';
import { Reflector, type Seen } from '../reflector.ts';
import { findBinaries, MISSING } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { CHAOS_API, chaosDefinitions, resourceOf } from './crds.ts';

const CHAOS = path.resolve(import.meta.dirname, '../../../../../chaos');
const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', resource: 'customresourcedefinitions' };
const CONFIG_MAPS = { apiVersion: 'v1', resource: 'configmaps' };
const signal = (): AbortSignal => AbortSignal.timeout(60_000);

interface Document extends KubeObject {
  readonly kind: string;
}
const documentsOf = (file: string): readonly Document[] =>
  [...parseAllDocuments(readFileSync(path.join(CHAOS, file), 'utf8'))].map((one) => one.toJS() as Document);

describe('control plane without containers', function () {
  this.timeout(120_000);
  let plane: ControlPlane;
  let client: KubeClient;
  let folder: string;

  before(async function () {
    const binaries = findBinaries();
    if (binaries === undefined) {
      process.stdout.write(`    skipped: ${MISSING}\n`);
      return this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'control-plane-'));
    plane = await ControlPlane.start(
      { binaries, host: '127.0.0.1', folder, logs: path.join(folder, 'logs'), contexts: ['a', 'b'] },
      signal(),
    );
    client = await KubeClient.open(plane.kubeconfigFile('cluster'), 'a');
    await client.apply('/api/v1/namespaces/coditect', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'coditect' } });
    for (const definition of chaosDefinitions(faultKinds)) {
      const { name } = (definition as unknown as KubeObject).metadata;
      await client.apply(resourcePath(DEFINITIONS, undefined, name), definition);
    }
    for (const kind of new Set(faultKinds.map((one) => one.kind))) await untilServed(kind);
  });

  after(async () => {
    await plane?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  async function untilServed(kind: string): Promise<void> {
    for (const limit = signal(); ;) {
      const answer = await client.ask('GET', resourcePath({ apiVersion: CHAOS_API, resource: resourceOf(kind) }, 'coditect'));
      if (answer.status === 200) return;
      limit.throwIfAborted();
    }
  }

  const put = (document: Document): Promise<{ status: number; body: unknown }> => {
    const resource = { apiVersion: CHAOS_API, resource: resourceOf(document.kind) };
    return client.ask('PATCH', resourcePath(resource, 'coditect', document.metadata.name), {
      query: { fieldManager: 'test', fieldValidation: 'Strict', dryRun: 'All' },
      contentType: 'application/apply-patch+yaml',
      body: document,
    });
  };

  it('accepts every manifest of chaos/ as it is', async () => {
    for (const file of readdirSync(CHAOS).filter((name) => name.endsWith('.yaml')))
      for (const document of documentsOf(file)) {
        const { status, body } = await put(document);
        expect(status, `${file}: ${JSON.stringify(body)}`).to.be.oneOf([200, 201]);
      }
  });

  it('refuses nonsense: an unknown field, a value that no action has, a field of the wrong type', async () => {
    const [kill] = documentsOf('pod-kill.yaml') as unknown as [Document & { spec: object }];
    const wrong = [{ actoin: 'pod-kill' }, { action: 'pod-melt' }, { selector: { labelSelectors: { app: 3 } } }, { gracePeriod: 'soon' }];
    for (const over of wrong) {
      const { status } = await put({ ...kill, spec: { ...kill.spec, ...over } } as Document);
      expect(status, JSON.stringify(over)).to.be.oneOf([400, 422, 500]);
    }
  });

  it('has two contexts of one cluster, and a game day with no rights but those it was given', async () => {
    const other = await KubeClient.open(plane.kubeconfigFile('gameday'), 'b');
    expect((await other.ask('GET', '/readyz')).status).to.equal(200);
    expect((await other.ask('GET', resourcePath(CONFIG_MAPS, 'coditect'))).status).to.equal(403);
  });

  it('lets a probe of ours into a pod of a namespace under the Pod Security Standard `restricted`, and nothing that asks for more', async () => {
    const namespace = 'restricted';
    const labels = { 'pod-security.kubernetes.io/enforce': namespace };
    await client.apply(`/api/v1/namespaces/${namespace}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
    const probe = { image: 'registry.example/coditect-dr:1', command: ['node', 'probe.js'], port: 8477 };
    const order = { version: 1, session: 1, me: 0, port: 8477, periodMs: 50, forMs: 1000, peers: [] };
    const first = probePatch('', 'web', probe, order) as { spec: { ephemeralContainers: readonly [object] } };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace },
      spec: { containers: first.spec.ephemeralContainers },
    };
    const { metadata } = await client.must<KubeObject>('POST', resourcePath(PODS, namespace), { body: pod });
    const add = async (patch: object): Promise<{ readonly status: number; readonly body: unknown }> =>
      await client.ask('PATCH', resourcePath(PODS, namespace, 'web', 'ephemeralcontainers'), {
        query: { fieldManager: 'test', fieldValidation: 'Strict' },
        contentType: 'application/strategic-merge-patch+json',
        body: patch,
      });
    const added = await add(probePatch(metadata.uid ?? '', 'probe', probe, order));
    expect(added.status, JSON.stringify(added.body)).to.equal(200);
    const more = await add({ spec: { ephemeralContainers: [{ name: 'more', image: probe.image }] } });
    expect(more.status).to.equal(403);
    expect(JSON.stringify(more.body)).to.match(/violates PodSecurity/);
    const late = await add(probePatch('another pod of that name', 'late', probe, order));
    expect(late.status, JSON.stringify(late.body)).to.be.oneOf([409, 422]);
    expect(JSON.stringify(late.body)).to.match(/uid/i);
  });

  it('is asked many things over one connection, and over another when that was closed', async () => {
    let connections = 0;
    const between = createServer((near) => {
      connections += 1;
      const far = connect(Number(new URL(plane.server).port), '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const)
        one.on('error', () => undefined).on('close', () => other.destroy());
    });
    between.listen(0, '127.0.0.1');
    await once(between, 'listening');
    const file = path.join(folder, 'between.kubeconfig');
    const { port } = between.address() as AddressInfo;
    writeFileSync(file, readFileSync(plane.kubeconfigFile('cluster'), 'utf8').replaceAll(plane.server, `https://127.0.0.1:${port}`));
    const mine = await KubeClient.open(file, 'a');
    const ask = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) expect((await mine.ask('GET', '/readyz')).status).to.equal(200);
    };
    await ask();
    expect(connections).to.equal(1);
    await plane.killApiServer();
    await plane.startApiServer(signal());
    await ask();
    expect(connections).to.equal(2);
    between.close();
  });

  it('a follower misses nothing while the API server is killed and restarted', async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const note = ({ change, object }: Seen<KubeObject>): void => void seen.push(`${change} ${object.metadata.name}`);
    const follower = new Reflector<KubeObject>(client, resourcePath(CONFIG_MAPS, 'coditect'), note, { labelSelector: 'of=test' });
    const running = follower.run(stop.signal);
    await follower.synced;
    const map = (name: string, more: object = {}): Promise<unknown> =>
      client.apply(resourcePath(CONFIG_MAPS, 'coditect', name), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { of: 'test' } },
        ...more,
      });
    await map('one');
    await map('two');
    await plane.killApiServer();
    await plane.startApiServer(signal());
    await map('one', { data: { changed: 'yes' } });
    await client.must('DELETE', resourcePath(CONFIG_MAPS, 'coditect', 'two'));
    await map('three');
    for (const limit = signal(); seen.length < 5; await new Promise((resolve) => setTimeout(resolve, 20))) limit.throwIfAborted();
    stop.abort();
    await running;
    // Who was away for all three is told of them by a list, which has an order of its own.
    expect(seen.slice(0, 2)).to.deep.equal(['appeared one', 'appeared two']);
    expect(seen.slice(2)).to.have.members(['changed one', 'gone two', 'appeared three']);
  });

  it('says of a version that it no longer has what a follower takes for an expired watch', async () => {
    await plane.killApiServer();
    await plane.startApiServer(signal());
    const lines: string[] = [];
    const query = { watch: 1, resourceVersion: '1', timeoutSeconds: 5 };
    const status = await client.stream(resourcePath(CONFIG_MAPS, 'coditect'), query, (line) => void lines.push(line), signal());
    const [first] = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { type: string; object: { code?: number } });
    expect(status === 410 || (first?.type === 'ERROR' && first.object.code === 410), `${status} ${lines[0]}`).to.equal(true);
  });
});
