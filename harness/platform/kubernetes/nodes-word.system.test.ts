import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { scriptedApiServer, type ScriptedApiServer } from '../../testing/scripted-api-server.ts';
import { makeIdentities } from './containerless/identities.ts';
import type { ContainerStatus, KubePod } from './kube-object.ts';
import { NodesWord } from './nodes-word.ts';
import { pidOf } from './pod-watch.ts';

const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };

/** What nodes say, by way of an API server that answers by a script: what a real one tells of a node in trouble only. */
describe('whether a container is gone, by the word of its node', function () {
  this.timeout(60_000);
  let folder: string;
  let server: ScriptedApiServer;
  let word: NodesWord;
  let pods: readonly KubePod[];
  let killings: readonly object[];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodes-word-'));
    const identities = await makeIdentities(['127.0.0.1'], new Date());
    server = await scriptedApiServer({ folder, identities, user: 'cluster' }, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'https://scripted');
      const asksEvents = pathname.endsWith('/events') && searchParams.get('fieldSelector') === 'involvedObject.uid=uid-1,reason=Killing';
      response.end(JSON.stringify({ items: pathname.endsWith('/pods') ? pods : asksEvents ? killings : [] }));
    });
    word = await NodesWord.open(server.system, { programs: folder, logs: folder });
    pods = [pod('uid-1', { containerID: 'containerd://one', state: running })];
    killings = [{ metadata: { name: 'liveness', uid: 'event-1' }, count: 3 }];
    expect(await there()).to.deep.equal([pidOf('containerd://one')]);
  });
  afterEach(async () => {
    await word.close();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const pod = (uid: string, status: Partial<ContainerStatus>): KubePod => ({
    metadata: { name: 'notes-0', namespace: 'shop', uid },
    spec: { containers: [{ name: 'notes', image: 'notes' }] },
    status: { containerStatuses: [{ name: 'notes', ready: true, restartCount: 0, image: '', imageID: '', state: running, ...status }] },
  });
  const there = async (): Promise<readonly number[]> => (await word.processes(['notes-0'])).map(({ pid }) => pid);

  it('is not known where its object is missing and its node says nothing, or said only long before that it kills one', async () => {
    pods = [];
    expect(await there()).to.deep.equal([pidOf('containerd://one')]);
    pods = [pod('uid-2', { containerID: 'containerd://two' })];
    expect(await there()).to.have.members([pidOf('containerd://one'), pidOf('containerd://two')]);
  });

  it('it is gone where its node kills it, again or for the first time', async () => {
    pods = [];
    killings = [{ metadata: { name: 'liveness', uid: 'event-1' }, count: 4 }];
    expect(await there()).to.deep.equal([]);
  });

  it('is not known where its node killed the one before it in the same pod, as it does when a failed pod is healed', async () => {
    const terminated = { exitCode: 137, containerID: 'containerd://one', finishedAt: '2026-01-01T00:00:09Z' };
    killings = [
      { metadata: { name: 'liveness', uid: 'event-1' }, count: 3 },
      { metadata: { name: 'changed', uid: 'event-2' }, count: 1 },
    ];
    pods = [pod('uid-1', { containerID: 'containerd://two', lastState: { terminated } })];
    expect(await there()).to.deep.equal([pidOf('containerd://two')]);
    pods = [];
    expect(await there()).to.deep.equal([pidOf('containerd://two')]);
    const beside = { metadata: { name: 'sidecar', uid: 'event-3' }, count: 1, involvedObject: { fieldPath: 'spec.containers{sidecar}' } };
    killings = [...killings, beside];
    expect(await there(), 'another container of the pod').to.deep.equal([pidOf('containerd://two')]);
    killings = [
      ...killings,
      { metadata: { name: 'stopping', uid: 'event-4' }, count: 1, involvedObject: { fieldPath: 'spec.containers{notes}' } },
    ];
    expect(await there()).to.deep.equal([]);
  });

  it('it is gone where its end was told, with the next one there', async () => {
    const terminated = { exitCode: 137, containerID: 'containerd://one', finishedAt: '2026-01-01T00:00:09Z' };
    pods = [pod('uid-1', { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: {} })];
    expect(await there(), 'not running is no end').to.deep.equal([pidOf('containerd://one')]);
    pods = [pod('uid-1', { containerID: 'containerd://two', lastState: { terminated } })];
    expect(await there()).to.deep.equal([pidOf('containerd://two')]);
  });

  it('nothing is there while an image that does nothing stands in for it, as Chaos Mesh has it run in a failed pod; any other image is a program', async () => {
    const terminated = { exitCode: 137, containerID: 'containerd://one', finishedAt: '2026-01-01T00:00:09Z' };
    const standIn = (image: string): KubePod => pod('uid-1', { image, containerID: 'containerd://two', lastState: { terminated } });
    pods = [pod('uid-1', { image: 'gcr.io/google-containers/pause:latest', containerID: 'containerd://two' })];
    expect(await there(), 'nobody told the end of what ran before').to.deep.equal([pidOf('containerd://one')]);
    pods = [standIn('registry.k8s.io/pause:3.10')];
    expect(await there()).to.deep.equal([]);
    for (const image of ['shop/notes:2', 'shop/pause-service:1', 'sha256:0123']) {
      pods = [standIn(image)];
      expect(await there(), image).to.deep.equal([pidOf('containerd://two')]);
    }
  });

  it('is no look: what is not told may be long past', async () => {
    expect((await word.processes(['notes-0'])).map(({ state }) => state)).to.deep.equal(['?']);
  });
});
