import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import { findBinaries, MISSING } from '../../platform/kubernetes/containerless/binaries.ts';
import { requireSandbox } from '../../platform/local/testing/require-sandbox.ts';
import { REGION, REGIONS, startTestPlane, type TestPlane } from './plane-for-tests.ts';
import { kustomize, pathOf, type ShippedObject } from './shipped-objects.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const OVERLAYS = path.join(ROOT, 'deploy/kubernetes/overlays');
/** Fields of the kinds that are shipped which came after Kubernetes 1.28 (its release notes): the server here is newer, and takes them. */
const AFTER_1_28 = new Set([
  'appArmorProfile',
  'clusterTrustBundle',
  'ipMode',
  'mismatchLabelKeys',
  'recursiveReadOnly',
  'sleep',
  'supplementalGroupsPolicy',
  'trafficDistribution',
  'volumeAttributesClassName',
]);

/** The name of every field in it, however deep. */
const fieldsOf = (value: unknown): readonly string[] =>
  Array.isArray(value)
    ? value.flatMap(fieldsOf)
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, of]) => [name, ...fieldsOf(of)])
      : [];

describe('objects of deploy/ on a real API server', function () {
  this.timeout(180_000);
  let system: TestPlane;
  let objects: readonly ShippedObject[];

  before(async function () {
    requireSandbox();
    const binaries = findBinaries();
    const built = kustomize(path.join(OVERLAYS, REGION));
    if (binaries === undefined || built === null) {
      process.stdout.write(`    skipped: ${binaries === undefined ? MISSING : 'no kustomize (./scripts/setup --with-kubernetes)'}\n`);
      return this.skip();
    }
    objects = built;
    system = await startTestPlane(binaries, { limitMs: 110_000 });
  });
  after(() => system?.close());

  async function accepts(one: ShippedObject, of: string): Promise<void> {
    const { status, body } = await system.admin.ask('PATCH', pathOf(one), {
      query: { fieldManager: 'coditect-dr', fieldValidation: 'Strict', dryRun: 'All', force: true },
      contentType: 'application/apply-patch+yaml',
      body: one,
    });
    expect(status, `${of}: ${one.kind} ${one.metadata.name}: ${JSON.stringify(body)}`).to.be.oneOf([200, 201]);
  }

  it('every object of every overlay is accepted with strict validation, and of two regions only the names of the region differ', async () => {
    for (const region of REGIONS) {
      const built = kustomize(path.join(OVERLAYS, region)) ?? [];
      expect(built.length).to.be.greaterThan(20);
      // The namespace first, for real: without it nothing else could be tried.
      for (const one of built.filter(({ kind }) => kind === 'Namespace')) await system.admin.apply(pathOf(one), one);
      for (const one of built) {
        await accepts(one, region);
        expect(
          fieldsOf(one).filter((field) => AFTER_1_28.has(field)),
          `${one.kind} ${one.metadata.name}`,
        ).to.deep.equal([]);
      }
      const same = JSON.stringify(built)
        .replaceAll(region, 'REGION')
        .replaceAll(/region-[a-z0-9]+/g, 'region-HASH');
      const reference = JSON.stringify(objects)
        .replaceAll(REGION, 'REGION')
        .replaceAll(/region-[a-z0-9]+/g, 'region-HASH');
      expect(same.length, region).to.be.closeTo(reference.length, 60);
    }
  });

  it('so is every object that scripts/kind applies, and each region has names of its own', async () => {
    const work = path.join(system.folder, 'kind');
    const { status, stderr } = spawnSync(path.join(ROOT, 'scripts/kind'), ['render'], {
      encoding: 'utf8',
      env: { ...process.env, KIND_WORK: work },
    });
    expect(status, stderr).to.equal(0);
    const outside = kustomize(path.join(ROOT, 'deploy/kind/services')) ?? [];
    for (const one of outside.filter(({ kind }) => kind === 'Namespace')) await system.admin.apply(pathOf(one), one);
    for (const one of outside) await accepts(one, 'services');
    const names: string[] = [];
    for (const region of REGIONS) {
      const built = kustomize(path.join(work, region)) ?? [];
      expect(JSON.stringify(built)).not.to.match(/\b(REGION|NUMBER|BASE)\b/);
      for (const one of built) await accepts(one, region);
      names.push(...built.filter(({ kind }) => kind !== 'Namespace').map(({ kind, metadata }) => `${kind} ${metadata.name}`));
    }
    expect(names.length).to.be.greaterThan(60);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('refuses an object with a field that is none', async () => {
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as ShippedObject;
    const query = { fieldManager: 'coditect-dr', fieldValidation: 'Strict', dryRun: 'All', force: true };
    const { status } = await system.admin.ask('PATCH', pathOf(deployment), {
      query,
      contentType: 'application/apply-patch+yaml',
      body: { ...deployment, spec: { ...(deployment as unknown as { spec: object }).spec, replica: 2 } },
    });
    expect(status).to.be.oneOf([400, 422, 500]);
  });
});
