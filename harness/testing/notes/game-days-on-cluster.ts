import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { clusterTopology } from '../../platform/kubernetes/containerless/lab-objects.ts';
import { KubeClient } from '../../platform/kubernetes/kube-client.ts';
import { PODS, resourcePath, type KubePod } from '../../platform/kubernetes/kube-object.ts';
import { podOf } from '../../platform/local/topology.ts';
import type { ResultDocument } from '../../report/result-shape.ts';
import { NOTES_LEDGER } from './notes-description.ts';
import { startRun, type Ended, type Run } from '../../commands/testing/gameday-program.ts';

const STATEFUL_SETS = { apiVersion: 'apps/v1', resource: 'statefulsets' };
const PORT = 8080;
/** Whose API becomes somebody's own service. */
const REGION = 'us-central1';
const topology = clusterTopology(1);
const POD = podOf(topology, 'api', REGION);

/** The cluster that the tests are given: one that only claims to perform experiments of this name. */
export interface ClusterUnderTest {
  readonly kubeconfig: string;
  readonly folder: string;
  readonly claimed: string;
}

/** Faults on a service that no lab started and that has nothing of the engine's contract, in a cluster of which only the API server is known. Defines its tests where it is called; the cluster's engine is not whole after them. */
export function itBreaksOwnServices(given: () => ClusterUnderTest): void {
  function play(name: string, { manifest, expect: expected }: { manifest: object; expect: object }): { run: Run; ended: Promise<Ended> } {
    const file = path.join(given().folder, `${name}.yaml`);
    const manifestFile = path.join(given().folder, `${name}-manifest.yaml`);
    writeFileSync(manifestFile, stringify(manifest));
    const scenario = {
      name,
      question: 'Does the service come back with everything when its pod is killed?',
      workload: { period: '25ms', timeout: '3s', goodWithin: '1500ms', sustained: { operations: 10, for: '1s' } },
      steady: '1s',
      method: [{ inject: 'kill', manifest: manifestFile }, { awaitRecovery: '20s' }, { observe: '1s' }, { heal: 'kill' }],
      settle: '1s',
      expect: { failover: 'allowed', loss: 'none', mustRecover: ['outside'], ...expected },
      targets: { recoveryTime: '20s', recoveryPoint: '0s', lostWrites: 0 },
    };
    writeFileSync(file, stringify(scenario));
    const url = `http://${POD.ipv4}:${PORT}`;
    const system = path.join(given().folder, `${name}-system.yaml`);
    const regions = { 'us-central1': { context: 'us-central1' } };
    const service = { clients: { outside: url, 'us-central1': url }, ledger: NOTES_LEDGER };
    writeFileSync(system, stringify({ kubeconfig: given().kubeconfig, regions, namespaces: ['coditect'], service }));
    const run = startRun(['--system', system, file], path.join(given().folder, name));
    return { run, ended: run.ended };
  }

  it('somebody’s own service: its pod is killed without grace, the node says so, clients see the outage and its end, and nothing is lost: pass', async () => {
    await deploy();
    const { run, ended } = play('own-killed', { manifest: podChaos('kill'), expect: { outage: 'expected' } });
    const { code, text } = await ended;
    const result = run.result();
    expect(code, text).to.equal(0);
    expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
    expect(result.scenario.platform).to.equal('kubernetes');
    for (const check of ['fault-effective', 'fault-healed', 'outage-seen', 'lost-writes']) expect(finding(result, check)).to.match(/^pass/);
    expect(result.recovery.state).to.equal('recovered');
  });

  it('somebody’s own service, and a Chaos Mesh that only claims to have killed it: inconclusive', async () => {
    const manifest = podChaos(given().claimed, { action: 'container-kill', containerNames: ['api'] });
    const { run, ended } = play('own-claimed', { manifest, expect: { outage: 'allowed' } });
    const { code, text } = await ended;
    expect(code, text).to.equal(3);
    expect(run.events().some((event) => event.kind === 'fault-injected')).to.equal(true);
    expect(finding(run.result(), 'fault-effective')).to.match(/^inconclusive: .*still there/);
  });

  it('somebody’s own service: what nobody could see there is not begun, a partition is refused with the reason', async () => {
    const selector = { labelSelectors: { app: 'api', region: REGION } };
    const target = { mode: 'all', selector: { labelSelectors: { app: 'db' } } };
    const spec = { action: 'partition', mode: 'all', selector, direction: 'both', target };
    const manifest = {
      apiVersion: 'chaos-mesh.org/v1alpha1',
      kind: 'NetworkChaos',
      metadata: { name: 'cut', namespace: 'coditect' },
      spec,
    };
    const { run, ended } = play('own-cut', { manifest, expect: { outage: 'allowed' } });
    const { code, text } = await ended;
    expect(code, text).to.equal(3);
    expect(run.result().verdict.reason).to.match(/no probe of ours looks into the pods: whether this took effect could not be confirmed/);
    expect(run.events().some((event) => event.kind === 'fault-planned' || event.kind === 'op')).to.equal(false);
  });
}

/** In place of a region's API: another program in that pod, with its disk. */
async function deploy(): Promise<void> {
  const admin = await KubeClient.open('/run/lab/control-plane/cluster.kubeconfig', REGION);
  const program = path.resolve(import.meta.dirname, 'notes-program.js');
  const command = [process.execPath, program, '0.0.0.0', String(PORT), '/run/pod/data/notes'];
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
