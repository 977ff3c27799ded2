import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { CHAOS, PODS, WITH_FOUNDATIONDB, WITH_BACKUPS, chaos, names, cutLinks } from '../../testing/planned-fault.ts';

describe('chaos/', () => {
  const files = readdirSync(CHAOS).filter((file) => file.endsWith('.yaml'));
  for (const file of files)
    it(`${file} decodes and selects pods of the lab`, () => {
      const pods = file.startsWith('backup-') ? WITH_BACKUPS : file.startsWith('foundationdb-') ? WITH_FOUNDATIONDB : PODS;
      const plan = chaos(file, { pods });
      expect(plan.sources).to.not.be.empty;
      expect(plan.primitives).to.not.be.empty;
    });

  it('region-loss takes the FoundationDB servers of the region with it, foundationdb-loss nothing else', () => {
    const servers = ['fdb-2-us-central1', 'fdb-us-central1'];
    expect(chaos('region-loss.yaml', { pods: WITH_FOUNDATIONDB }).sources.map(({ pod }) => pod)).to.include.members(servers);
    expect(chaos('foundationdb-loss.yaml', { pods: WITH_FOUNDATIONDB }).sources.map(({ pod }) => pod)).to.have.members(servers);
  });

  it('network-partition cuts us-central1 from us-east1, all pods, both ways, and nothing else', () => {
    const plan = chaos('network-partition.yaml');
    const region = (name: string): string => PODS.find((pod) => pod.name === name)?.region ?? '';
    const expected = PODS.flatMap((from) =>
      PODS.filter((to) => [from.region, to.region].sort().join() === 'us-central1,us-east1').map((to) => `${from.name}>${to.name} 4+6`),
    );
    expect([...cutLinks(plan)].sort()).to.deep.equal(expected.sort());
    expect(expected).to.have.length(72);
    expect(plan.sources.every((one) => region(one.pod) === 'us-central1')).to.equal(true);
    expect(plan.notes.join('\n')).to.match(/target\.mode` is missing; taken as `all`/);
  });

  it('region-isolation cuts the region, its client included, from all other pods, DNS and the outside client included', () => {
    const links = cutLinks(chaos('region-isolation.yaml'));
    expect(links).to.have.length(2 * 6 * 16);
    expect(links).to.include.members([
      'client-us-central1>dns 4+6',
      'client-outside>api-us-central1 4+6',
      'resolver-us-central1>dns 4+6',
      'resolver-outside>api-us-central1 4+6',
      'etcd-us-central1>etcd-europe-west1 4+6',
    ]);
    expect(links.filter((link) => /us-central1>\S*us-central1/.test(link))).to.deep.equal([]);
  });

  it('region-loss and standby-loss take the whole region but its client', () => {
    const lost = (region: string): string => ['api', 'db', 'dr-controller', 'etcd', 'resolver'].map((app) => `${app}-${region}`).join(' ');
    expect(names(chaos('region-loss.yaml').sources)).to.equal(lost('us-central1'));
    expect(names(chaos('standby-loss.yaml').sources)).to.equal(lost('us-east1'));
    expect(chaos('region-loss.yaml').primitives[0]).to.include({ act: 'pod-hold' });
  });

  it('database-kill and controller-kill take one pod', () => {
    expect(chaos('database-kill.yaml').primitives).to.deep.equal([{ act: 'pod-kill', pods: ['db-us-central1'], graceMs: 0 }]);
    expect(names(chaos('controller-kill.yaml').sources)).to.match(/^dr-controller-[a-z0-9-]+$/);
  });
});
