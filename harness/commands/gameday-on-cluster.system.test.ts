import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parse, stringify } from 'yaml';
import { findBinaries, MISSING } from '../platform/kubernetes/containerless/binaries.ts';
import { startCluster, type ClusterProcess } from '../platform/kubernetes/containerless/cluster-process.ts';
import type { ClusterOrder } from '../platform/kubernetes/containerless/cluster-protocol.ts';
import { CHAOS_API, resourceOf } from '../platform/kubernetes/containerless/crds.ts';
import { clusterTopology } from '../platform/kubernetes/containerless/lab-objects.ts';
import { OWNER_LABEL } from '../platform/kubernetes/applied.ts';
import { openEntries, writeUndo } from '../platform/kubernetes/journal.ts';
import { KubeClient } from '../platform/kubernetes/kube-client.ts';
import { condition, resourcePath, type ChaosObject } from '../platform/kubernetes/kube-object.ts';
import { readEvents } from '../history/reader.ts';
import { LabInside } from '../platform/kubernetes/lab-inside.ts';
import { emptySystem } from '../platform/kubernetes/testing/empty-system.ts';
import { faultKinds } from '../registry.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { itBreaksOwnServices } from '../testing/notes/game-days-on-cluster.ts';
import { THREE_DAYS_MS, untilOneSays } from '../testing/until-one-says.ts';
import { judgeFolder } from './run.ts';
import { ROOT, startGameday, startRun, type Ended, type Run } from './testing/gameday-program.ts';

/** An experiment that this test's Chaos Mesh claims to perform and does not. */
const CLAIMED = 'only-claimed';
const topology = clusterTopology(1);

/** Whole game days, as users start them, on one cluster that outlives them. */
describe('game days on a cluster without containers', function () {
  this.timeout(120_000);
  let folder: string;
  let cluster: ClusterProcess | undefined;
  let client: KubeClient;

  before(async function () {
    if (findBinaries() === undefined) {
      process.stdout.write(`    skipped: ${MISSING}\n`);
      return this.skip();
    }
    folder = mkdtempSync(path.join(tmpdir(), 'cluster-'));
    const order = {
      folder,
      replication: 'sync',
      policy: 'lab',
      controllersPerRegion: 1,
      movableClocks: false,
      onlyClaims: [CLAIMED],
      claimableKinds: ['DNSChaos'],
    } satisfies ClusterOrder;
    cluster = await startCluster(order, AbortSignal.timeout(110_000));
    client = await KubeClient.open(cluster.kubeconfig, 'us-central1');
  });
  after(async () => {
    await cluster?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const systemFile = (): string => cluster?.systemFile ?? '';
  const pathOf = (kind: string, name: string): string =>
    resourcePath({ apiVersion: CHAOS_API, resource: resourceOf(kind) }, 'coditect', name);
  async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
    for (const limitMs = performance.now() + withinMs; !(await holds()); await sleep(100))
      if (performance.now() > limitMs) throw new Error(`not within ${withinMs} ms: ${what}`);
  }

  /** A scenario of the package, changed, with a manifest of its own. */
  function scenario(name: string, { method, manifest }: { readonly method?: readonly object[]; readonly manifest?: object } = {}): string {
    const file = path.join(ROOT, 'scenarios', `${name}.yaml`);
    // What is laid over it on another database may speak of steps that are changed here.
    const { onFoundationdb: _, ...written } = parse(readFileSync(file, 'utf8')) as {
      method: { manifest?: string }[];
      onFoundationdb?: object;
    };
    const inject = written.method.find((step) => step.manifest !== undefined);
    const manifestFile =
      manifest === undefined ? path.join(ROOT, 'scenarios', inject?.manifest ?? '') : path.join(folder, `${name}-manifest.yaml`);
    if (manifest !== undefined) writeFileSync(manifestFile, stringify(manifest));
    const steps = [{ ...inject, manifest: manifestFile }, ...(method ?? written.method.slice(1))];
    const scenarioFile = path.join(folder, `${name}.yaml`);
    writeFileSync(scenarioFile, stringify({ ...written, method: steps }));
    return scenarioFile;
  }
  const manifestOf = (file: string): ChaosObject => parse(readFileSync(path.join(ROOT, 'chaos', file), 'utf8')) as ChaosObject;

  const run = (file: string, name: string): Run => startRun(['--system', systemFile(), file], path.join(folder, name));
  const finding = (result: ResultDocument, check: string): string =>
    result.findings.flatMap((one) => (one.check === check ? [`${one.outcome}: ${one.message}`] : [])).join('; ');

  /** The result of a run that came as far as the claim. */
  const claimed = (file: string): Promise<ResultDocument> =>
    untilOneSays(async (again) => {
      await emptySystem(topology);
      const played = run(file, `claimed${again}`);
      const { code, text } = await played.ended;
      expect(code, text).to.equal(3);
      const wasClaimed = played.events().some((event) => event.kind === 'note' && event.message.includes('AllInjected was seen'));
      return wasClaimed ? played.result() : text;
    });

  /** A run in which the API server was killed while its fault took effect. */
  const throughTheKill = (file: string): Promise<Ended & { readonly played: Run; readonly killed: string; readonly back: string }> =>
    untilOneSays(async (again) => {
      await emptySystem(topology);
      const played = run(file, `api-server-killed${again}`);
      let isOver = false;
      void played.ended.then(() => (isOver = true));
      const isSeen = (): boolean => played.events().some((event) => event.kind === 'fault-effect' && event.moment === 'during');
      await until('the effect was seen, or the run is over', () => isOver || isSeen(), 110_000);
      const killed = new Date().toISOString();
      if (!isOver) process.kill(cluster?.apiServerPid ?? 0, 'SIGKILL');
      await until('it serves', async () => (await client.ask('GET', '/readyz').catch(() => undefined))?.status === 200);
      const back = new Date().toISOString();
      const end = await played.ended;
      return end.code === 3 ? end.text : { ...end, played, killed, back };
    });

  /** A game day that is under way, with these experiments injected. */
  const injecting = (file: string, names: readonly string[]): Promise<ReturnType<typeof startGameday> & { readonly runFolder: string }> =>
    untilOneSays(async (again) => {
      await emptySystem(topology);
      const runFolder = path.join(folder, `killed${again}`, 'run');
      mkdirSync(runFolder, { recursive: true });
      const options = ['--run-folder', runFolder, '--seed', '1', '--platform', 'kubernetes', '--system', systemFile()];
      const started = startGameday(['play', ...options, file]);
      let said: string | undefined;
      void started.ended.then(({ text }) => (said = text));
      const isInjected = async (name: string): Promise<boolean> => {
        const { status, body } = await client.ask<ChaosObject>('GET', pathOf('PodChaos', name));
        return status === 200 && condition(body, 'AllInjected');
      };
      await until(
        'injected, or over',
        async () => said !== undefined || (await Promise.all(names.map(isInjected))).every(Boolean),
        110_000,
      );
      return said ?? { ...started, runFolder };
    });

  /** Nothing of any game day is in the cluster: no experiment, whatever its label or finalizer. */
  async function nothingLeft(): Promise<void> {
    for (const kind of new Set(faultKinds.map((one) => one.kind))) {
      const { items } = await client.must<{ items: readonly ChaosObject[] }>(
        'GET',
        resourcePath({ apiVersion: CHAOS_API, resource: resourceOf(kind) }, 'coditect'),
      );
      expect(items, kind).to.deep.equal([]);
    }
  }

  it('the API server is killed and restarted in the middle of a fault: clients see nothing of it, the fault lasts and is healed, the verdict is the usual one', async () => {
    const file = scenario('region-partition', { method: [{ observe: '8s' }, { heal: 'partition' }] });
    const { code, text, played, killed, back } = await throughTheKill(file);
    const result = played.result();
    expect(code, text).to.equal(0);
    expect(result.verdict.outcome).to.equal('pass');
    expect(result.scenario.platform).to.equal('kubernetes');
    expect(finding(result, 'fault-effective')).to.match(/^pass/);
    expect(finding(result, 'fault-healed')).to.match(/^pass/);
    const meanwhile = played
      .events()
      .filter((event) => event.kind === 'op' && event.op === 'put' && event.wall > killed && event.wall < back);
    const outside = meanwhile.filter((event) => event.kind === 'op' && event.vantage === 'outside');
    expect(outside.length).to.be.greaterThan(10);
    // The verdict says that there was no outage; answers that the starting server's two busy processors kept waiting are none. Clients that needed the API server would have had no other.
    const good = outside.filter((event) => event.kind === 'op' && event.outcome === 'ok');
    expect(good.length / outside.length).to.be.greaterThan(0.5);
    await nothingLeft();
  }).timeout(THREE_DAYS_MS);

  it('a system that holds what this run did not write is refused: inconclusive, and nothing is broken', async () => {
    const played = run(scenario('region-partition'), 'used');
    expect((await played.ended).code).to.equal(3);
    expect(played.result().verdict.reason).to.match(/holds \d+ entries already/);
    expect(played.events().some((event) => event.kind === 'fault-planned')).to.equal(false);
  });

  it('a Chaos Mesh that claims to have injected and did nothing proves nothing: inconclusive', async () => {
    const honest = manifestOf('network-partition.yaml');
    const manifest = { ...honest, metadata: { ...honest.metadata, name: CLAIMED } };
    const file = scenario('region-partition', { method: [{ observe: '1s' }, { heal: 'partition' }], manifest });
    const result = await claimed(file);
    expect(result.verdict.outcome).to.equal('inconclusive');
    expect(finding(result, 'fault-effective')).to.match(/^inconclusive: .*links in the cut 0 lose everything/);
    await nothingLeft();
  }).timeout(THREE_DAYS_MS);

  it('whoever plays is killed in the middle of a fault: chaos heal leaves no experiment, label or finalizer, also of one whose label was taken off', async () => {
    const inside = new LabInside(topology, { dataFolder: path.join(folder, 'lab'), logs: path.join(folder, 'vantages') });
    const [api, vantage] = ['api-us-central1-0', 'client-outside-0'] as const;
    const unlabelled = 'standby-database-hold';
    const also = { inject: 'another', manifest: path.join(ROOT, 'chaos', `${unlabelled}.yaml`) };
    const file = scenario('region-loss', { method: [also, { observe: '60s' }, { heal: 'another' }, { heal: 'loss' }] });
    const { child, ended, runFolder } = await injecting(file, ['region-loss', unlabelled]);
    child.kill('SIGKILL');
    await ended;
    expect((await inside.processes([api])).length, 'the fault lasts without whoever asked for it').to.equal(0);
    await client.merge(pathOf('PodChaos', unlabelled), { metadata: { labels: { [OWNER_LABEL]: null } } });
    const second = await startGameday(['run', '--system', systemFile(), '--reports', path.join(folder, 'second'), file]).ended;
    expect(second.code, second.text).to.equal(3);
    expect(second.text, 'two at a time').to.include('PodChaos coditect/region-loss of the game day run is there');

    const heal = ['chaos', 'heal', '--platform', 'kubernetes', '--system', systemFile(), '--reports', path.dirname(runFolder)];
    const healed = await startGameday(heal).ended;
    expect(healed.text).to.include('region-loss (run run, found by its label): taken back and gone');
    expect(healed.text).to.include(`${unlabelled} (run run, found by its journal): taken back and gone`);
    expect(healed.code).to.equal(0);
    await nothingLeft();
    await until('its pods run again', async () => (await inside.processes([api])).length > 0);
    await until('its vantages are gone', async () => (await inside.processes([vantage])).length === 1);
    expect((await startGameday(heal).ended).text).to.include('nothing to heal');
    const verdict = (await judgeFolder(runFolder)).verdict;
    expect(verdict.outcome, verdict.reason).to.equal('inconclusive');
    expect(readEvents(path.join(runFolder, 'events.ndjson')).some((event) => event.kind === 'run-ended')).to.equal(false);
  }).timeout(THREE_DAYS_MS);

  itBreaksOwnServices(() => ({ kubeconfig: cluster?.kubeconfig ?? '', folder, claimed: CLAIMED }));

  it('refuses before anything starts what it may not touch, and says how: a namespace and a context that the file does not allow', async () => {
    const stranger = manifestOf('pod-kill.yaml');
    const manifest = { ...stranger, spec: { ...stranger.spec, selector: { namespaces: ['kube-system'], labelSelectors: { app: 'api' } } } };
    const foreign = await startGameday([
      'run',
      '--system',
      systemFile(),
      '--reports',
      path.join(folder, 'foreign'),
      scenario('database-kill', { manifest }),
    ]).ended;
    expect(foreign.code, foreign.text).to.equal(2);
    expect(foreign.text).to.match(/reaches into kube-system; .*allows coditect/);

    const other = path.join(folder, 'other-system.yaml');
    const system = parse(readFileSync(systemFile(), 'utf8')) as object;
    writeFileSync(other, stringify({ ...system, regions: { 'us-central1': { context: 'production' } } }));
    const unknown = await startGameday(['run', '--system', other, '--reports', path.join(folder, 'unknown'), scenario('region-partition')])
      .ended;
    expect(unknown.code, unknown.text).to.equal(2);
    expect(unknown.text).to.match(/has no context `production`; it has us-central1/);
    expect([path.join(folder, 'foreign'), path.join(folder, 'unknown')].flatMap((one) => readdirSync(one))).to.deep.equal([]);
  });

  it('a selector that matches nothing, a kind that the cluster has not: never a pass, and nothing is left', async () => {
    const kill = manifestOf('pod-kill.yaml');
    const manifest = { ...kill, spec: { ...kill.spec, selector: { labelSelectors: { app: 'nobody' } } } };
    const nobody = run(scenario('database-kill', { manifest }), 'nobody');
    expect((await nobody.ended).code).to.equal(3);
    expect(nobody.result().verdict.outcome).to.equal('inconclusive');
    expect(nobody.events().some((event) => event.kind === 'fault-injected')).to.equal(false);

    const admin = await KubeClient.open('/run/lab/control-plane/cluster.kubeconfig', 'us-central1');
    const definitions = { apiVersion: 'apiextensions.k8s.io/v1', resource: 'customresourcedefinitions' };
    await admin.must('DELETE', resourcePath(definitions, undefined, 'podchaos.chaos-mesh.org'));
    await until('no longer served', async () => (await client.ask('GET', pathOf('PodChaos', ''))).status === 404);
    const missing = await startGameday([
      'run',
      '--system',
      systemFile(),
      '--reports',
      path.join(folder, 'missing'),
      scenario('region-loss'),
    ]).ended;
    expect(missing.code, missing.text).to.equal(3);
    expect(missing.text).to.include('has the kind PodChaos');

    const stranded = path.join(folder, 'stranded', 'run');
    mkdirSync(stranded, { recursive: true });
    const entry = {
      context: 'us-central1',
      apiVersion: CHAOS_API,
      kind: 'PodChaos',
      namespace: 'coditect',
      name: 'region-loss',
      run: 'run',
    };
    writeUndo(stranded, entry);
    const healed = await startGameday(['chaos', 'heal', '--system', systemFile(), '--reports', path.dirname(stranded)]).ended;
    expect(healed.text, 'who cannot look does not call it healed').to.include(
      'NOT taken back: the cluster of us-central1 does not serve this kind',
    );
    expect(healed.code).to.equal(1);
    expect(openEntries(stranded)).to.deep.equal([entry]);
  });
});
