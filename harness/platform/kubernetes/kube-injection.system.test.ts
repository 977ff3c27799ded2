import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBody } from '../../history/event.ts';
import { scriptedApiServer } from '../../testing/scripted-api-server.ts';
import type { Experiment, RunContext } from '../platform.ts';
import { RUN_LABEL } from './applied.ts';
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

describe('an experiment of which the cluster says one thing and then another', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'injection-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const said = (resourceVersion: string, phase: string): object => ({
    ...object(resourceVersion),
    metadata: { ...object(resourceVersion).metadata, labels: { [RUN_LABEL]: 'run' } },
    status: {
      conditions: [{ type: 'AllInjected', status: phase === 'Injected' ? 'True' : 'False' }],
      experiment: { containerRecords: [{ id: 'coditect/a', selectorKey: '.', phase, injectedCount: 1, recoveredCount: 0 }] },
    },
  });

  /** A cluster in which the experiment is there once it was applied, and that says of it what it is told to. */
  async function scripted(): Promise<Scripted> {
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    const is: { there: object | undefined; watch: ServerResponse | undefined } = { there: undefined, watch: undefined };
    const applied = Promise.withResolvers<void>();
    const answer: RequestListener = (request, response) => {
      const url = new URL(request.url ?? '/', 'https://cluster');
      const say = (status: number, body: object): void => void response.writeHead(status).end(JSON.stringify(body));
      const absent = { details: { name: NAME } };
      if (request.method === 'PATCH') {
        response.once('finish', applied.resolve);
        return say(200, (is.there = said('2', 'Not Injected')));
      }
      if (url.pathname.endsWith(`/${NAME}`)) return is.there === undefined ? say(404, absent) : say(200, is.there);
      if (!url.searchParams.has('watch'))
        return say(200, { items: is.there === undefined ? [] : [is.there], metadata: { resourceVersion: '1' } });
      response.writeHead(200).flushHeaders();
      is.watch = response;
    };
    const server = await scriptedApiServer({ folder, identities, user: 'gameday' }, answer);
    const client = await KubeClient.open(server.kubeconfig, 'a');
    const notes: string[] = [];
    const record = (event: EventBody): void => void (event.kind === 'note' && notes.push(event.message));
    const context: RunContext = { nowMs: () => performance.now(), record, runFolder: folder, seed: 1 };
    return {
      notes,
      applied: applied.promise,
      injection: () => new KubeInjection([experiment], { placeOf: () => ({ client, place }) }, context, 'run'),
      async tell(type, ...objects) {
        while (is.watch === undefined) await sleep(5);
        is.there = type === 'DELETED' ? undefined : objects.at(-1);
        is.watch.write(objects.map((one) => `${JSON.stringify({ type, object: one })}\n`).join(''));
      },
      close: () => server.close(),
    };
  }

  it('is applied when it is injected and as yet, not when it was; that it is deleted while it should last is told, and so is that nobody saw it recovered', async () => {
    const cluster = await scripted();
    const injection = cluster.injection();
    try {
      let isLast = false;
      const applying = injection.apply(AbortSignal.timeout(60_000)).then(() => isLast);
      await cluster.applied;
      await sleep(200); // by then it is waited for
      await cluster.tell('MODIFIED', said('3', 'Injected'), said('4', 'Not Injected'));
      await sleep(200); // enough for whoever took the first of them for the last word
      isLast = true;
      await cluster.tell('MODIFIED', said('5', 'Injected'));
      expect(await applying, 'by the word of before').to.equal(true);
      await cluster.tell('DELETED', said('6', 'Injected'));
      while (!cluster.notes.some((note) => note.includes('it is gone'))) await sleep(5);
      await injection.heal(AbortSignal.timeout(60_000));
      expect(cluster.notes.slice(1)).to.deep.equal([
        `${NAME}: the cluster says that it is gone, although it was not healed`,
        `${NAME}: it was gone before anybody saw it AllRecovered; the probes tell whether it is`,
      ]);
      expect(openEntries(folder)).to.deep.equal([]);
    } finally {
      await injection.close();
      cluster.close();
    }
  });

  it('is not applied where another step of the run has it already: the cluster would say that it is injected, and do nothing', async () => {
    const cluster = await scripted();
    const [first, second] = [cluster.injection(), cluster.injection()];
    try {
      const applying = first.apply(AbortSignal.timeout(60_000));
      await cluster.applied;
      await cluster.tell('MODIFIED', said('3', 'Injected'));
      await applying;
      const why = await second.apply(AbortSignal.timeout(60_000)).then(() => 'applied', String);
      expect(why).to.include('is there already, from another step of this run');
      expect(
        cluster.notes.some((note) => note.includes('although')),
        'the first lasts',
      ).to.equal(false);
      await cluster.tell('DELETED', said('4', 'Injected'));
      await first.heal(AbortSignal.timeout(60_000));
    } finally {
      await Promise.all([first.close(), second.close()]);
      cluster.close();
    }
  });
});

interface Scripted {
  readonly notes: readonly string[];
  /** When the experiment was asked for. */
  readonly applied: Promise<void>;
  /** One of a step's own. */
  injection(): KubeInjection;
  tell(type: 'MODIFIED' | 'DELETED', ...objects: readonly object[]): Promise<void>;
  close(): void;
}
