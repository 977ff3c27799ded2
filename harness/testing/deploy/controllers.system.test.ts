import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { findBinaries, MISSING } from '../../platform/kubernetes/containerless/binaries.ts';
import type { ControlPlane } from '../../platform/kubernetes/containerless/control-plane.ts';
import type { KubeClient } from '../../platform/kubernetes/kube-client.ts';
import { resourcePath, type KubeObject } from '../../platform/kubernetes/kube-object.ts';
import type { PodProgram } from '../../platform/platform.ts';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { startTestLab, type TestLab } from './lab-for-tests.ts';
import { REGION, startTestPlane, type TestPlane } from './plane-for-tests.ts';
import { kustomize, pathOf, type ShippedObject as Document } from './shipped-objects.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const ENGINE = path.join(ROOT, 'dist/src/main.js');
const LIMIT_MS = 60_000;
const { signal } = new AbortController();

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
type Role = Document & { readonly rules: readonly Rule[] };
type Deployment = Document & { readonly spec: { readonly replicas: number } };

describe('deploy/kubernetes on a real API server', function () {
  this.timeout(180_000);
  let system: TestLab;
  let server: TestPlane;
  let plane: ControlPlane;
  let admin: KubeClient;
  let objects: readonly Document[];

  before(async function () {
    requireSandbox();
    const binaries = findBinaries();
    const built = kustomize(path.join(ROOT, 'deploy/kubernetes/overlays', REGION));
    if (binaries === undefined || built === null) {
      process.stdout.write(`    skipped: ${binaries === undefined ? MISSING : 'no kustomize (./scripts/setup --with-kubernetes)'}\n`);
      return this.skip();
    }
    objects = built;
    system = await startTestLab(signal);
    // On the bridge: the runner's own address, which pods reach and no fault touches.
    const host = system.lab.topology.bridge.ipv4;
    server = await startTestPlane(binaries, { host, limitMs: 60_000 });
    ({ plane, admin } = server);
  });
  after(async () => {
    await server?.close();
    await system?.close();
  });

  describe('controllers with the rights that are shipped', () => {
    const started = new Set<PodProgram>();
    let shipped: Role;

    before(async () => {
      for (const kind of ['Namespace', 'ServiceAccount', 'Role', 'RoleBinding', 'Deployment'])
        for (const one of objects.filter((each) => each.kind === kind)) await admin.apply(pathOf(one), one);
      for (const name of ['a', 'b']) await admin.apply(podPath(name), pod(name));
      shipped = objects.find(({ kind }) => kind === 'Role') as Role;
    });
    afterEach(async () => {
      for (const program of started) program.kill();
      await Promise.all([...started].map((program) => program.exited));
      started.clear();
      await admin.apply(pathOf(shipped), shipped);
      await admin.ask('DELETE', leasePath);
    });

    const leasePath = resourcePath({ apiVersion: 'coordination.k8s.io/v1', resource: 'leases' }, 'coditect', 'dr-controller');
    const deploymentPath = resourcePath({ apiVersion: 'apps/v1', resource: 'deployments' }, 'coditect', 'api');
    const podPath = (name: string): string => resourcePath({ apiVersion: 'v1', resource: 'pods' }, 'coditect', name);
    const pod = (name: string): Document => {
      const securityContext = { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } };
      const container = {
        name: 'controller',
        image: 'coditect-dr',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      };
      return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels: { app: 'dr-controller' } },
        spec: { securityContext, containers: [container] },
      } as Document;
    };

    interface Started {
      readonly program: PodProgram;
      readonly lines: { readonly action: string; readonly details: Readonly<Record<string, unknown>> }[];
      readonly pid: Promise<number>;
    }

    /** One more controller of the region, in the pod of the one that is there, as its service account. */
    async function start(name: string, port: number): Promise<Started> {
      const account = resourcePath({ apiVersion: 'v1', resource: 'serviceaccounts' }, 'coditect', 'dr-controller');
      const { status } = await admin.must<{ status: { token: string } }>('POST', `${account}/token`, {
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      const cluster = { server: plane.server, 'certificate-authority-data': Buffer.from(plane.identities.caPem).toString('base64') };
      const kubeconfig = stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: { token: status.token } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'coditect' } }],
        'current-context': 'x',
      });
      const workloads = [{ deployment: 'api', primary_replicas: 3, standby_replicas: 1 }];
      const settings = { namespace: 'coditect', pod: name, lease_seconds: 6, renew_seconds: 0.5, probe_port: port + 1, workloads };
      const script = `umask 077; printf %s "$1" > /run/pod/${name}.kubeconfig
        export KUBECONFIG=/run/pod/${name}.kubeconfig CODITECT_DR_LISTEN_PORT=${port} CODITECT_DR_KUBERNETES="$2"
        echo "{\\"action\\":\\"pid\\",\\"details\\":{\\"pid\\":$$}}"; exec "$3" --enable-source-maps "$4" controller --platform kubernetes --config config.yaml`;
      const args = ['-c', script, 'bash', kubeconfig, JSON.stringify(settings), process.execPath, ENGINE];
      const program = system.lab.runInPod(`dr-controller-${REGION}`, 'bash', args);
      started.add(program);
      const lines: Started['lines'] = [];
      const pid = Promise.withResolvers<number>();
      program.onMessage((message) => {
        const line = message as Started['lines'][number];
        if (line.action === 'pid') pid.resolve(Number(line.details['pid']));
        lines.push(line);
      });
      return { program, lines, pid: pid.promise };
    }

    async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
      for (let waitedMs = 0; ; waitedMs += 100) {
        const seen = await look();
        if (seen !== undefined && seen !== false) return seen;
        if (waitedMs > LIMIT_MS) throw new Error(`not seen: ${what}`);
        await sleep(100);
      }
    }
    const said = (of: Started, action: string) => until(action, () => of.lines.find((line) => line.action === action));
    const holder = async (): Promise<string | undefined> => {
      const { body } = await admin.ask<{ spec?: { holderIdentity?: string } }>('GET', leasePath);
      return body.spec?.holderIdentity;
    };
    const active = async (): Promise<readonly string[]> => {
      const query = { labelSelector: 'dr.coditect.com/active=true' };
      const { items } = await admin.must<{ items: KubeObject[] }>('GET', resourcePath({ apiVersion: 'v1', resource: 'pods' }, 'coditect'), {
        query,
      });
      return items.map(({ metadata }) => metadata.name);
    };
    /** As the API server decides it now: a Role that was just changed is in force a moment later. */
    async function mayController(verb: string, { apiGroups: [group], resources: [resource], resourceNames }: Rule): Promise<boolean> {
      const apiVersion = 'authorization.k8s.io/v1';
      const [name] = resourceNames ?? [];
      const resourceAttributes = { namespace: 'coditect', verb, group, resource, ...(name === undefined ? {} : { name }) };
      const spec = { user: 'system:serviceaccount:coditect:dr-controller', resourceAttributes };
      const reviews = resourcePath({ apiVersion, resource: 'subjectaccessreviews' });
      const body = { apiVersion, kind: 'SubjectAccessReview', spec };
      return (await admin.must<{ status: { allowed: boolean } }>('POST', reviews, { body })).status.allowed;
    }
    const api = (): Promise<Deployment> => admin.must<Deployment>('GET', deploymentPath);

    it('elect one, size the region for its role, hand over on SIGTERM, and go on without the API server', async () => {
      const [a, b] = [await start('a', 9543), await start('b', 9643)];
      const first = await until('a holder', holder);
      await until('its label alone', async () => (await active()).join() === first);
      const [one, other] = first === 'a' ? [a, b] : [b, a];
      await until('a standby', async () => (await api()).metadata.annotations?.['dr.coditect.com/role'] === 'standby');
      expect((await api()).spec.replicas).to.equal(1);
      expect(other.lines.some(({ action }) => action === 'lease_held')).to.equal(false);

      const moved = await system.shell(`coditect-dr switchover --target=${REGION}`, 30);
      expect(moved.code, moved.output).to.equal(0);
      const primary = await until('a primary', async () => {
        const now = await api();
        return now.metadata.annotations?.['dr.coditect.com/role'] === 'primary' && now;
      });
      expect(primary.spec.replicas).to.equal(3);
      expect(Number(primary.metadata.annotations?.['dr.coditect.com/epoch'])).to.be.at.least(2);
      expect(primary.metadata.annotations?.['deployment.kubernetes.io/revision'], 'nothing else was touched').to.equal(undefined);

      await plane.killApiServer();
      await said(one, 'kubernetes_unreachable');
      const before = one.lines.length;
      await sleep(7000); // longer than the Lease
      expect(one.lines.slice(before).map(({ action }) => action))
        .not.to.include('lease_taken')
        .and.not.to.include('stopped');
      await plane.startApiServer(AbortSignal.timeout(60_000));
      await said(one, 'kubernetes_reached');

      process.kill(await one.pid, 'SIGTERM');
      const next = first === 'a' ? 'b' : 'a';
      expect((await one.program.exited).code).to.equal(0);
      expect(await holder(), 'given back, not waited out').to.be.oneOf([undefined, '', next]);
      await until('the other', async () => (await holder()) === next && (await active()).join() === next);
    });

    it('need each right: with any one missing something that names it fails', async () => {
      const singles = shipped.rules.flatMap((rule, i) => rule.verbs.map((verb) => ({ i, verb, resource: rule.resources.join() })));
      expect(singles.length).to.be.greaterThan(6);
      for (const { i, verb, resource } of singles) {
        const rules = shipped.rules.map((rule, at) => (at === i ? { ...rule, verbs: rule.verbs.filter((each) => each !== verb) } : rule));
        await admin.apply(pathOf(shipped), { ...shipped, rules: rules.filter(({ verbs }) => verbs.length > 0) });
        await until(`no right to ${verb} ${resource}`, async () => !(await mayController(verb, shipped.rules[i] as Rule)));
        await admin.ask('DELETE', leasePath);
        await admin.merge(deploymentPath, { metadata: { annotations: { 'dr.coditect.com/role': null, 'dr.coditect.com/epoch': null } } });
        await admin.merge(podPath('a'), { metadata: { labels: { 'dr.coditect.com/active': null } } });
        const a = await start('a', 9543);
        await until(`a complaint that the controller cannot ${verb} ${resource}`, () =>
          a.lines.find(
            ({ action, details }) =>
              /kubernetes_unreachable|workload_failed/.test(action) &&
              JSON.stringify(details).includes(`cannot ${verb} resource \\"${resource}\\"`),
          ),
        );
        a.program.kill();
        await a.program.exited;
        started.delete(a.program);
      }
    });
  });
});
