import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { experimentOf } from '../../fault/experiment-of.ts';
import { clusterManifestDecoder } from '../../commands/scenarios.ts';
import type { Fault } from '../../fault/fault.ts';
import type { EventBody } from '../../history/event.ts';
import { HarnessError } from '../errors.ts';
import { get } from '../local/serves.ts';
import { podOf } from '../local/topology.ts';
import type { Feature } from '../local/features.ts';
import type { Injection, OwnService } from '../platform.ts';
import { findBinaries, MISSING } from './containerless/binaries.ts';
import { startCluster, type ClusterProcess } from './containerless/cluster-process.ts';
import type { ClusterOrder } from './containerless/cluster-protocol.ts';
import { CHAOS_API, resourceOf } from './containerless/crds.ts';
import { clusterTopology, GAMEDAY_RULES } from './containerless/lab-objects.ts';
import { examineClusters } from './doctor.ts';
import { KubeClient } from './kube-client.ts';
import { condition, PODS, resourcePath, type ChaosObject, type KubePod } from './kube-object.ts';
import { KubernetesPlatform } from './kubernetes.ts';
import { LabInside } from './lab-inside.ts';
import { readSystemFile, type SystemFile } from './system-file.ts';
import { killApiServer } from './testing/api-server.ts';
import { packagedFault } from './testing/packaged-fault.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const limit = (ms = 60_000): AbortSignal => AbortSignal.timeout(ms);
const topology = clusterTopology(1);
/** What a cluster of this sandbox that was killed leaves: of its API's objects, of its arbiter. */
const LEFT = ['/run/lab/control-plane/etcd/left', `/run/lab/pods/${podOf(topology, 'etcd', 'europe-west1').name}/etcd/left`];

describe('a cluster without containers, and the game day as its client', function () {
  this.timeout(180_000);
  let cluster: ClusterProcess | undefined;
  let folder: string;
  let system: SystemFile;
  let client: KubeClient;
  let platform: KubernetesPlatform;
  const events: EventBody[] = [];

  before(async function () {
    if (findBinaries() === undefined) {
      process.stdout.write(`    skipped: ${MISSING}\n`);
      return this.skip();
    }
    for (const file of LEFT) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
    folder = mkdtempSync(path.join(tmpdir(), 'cluster-'));
    const order = {
      folder,
      replication: 'sync',
      policy: 'lab',
      controllersPerRegion: 1,
      movableClocks: false,
      claimableKinds: ['DNSChaos'],
    } satisfies ClusterOrder;
    cluster = await startCluster(order, limit(120_000));
    system = readSystemFile(cluster.systemFile);
    client = await KubeClient.open(system.kubeconfig, 'us-central1');
    const inside = new LabInside(topology, { dataFolder: path.join(folder, 'lab'), logs: path.join(folder, 'vantages') });
    const runFolder = path.join(folder, 'run-of-the-test');
    mkdirSync(runFolder);
    const context = { nowMs: () => performance.now(), record: (event: EventBody) => void events.push(event), runFolder, seed: 7 };
    platform = await KubernetesPlatform.connect(system, inside, context, limit());
    await platform.start(limit());
  });

  after(async () => {
    await platform?.close();
    await cluster?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const pathOf = (fault: Fault): string =>
    resourcePath({ apiVersion: CHAOS_API, resource: resourceOf(fault.kind) }, 'coditect', fault.name);
  const read = (fault: Fault): Promise<ChaosObject> => client.must<ChaosObject>('GET', pathOf(fault));

  function inject(fault: Fault): Injection {
    const planning = fault.plan({ pods: platform.pods(), seed: 7, addressesOf: {} });
    if (planning.outcome !== 'planned') throw new Error(planning.reason);
    const { plan } = planning;
    return platform.injection(plan.primitives, [experimentOf({ name: fault.name, experiment: fault, plan }, platform.pods(), false)]);
  }
  const eventually = async (what: string, is: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> => {
    const untilMs = performance.now() + withinMs;
    while (!(await is())) {
      if (performance.now() > untilMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      await sleep(25);
    }
  };
  /** From and to pods of a region cut by network-partition.yaml: what passes between them. */
  async function passing(): Promise<number> {
    const [from, to] = ['us-central1', 'us-east1'].map((region) => podOf(topology, 'db', region).name) as [string, string];
    const cells = await platform.reachability([from, to], limit());
    return cells.filter((cell) => cell.received > 0).length;
  }
  const changesOf = (pod: string): readonly string[] =>
    events.flatMap((event) => (event.kind === 'pod' && event.pod === pod ? [event.change] : []));

  it('begins with nothing that an earlier cluster of the same sandbox has left', () => {
    expect(LEFT.filter((file) => existsSync(file))).to.deep.equal([]);
  });

  it('has every pod of the lab as a ready Pod of its node, with address, and knows its region', async () => {
    const { items } = await client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, 'coditect'));
    await eventually('all ready', async () => {
      const list = await client.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, 'coditect'));
      return list.items.every((pod) => condition(pod, 'Ready'));
    });
    expect(items.map(({ metadata }) => metadata.name)).to.have.members(topology.pods.map(({ name }) => name));
    const seen = platform.pods().map(({ name, region, node, addresses }) => ({ name, region, node, addresses }));
    expect(seen).to.have.deep.members(
      topology.pods.map(({ name, region, ipv4, ipv6 }) => ({ name, region, node: region, addresses: [ipv4, ipv6] })),
    );
  });

  it('the engine serves, and its log comes by way of the API server', async () => {
    await eventually('a line of a controller', () =>
      events.some((event) => event.kind === 'engine-log' && event.pod.startsWith('dr-controller')),
    );
  });

  it('doctor: everything is there; a manifest that selects nothing is named', async () => {
    const nowhere = packagedFault('pod-kill.yaml');
    const features = await examineClusters(system, [
      packagedFault('region-loss.yaml'),
      { ...nowhere, plan: (input) => nowhere.plan({ ...input, pods: [] }) },
    ]);
    const missing = features.filter(({ has, required }) => has !== true && required);
    expect(missing.map(({ name }) => name)).to.deep.equal([`PodChaos ${nowhere.name}`]);
  });

  it('doctor: of kinds that only clusters know this one is asked whether it would take them, and keeps nothing', async () => {
    const chosen = 'mode: all, selector: {labelSelectors: {app: db, region: us-central1}}';
    const faults = [
      ['DNSChaos', `{action: error, ${chosen}}`],
      ['NetworkChaos', `{action: delay, ${chosen}, delay: {latency: 1ms}}`],
    ].flatMap(([kind, spec]) => {
      const text = `apiVersion: ${CHAOS_API}\nkind: ${kind}\nmetadata: {name: only-there}\nspec: ${spec}\n`;
      const decoded = clusterManifestDecoder(text, 'only-there.yaml');
      return decoded.ok ? decoded.value : [];
    });
    const told = (await examineClusters(system, faults)).filter(({ name }) => name.endsWith('as it would be applied'));
    const [mute, slow] = told.map(({ has }) => has);
    expect(told).to.have.length(2);
    expect(mute).to.equal(true);
    expect(slow).to.match(/the cluster of us-central1 does not take NetworkChaos only-there: .*delay/);
    for (const fault of faults) expect((await client.ask('GET', pathOf(fault))).status).to.equal(404);
  });

  it('doctor: whether probes may be put into the pods of somebody’s own service is asked, where the file names an image for them', async () => {
    const service = { clients: {}, ledger: {} as OwnService['ledger'], headers: {}, tls: {} };
    const probes = { image: 'registry.example/coditect-dr:1', command: ['node'], port: 8477 };
    const told = async (of: SystemFile): Promise<Feature | undefined> =>
      (await examineClusters(of, [])).find(({ name }) => name.startsWith('probes in coditect'));
    expect(await told({ ...system, service, probes })).to.include({ has: true, required: true });
    expect(await told({ ...system, service })).to.include({ required: false });
    const admin = await KubeClient.open('/run/lab/control-plane/cluster.kubeconfig', 'us-central1');
    const role = resourcePath({ apiVersion: 'rbac.authorization.k8s.io/v1', resource: 'roles' }, 'coditect', 'gameday');
    const less = GAMEDAY_RULES.filter(({ resources }) => !resources.some((one) => one === 'pods/ephemeralcontainers'));
    await admin.merge(role, { rules: less });
    try {
      await eventually(
        'refused',
        async () => (await told({ ...system, service, probes }))?.has === 'may not patch pods/ephemeralcontainers',
      );
    } finally {
      await admin.merge(role, { rules: GAMEDAY_RULES });
    }
  });

  it('doctor: an identity that the server takes no more is told as that', async () => {
    const kubeconfig = path.join(folder, 'expired.kubeconfig');
    const valid = readFileSync(system.kubeconfig, 'utf8');
    const expired = valid.replaceAll(/client-certificate-data:.*\n\s*client-key-data:.*/g, 'token: expired');
    expect(expired).not.to.equal(valid);
    writeFileSync(kubeconfig, expired);
    const [first, ...more] = await examineClusters({ ...system, kubeconfig }, []);
    expect(more).to.deep.equal([]);
    expect(first?.has).to.equal('GET /version: 401');
    expect(first?.fix).to.match(/^log in again: .*us-central1/);
  });

  it('the manifest of a partition cuts real traffic; pausing it heals, resuming cuts again, deleting leaves nothing', async () => {
    const fault = packagedFault('network-partition.yaml');
    expect(await passing()).to.equal(4);
    const injection = inject(fault);
    await injection.apply(limit());
    expect(await passing()).to.equal(0);
    const object = await read(fault);
    expect(object.metadata.finalizers).to.deep.equal(['chaos-mesh/records']);
    expect(object.spec).to.deep.equal((parse(readFileSync(path.join(ROOT, 'chaos/network-partition.yaml'), 'utf8')) as ChaosObject).spec);
    await client.merge(pathOf(fault), { metadata: { annotations: { 'experiment.chaos-mesh.org/pause': 'true' } } });
    await eventually('paused', async () => condition(await read(fault), 'Paused') && condition(await read(fault), 'AllRecovered'));
    expect(await passing()).to.equal(4);
    await client.merge(pathOf(fault), { metadata: { annotations: { 'experiment.chaos-mesh.org/pause': null } } });
    await eventually('injected again', async () => condition(await read(fault), 'AllInjected'));
    expect(await passing()).to.equal(0);
    await injection.heal(limit());
    expect(await passing()).to.equal(4);
    expect((await client.ask('GET', pathOf(fault))).status).to.equal(404);
  });

  it('a killed pod is a deleted object: the process ends, another pod of that name follows, and both are told', async () => {
    const fault = packagedFault('controller-kill.yaml');
    const before = await platform.processes(topology.pods.map(({ name }) => name));
    const injection = inject(fault);
    await injection.apply(limit());
    const note = events.findLast((event) => event.kind === 'note' && event.message.includes('by the seed'));
    const pod = note?.kind === 'note' ? (/given (\S+) by name/.exec(note.message)?.[1] ?? '') : '';
    const had = before.filter((one) => one.pod === pod).map(({ pid }) => pid);
    await eventually('another process', async () => {
      const now = (await platform.processes([pod])).map(({ pid }) => pid);
      return now.length > 0 && !now.some((pid) => had.includes(pid));
    });
    await eventually('its news: it was killed, ended, and another started and is ready', () => {
      const changes = changesOf(pod);
      const afterwards = changes.slice(changes.lastIndexOf('exited'));
      return changes.includes('killed') && ['exited', 'started', 'ready'].every((change) => afterwards.includes(change));
    });
    await injection.heal(limit());
  });

  it('refuses an experiment of that name that is not of this run, and leaves it alone', async () => {
    const fault = packagedFault('network-partition.yaml');
    const theirs = {
      ...(fault.document as ChaosObject),
      metadata: { name: fault.name, namespace: 'coditect', labels: { owner: 'somebody' } },
    };
    await client.apply(pathOf(fault), theirs);
    const refused = await inject(fault)
      .apply(limit())
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(refused).to.be.instanceOf(HarnessError).with.property('message').that.includes('not from this run');
    expect((await read(fault)).metadata.labels).to.deep.equal({ owner: 'somebody' });
    await client.must('DELETE', pathOf(fault));
    await eventually('theirs is gone', async () => (await client.ask('GET', pathOf(fault))).status === 404);
  });

  it('one that somebody has put in its place while it lasted is left alone, and the run’s own is gone', async () => {
    const fault = packagedFault('network-partition.yaml');
    const injection = inject(fault);
    await injection.apply(limit());
    await client.must('DELETE', pathOf(fault));
    await eventually('it is gone', async () => (await client.ask('GET', pathOf(fault))).status === 404);
    const theirs = { ...(fault.document as ChaosObject), metadata: { name: fault.name, namespace: 'coditect' } };
    await client.apply(pathOf(fault), theirs);
    await injection.heal(limit());
    const { deletionTimestamp } = (await read(fault)).metadata;
    expect(deletionTimestamp).to.equal(undefined);
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.message] : []));
    expect(notes).to.include(`${fault.name}: an experiment of that name is there that is not of this run, and is left alone`);
    await client.must('DELETE', pathOf(fault));
    await eventually('theirs is gone', async () => (await client.ask('GET', pathOf(fault))).status === 404);
    expect(await passing()).to.equal(4);
  });

  it('the API server is killed while it is asked for a fault: that is injected and healed when it is back, or taken back and told, and nothing is left', async () => {
    const fault = packagedFault('network-partition.yaml');
    const journal = path.join(folder, 'run-of-the-test', 'undo.ndjson');
    const written = (): number => (existsSync(journal) ? readFileSync(journal, 'utf8').split('"do":"delete"').length : 0);
    const before = written();
    const injection = inject(fault);
    const applied = injection.apply(limit()).then(
      () => 'injected',
      (error: unknown) => String(error),
    );
    while (written() === before) await sleep(1);
    killApiServer();
    const outcome = await applied;
    if (outcome === 'injected') {
      expect(await passing()).to.equal(0);
      await injection.heal(limit());
    } else expect(outcome).to.match(/could not be injected/);
    await eventually('it serves again', async () => (await client.ask('GET', '/readyz').catch(() => undefined))?.status === 200);
    await injection.heal(limit()); // what could not be taken back in time is tried again, as the end of a run does
    expect(await passing()).to.equal(4);
    expect((await client.ask('GET', pathOf(fault))).status).to.equal(404);
  });

  it('the API server is killed in the middle of a fault: the engine goes on serving, and the fault is healed when it is back', async () => {
    const fault = packagedFault('network-partition.yaml');
    const injection = inject(fault);
    await injection.apply(limit());
    killApiServer();
    await eventually('the API server is away', async () => (await client.ask('GET', '/readyz').catch(() => undefined)) === undefined);
    const root = path.join('/run/lab/pods', podOf(topology, 'operator', 'outside').name, 'tls');
    const [caPem, certPem, keyPem] = ['ca.crt', 'tls.crt', 'tls.key'].map((file) => readFileSync(path.join(root, file), 'utf8')) as [
      string,
      string,
      string,
    ];
    const url = `https://${podOf(topology, 'api', 'us-central1').ipv4}:8443/v1/kv/anything`;
    // The server that starts again keeps both processors busy: an answer may come too late.
    await eventually('the engine serves', async () =>
      [200, 404].includes((await get(url, { caPem, certPem, keyPem, arbiterCaPem: caPem })).status),
    );
    expect(await passing()).to.equal(0);
    await injection.heal(limit(60_000));
    expect(await passing()).to.equal(4);
    expect((await client.ask('GET', pathOf(fault))).status).to.equal(404);
  });
});
