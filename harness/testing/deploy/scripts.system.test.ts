import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import { findBinaries, MISSING } from '../../platform/kubernetes/containerless/binaries.ts';
import { resourcePath, type KubeObject } from '../../platform/kubernetes/kube-object.ts';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { REGIONS, startTestPlane, type TestPlane } from './plane-for-tests.ts';
import { CLUSTER_WIDE, kustomize, PATH_WITH_BUILT, pathOf, type ShippedObject } from './shipped-objects.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
/** What deploy/kubernetes/README.md asks for before anything is applied. */
const SECRETS = ['dr-controller-tls', 'database-tls', 'api-tls', 'backup-signing'];
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'coditect' } };

interface Said {
  readonly code: number | null;
  readonly said: string;
}
interface SecretObject extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

/** The scripts of a deployment with the kubectl of this machine, on a real API server that runs no pod. */
describe('scripts that deploy, on a real API server', function () {
  this.timeout(300_000);
  let system: TestPlane;
  let objects: readonly ShippedObject[];

  before(async function () {
    requireSandbox();
    const binaries = findBinaries();
    const built = kustomize(path.join(ROOT, 'deploy/kubernetes/overlays/us-east1'));
    const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
    if (binaries === undefined || built === null || !kubectl) {
      process.stdout.write(`    skipped: ${binaries === undefined ? MISSING : built === null ? 'no kustomize' : 'no kubectl'}\n`);
      return this.skip();
    }
    objects = built;
    system = await startTestPlane(binaries, { limitMs: 110_000 });
  });
  after(() => system?.close());

  function script(name: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Said {
    const env = { ...process.env, PATH: PATH_WITH_BUILT, KUBECONFIG: system.plane.kubeconfigFile('cluster'), ...more };
    const { status, stdout, stderr } = spawnSync(path.join(ROOT, 'scripts', name), args, { encoding: 'utf8', env });
    return { code: status, said: `${stdout}${stderr}` };
  }
  const secretPath = (name: string): string => resourcePath({ apiVersion: 'v1', resource: 'secrets' }, 'coditect', name);
  const isThere = async (at: string): Promise<boolean> => (await system.admin.ask('GET', at)).status === 200;

  describe('enable-dr.sh', () => {
    const enable = (...args: readonly string[]): Said => script('enable-dr.sh', args);
    const controller = resourcePath({ apiVersion: 'apps/v1', resource: 'deployments' }, 'coditect', 'dr-controller');
    const APPLIED = /deployment\.apps\/dr-controller serverside-applied \(server dry run\)[\s\S]*nothing was changed/;

    it('--dry-run before anything is there: all is tried at the API server, nothing is made, not even the namespace', async () => {
      const { code, said } = enable('--dry-run');
      expect(code, said).to.equal(0);
      expect(said)
        .to.match(/us-east1: dr-controller-tls/)
        .and.to.match(/namespace coditect is not there yet/)
        .and.to.match(APPLIED);
      expect(await isThere(resourcePath({ apiVersion: 'v1', resource: 'namespaces' }, undefined, 'coditect'))).to.equal(false);
    });
    it('--dry-run with the namespace names the secrets that are missing and changes nothing', async () => {
      await system.admin.apply(resourcePath({ apiVersion: 'v1', resource: 'namespaces' }, undefined, 'coditect'), NAMESPACE);
      const { code, said } = enable('--dry-run');
      expect(code, said).to.equal(0);
      expect(said)
        .to.match(/us-east1: dr-controller-tls/)
        .and.to.match(APPLIED)
        .and.not.to.match(/not there yet/);
      expect(await isThere(controller)).to.equal(false);
    });
    it('applies nothing while a secret is missing', async () => {
      const { code, said } = enable();
      expect(code, said).to.equal(1);
      expect(said).to.match(/FAILED: secrets are missing/);
      expect(await isThere(controller)).to.equal(false);
    });
    it('applies a standby first, and stops at what is not rolled out: no pod runs here', async () => {
      for (const name of SECRETS)
        await system.admin.apply(secretPath(name), { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'coditect' } });
      const { code, said } = enable('--timeout', '2');
      expect(code, said).to.equal(1);
      expect(said).to.match(/FAILED: europe-west1: statefulset\/database was not rolled out in 2 s/);
      expect(said).not.to.match(/== us-/);
      expect(await isThere(controller)).to.equal(true);
    });
    it('--undo takes the programs away, again without harm, and leaves namespace, secrets and volumes', async () => {
      for (let time = 1; time <= 2; time++) {
        const { code, said } = enable('--undo', 'europe-west1');
        expect(code, said).to.equal(0);
        expect(said).to.match(/taken away; left: .*and the secrets/);
      }
      for (const one of objects.filter(({ kind }) => !CLUSTER_WIDE.has(kind)))
        expect(await isThere(pathOf(one)), `${one.kind} ${one.metadata.name}`).to.equal(false);
      for (const name of SECRETS) expect(await isThere(secretPath(name)), name).to.equal(true);
    });
    it('an API server that does not answer is named, and nothing is changed', async () => {
      await system.plane.killApiServer();
      try {
        const { code, said } = enable('us-east1');
        expect(code, said).to.equal(1);
        expect(said).to.match(/FAILED: us-east1: the API server does not answer/);
      } finally {
        await system.plane.startApiServer(AbortSignal.timeout(110_000));
      }
    });
  });

  describe('kind secrets', () => {
    const read = async (name: string): Promise<Readonly<Record<string, string>>> => {
      const { data } = await system.admin.must<SecretObject>('GET', secretPath(name));
      return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')]));
    };

    it('makes what every pod of deploy/kind mounts, of one authority, with the names that others call it by; a second time replaces it', async () => {
      const work = path.join(system.folder, 'kind');
      mkdirSync(work);
      cpSync(system.plane.kubeconfigFile('cluster'), path.join(work, 'kubeconfig'));
      const scratch = path.join(system.folder, 'scratch');
      mkdirSync(scratch);
      const signing: (string | undefined)[] = [];
      for (let time = 1; time <= 2; time++) {
        const { code, said } = script('kind', ['secrets'], { KIND_WORK: work, TMPDIR: scratch });
        expect(code, said).to.equal(0);
        expect(readdirSync(scratch), 'the keys of the authorities are nowhere any more').to.deep.equal([]);
        signing.push((await read('backup-signing'))['key.pem']);
      }
      expect(signing[0]).to.match(/^-----BEGIN PRIVATE KEY/);
      expect(signing[1])
        .to.match(/^-----BEGIN PRIVATE KEY/)
        .and.not.to.equal(signing[0]);
      expect(await read('backup-signing')).to.have.all.keys('key.pem', 'trusted.pem', 'backup-key');
      expect((await read('knot'))['knot.conf']).to.include((await read('dr-controller-tls-us-east1'))['tsig'] as string);
      for (const region of REGIONS)
        for (const [role, service] of [
          ['dr-controller', 'dr-controller'],
          ['database', 'database'],
          ['api', 'api'],
          ['etcd', 'etcd'],
        ] as const) {
          const files = await read(`${role}-tls-${region}`);
          const leaf = new X509Certificate(files['tls.crt'] as string);
          expect(leaf.subject).to.equal(`CN=${role === 'dr-controller' ? 'controller' : role}.${region}`);
          expect(leaf.checkHost(`${service}-${region}.coditect.svc`), leaf.subjectAltName).to.be.a('string');
          const [, issuer] = (files['tls.crt'] as string).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
          const root = new X509Certificate(files['ca.crt'] as string);
          const above = issuer === undefined ? root : new X509Certificate(issuer);
          expect(leaf.verify(above.publicKey), `${role} ${region}`).to.equal(true);
          expect(above.verify(root.publicKey), `${role} ${region}: the authority above`).to.equal(true);
          expect(issuer === undefined, 'only the arbiter trusts an authority of its own').to.equal(role === 'api');
        }
      const apis = new X509Certificate((await read('api-tls-us-central1'))['tls.crt'] as string);
      expect(apis.checkIP('127.0.0.1'), 'clients on this machine call its node port').to.equal('127.0.0.1');
      const [ca, client] = ['ca.crt', 'tls.crt'].map((file) => new X509Certificate(readFileSync(path.join(work, 'client', file))));
      expect(client?.subject).to.equal('CN=client.outside');
      expect(client?.verify((ca as X509Certificate).publicKey)).to.equal(true);
      const mounted = REGIONS.flatMap((region) => kindObjects(work, region).flatMap((one) => secretsOf(one)));
      expect(mounted.length).to.be.greaterThan(10);
      for (const name of new Set(mounted)) expect(await isThere(secretPath(name)), name).to.equal(true);
    });

    function kindObjects(work: string, region: string): readonly ShippedObject[] {
      expect(script('kind', ['render'], { KIND_WORK: work }).code).to.equal(0);
      return kustomize(path.join(work, region)) ?? [];
    }
    /** Names of the secrets that its pods mount. */
    function secretsOf(object: ShippedObject): readonly string[] {
      const { template } =
        (object as { spec?: { template?: { spec?: { volumes?: readonly { secret?: { secretName: string } }[] } } } }).spec ?? {};
      return (template?.spec?.volumes ?? []).flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName]));
    }
  });
});
