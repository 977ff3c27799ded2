import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { clusterTopology, LAB_IMAGE } from '../../platform/kubernetes/containerless/lab-objects.ts';
import { KubeClient } from '../../platform/kubernetes/kube-client.ts';
import { PODS, resourcePath, type KubePod } from '../../platform/kubernetes/kube-object.ts';
import { podOf } from '../../platform/local/topology.ts';
import type { ResultDocument } from '../../report/result-shape.ts';
import { THREE_DAYS_MS, untilOneSays } from '../until-one-says.ts';
import { NOTES_LEDGER } from './notes-description.ts';
import { startRun, type Ended, type Run } from '../../commands/testing/gameday-program.ts';

const DNS_CHAOS = { apiVersion: 'chaos-mesh.org/v1alpha1', resource: 'dnschaos' };
const STATEFUL_SETS = { apiVersion: 'apps/v1', resource: 'statefulsets' };
const PORT = 8080;
/** Whose API becomes somebody's own service. */
const REGION = 'us-central1';
const topology = clusterTopology(1);
const POD = podOf(topology, 'api', REGION);
/** What the service needs to write. */
const NEEDED = podOf(topology, 'dns', 'outside');
const PROBE = path.resolve(import.meta.dirname, '../../platform/kubernetes/pod-probes/pod-probe-program.js');
const PROBES = { image: LAB_IMAGE, command: [process.execPath, PROBE] };

/** The cluster that the tests are given: one that only claims to perform experiments of this name, and of the kind DNSChaos. */
export interface ClusterUnderTest {
  readonly kubeconfig: string;
  readonly folder: string;
  readonly claimed: string;
}

/** Faults on a service that no lab started and that has nothing of the engine's contract, in a cluster of which only the API server is known. Defines its tests where it is called; the cluster's engine is not whole after them. */
export function itBreaksOwnServices(given: () => ClusterUnderTest): void {
  interface Day {
    readonly manifest: object;
    readonly expect: object;
    readonly method?: readonly object[];
    readonly recoveryTime?: string;
    readonly probes?: object;
  }
  function play(name: string, day: Day): { run: Run; ended: Promise<Ended> } {
    const file = path.join(given().folder, `${name}.yaml`);
    const manifest = path.join(given().folder, `${name}-manifest.yaml`);
    writeFileSync(manifest, stringify(day.manifest));
    const scenario = {
      name,
      question: 'Does the service come back with everything when its pod is broken?',
      workload: { period: '25ms', timeout: '3s', goodWithin: '1500ms', sustained: { operations: 10, for: '1s' } },
      steady: '1s',
      method: [{ inject: 'fault', manifest }, ...(day.method ?? [{ awaitRecovery: '20s' }, { observe: '1s' }]), { heal: 'fault' }],
      settle: '1s',
      expect: { failover: 'allowed', loss: 'none', mustRecover: ['outside'], ...day.expect },
      targets: { recoveryTime: day.recoveryTime ?? '20s', recoveryPoint: '0s', lostWrites: 0 },
    };
    writeFileSync(file, stringify(scenario));
    const url = `http://${POD.ipv4}:${PORT}`;
    const system = path.join(given().folder, `${name}-system.yaml`);
    const service = { clients: { outside: url, 'us-central1': url }, ledger: NOTES_LEDGER };
    const { probes } = day;
    const clusters = { kubeconfig: given().kubeconfig, regions: { 'us-central1': { context: 'us-central1' } }, namespaces: ['coditect'] };
    writeFileSync(system, stringify({ ...clusters, service, ...(probes === undefined ? {} : { probes }) }));
    const run = startRun(['--system', system, file], path.join(given().folder, name));
    return { run, ended: run.ended };
  }

  let deploying: Promise<void> | undefined;
  /** Once, by whichever of these tests is the first. */
  const deployed = (): Promise<void> => (deploying ??= deploy());

  async function judged(
    name: string,
    day: Day,
    says: (run: Run, code: number | null) => boolean = (_, code) => code !== 3,
  ): Promise<{ readonly code: number | null; readonly text: string; readonly result: ResultDocument }> {
    await deployed();
    return await untilOneSays(async (again) => {
      const { run, ended } = play(`${name}${again}`, day);
      const { code, text } = await ended;
      return says(run, code) ? { code, text, result: run.result() } : text;
    });
  }

  const wasClaimed = (run: Run): boolean => run.events().some((event) => event.kind === 'fault-injected');

  it('somebody’s own service: its pod is killed without grace, the node says so, clients see the outage and its end, and nothing is lost: pass', async () => {
    const { code, text, result } = await judged('own-killed', { manifest: podChaos('kill'), expect: { outage: 'expected' } });
    expect(code, text).to.equal(0);
    expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
    expect(result.scenario.platform).to.equal('kubernetes');
    for (const check of ['fault-effective', 'fault-healed', 'outage-seen', 'lost-writes']) expect(finding(result, check)).to.match(/^pass/);
    expect(result.recovery.state).to.equal('recovered');
  }).timeout(THREE_DAYS_MS);

  it('somebody’s own service: its pod fails and stays so until it is healed, by the word of its node, and comes back with everything: pass', async () => {
    const manifest = podChaos('failure', { action: 'pod-failure' });
    const { code, text, result } = await judged('own-failed', { manifest, expect: { outage: 'expected' }, method: [{ observe: '1s' }] });
    expect(code, text).to.equal(0);
    for (const check of ['fault-effective', 'fault-healed', 'outage-seen', 'lost-writes']) expect(finding(result, check)).to.match(/^pass/);
  }).timeout(THREE_DAYS_MS);

  it('somebody’s own service, and a Chaos Mesh that only claims to have killed it: inconclusive', async () => {
    const manifest = podChaos(given().claimed, { action: 'container-kill', containerNames: ['api'] });
    const { code, text, result } = await judged('own-claimed', { manifest, expect: { outage: 'allowed' } }, wasClaimed);
    expect(code, text).to.equal(3);
    expect(finding(result, 'fault-effective')).to.match(/^inconclusive: .*still there/);
  }).timeout(THREE_DAYS_MS);

  const SHORT = [{ observe: '1s' }];

  /** A busy machine may take longer to take it back than a run waits, or not let all be read back. */
  const wasHealedAndCounted = (run: Run): boolean =>
    run.events().some((event) => event.kind === 'fault-healed') && finding(run.result(), 'lost-writes').startsWith('pass');

  const onlyThere = (kind: string, spec: object): object => ({
    apiVersion: 'chaos-mesh.org/v1alpha1',
    kind,
    metadata: { name: 'only-there', namespace: 'coditect' },
    spec: { mode: 'all', selector: { labelSelectors: { app: 'api', region: REGION } }, ...spec },
  });

  it('somebody’s own service, and a kind that only its cluster knows: applied, followed, healed and gone; nobody sees what it does: inconclusive', async () => {
    const manifest = onlyThere('DNSChaos', { action: 'error', patterns: ['*'] });
    const day = { manifest, expect: { outage: 'allowed' }, method: SHORT };
    const { code, text, result } = await judged('own-unseen', day, wasHealedAndCounted);
    expect(code, text).to.equal(3);
    expect(result.verdict.outcome).to.equal('inconclusive');
    expect(finding(result, 'fault-effective')).to.match(/^inconclusive: .*nobody could see whether DNSChaos error took effect/);
    expect(finding(result, 'fault-healed')).to.match(/^inconclusive: .*nobody could see whether it lasted/);
    expect(finding(result, 'lost-writes'), 'what clients measure is told all the same').to.match(/^pass/);
    const client = await KubeClient.open(given().kubeconfig, 'us-central1');
    const left = await client.must<{ items: readonly object[] }>('GET', resourcePath(DNS_CHAOS, 'coditect'));
    expect(left.items).to.deep.equal([]);
  }).timeout(THREE_DAYS_MS);

  it('an action that only clusters know, and this one does not: refused by its own dry run, and nothing is begun', async () => {
    await deployed();
    const manifest = onlyThere('NetworkChaos', { action: 'delay', delay: { latency: '100ms' } });
    const { run, ended } = play('own-unknown', { manifest, expect: { outage: 'allowed' }, method: SHORT });
    const { code, text } = await ended;
    expect(code, text).to.equal(3);
    expect(text).to.match(/fault: the cluster of us-central1 does not take NetworkChaos only-there: .*delay/);
    expect(run.events().some((event) => event.kind === 'op' || event.kind === 'fault-planned')).to.equal(false);
  }).timeout(THREE_DAYS_MS);

  const cutFrom = (app: string, over: { readonly name?: string; readonly direction?: string } = {}): object => ({
    apiVersion: 'chaos-mesh.org/v1alpha1',
    kind: 'NetworkChaos',
    metadata: { name: over.name ?? 'cut', namespace: 'coditect' },
    spec: {
      action: 'partition',
      mode: 'all',
      selector: { labelSelectors: { app: 'api', region: REGION } },
      direction: over.direction ?? 'both',
      target: { mode: 'all', selector: { labelSelectors: { app } } },
    },
  });
  it('somebody’s own service loses much of what it sends to what it does not need: the probes count how much, during, until the heal, and that it is none after: pass; the probes end with the run', async () => {
    const { metadata, spec } = cutFrom('db', { direction: 'to' }) as { readonly metadata: object; readonly spec: object };
    const manifest = { ...cutFrom('db'), metadata, spec: { ...spec, action: 'loss', loss: { loss: '60' } } };
    const day = { manifest, expect: { outage: 'allowed' }, method: SHORT, probes: PROBES };
    const { code, text, result } = await judged('own-loss', day);
    expect(code, text).to.equal(0);
    expect(finding(result, 'fault-effective')).to.match(
      /^pass: .*3 directed links lose 60 % .*datagrams on 6 links \d+ were lost: [4-7]\d/,
    );
    expect(finding(result, 'fault-healed')).to.match(/^pass: .*on 6 links 0 were lost/);
    await untilNoProbeRuns();
  }).timeout(THREE_DAYS_MS);

  it('somebody’s own service is cut from what it needs, one way: the outage lasts as long as the cut, which is confirmed: fail', async () => {
    const manifest = cutFrom('dns', { direction: 'to' });
    const method = [{ observe: '3s' }];
    const day = { manifest, expect: { outage: 'expected' }, method, recoveryTime: '2s', probes: PROBES };
    const { code, text, result } = await judged('own-cut-needed', day);
    expect(code, text).to.equal(1);
    expect(finding(result, 'fault-effective'), text).to.match(
      /^pass: .*of 2 links in the cut 2 lose everything and 0 nothing, of \d+ outside it 0 everything/,
    );
    expect(finding(result, 'fault-healed')).to.match(/^pass/);
    expect(finding(result, 'recovery-time')).to.match(/^fail/);
  }).timeout(THREE_DAYS_MS);

  it('somebody’s own service, and a Chaos Mesh that only claims to have cut it: inconclusive, by what the probes saw', async () => {
    const manifest = cutFrom('db', { name: given().claimed });
    const day = { manifest, expect: { outage: 'allowed' }, method: SHORT, probes: PROBES };
    const { code, text, result } = await judged('own-cut-claimed', day, wasClaimed);
    expect(code, text).to.equal(3);
    expect(finding(result, 'fault-effective')).to.match(/^inconclusive: .*of 12 links in the cut 0 lose everything.*still passing/);
  }).timeout(THREE_DAYS_MS);

  it('somebody’s own service, and a probe that does not start, or none that the file allows: nothing is begun, with the reason', async () => {
    const manifest = cutFrom('db');
    const image = 'registry.example/none:1';
    for (const [name, probes, reason] of [
      ['own-no-image', { ...PROBES, image }, /no probe runs in coditect\/.*ErrImagePull: there are no images here but/],
      ['own-no-program', { ...PROBES, command: ['false'] }, /no probe runs in coditect\/.*it ended with 1 \(Error\)/],
      ['own-no-probe', undefined, /no probe of ours looks into the pods .*whether this took effect could not be confirmed/],
    ] as const) {
      const { run, ended } = play(name, { manifest, expect: { outage: 'allowed' }, ...(probes === undefined ? {} : { probes }) });
      const { code, text } = await ended;
      expect(code, text).to.equal(3);
      expect(run.result().verdict.reason).to.match(reason);
      expect(run.events().some((event) => event.kind === 'fault-planned' || event.kind === 'op')).to.equal(false);
    }
  });
}

/** Their containers stay in the pods' objects; nothing of ours runs in them any more. */
async function untilNoProbeRuns(): Promise<void> {
  const admin = await KubeClient.open('/run/lab/control-plane/cluster.kubeconfig', REGION);
  const limit = AbortSignal.timeout(60_000);
  for (;;) {
    const { items } = await admin.must<{ items: readonly KubePod[] }>('GET', resourcePath(PODS, 'coditect'), { signal: limit });
    const statuses = items.flatMap(({ status }) => status?.ephemeralContainerStatuses ?? []);
    if (statuses.length >= topology.pods.length && statuses.every(({ state }) => state.terminated?.exitCode === 0)) return;
    await sleep(100, undefined, { signal: limit });
  }
}

/** In place of a region's API: another program in that pod, with its disk. */
async function deploy(): Promise<void> {
  const admin = await KubeClient.open('/run/lab/control-plane/cluster.kubeconfig', REGION);
  const program = path.resolve(import.meta.dirname, 'notes-program.js');
  const command = [process.execPath, program, '0.0.0.0', String(PORT), '/run/pod/data/notes', `needs=${NEEDED.ipv4}:53`];
  const container = { name: 'api', command, readinessProbe: { tcpSocket: { port: PORT } } };
  const patch = { spec: { template: { spec: { containers: [container] } } } };
  const set = resourcePath(STATEFUL_SETS, 'coditect', POD.name.replace(/-0$/, ''));
  await admin.must('PATCH', set, { body: patch, contentType: 'application/strategic-merge-patch+json' });
  const limit = AbortSignal.timeout(60_000);
  const isNotes = ({ spec, status }: KubePod): boolean =>
    spec.containers[0]?.command?.includes(program) === true && status?.containerStatuses?.[0]?.ready === true;
  for (;;) {
    const { status, body } = await admin.ask<KubePod>('GET', resourcePath(PODS, 'coditect', POD.name), { signal: limit });
    if (status === 200 && isNotes(body)) return;
    await sleep(100, undefined, { signal: limit });
  }
}

const podChaos = (name: string, spec: object = {}): object => ({
  apiVersion: 'chaos-mesh.org/v1alpha1',
  kind: 'PodChaos',
  metadata: { name, namespace: 'coditect' },
  spec: { action: 'pod-kill', mode: 'all', selector: { labelSelectors: { app: 'api', region: REGION } }, ...spec },
});

const finding = ({ findings }: ResultDocument, check: string): string =>
  findings.flatMap((one) => (one.check === check ? [`${one.outcome}: ${one.message}`] : [])).join('; ');
