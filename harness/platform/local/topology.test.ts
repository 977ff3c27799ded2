import { expect } from 'chai';
import { podNamed, podOf, resolverOf, threeRegions } from './topology.ts';

describe('topology', () => {
  const lab = threeRegions();

  it('has three regions of six pods and four pods outside', () => {
    expect(lab.pods).to.have.lengthOf(22);
    for (const region of lab.regions) expect(lab.pods.filter((pod) => pod.region === region)).to.have.lengthOf(6);
    expect(lab.pods.filter((pod) => pod.region === 'outside').map((pod) => pod.name)).to.have.members([
      'dns',
      'resolver-outside',
      'client-outside',
      'operator',
    ]);
  });

  it('gives every pod its own addresses, interface and namespace', () => {
    for (const field of ['name', 'ipv4', 'ipv6', 'bridgePort', 'mac', 'netns'] as const) {
      expect(new Set(lab.pods.map((pod) => pod[field])).size, field).to.equal(lab.pods.length);
    }
    for (const pod of lab.pods) expect(pod.bridgePort.length, pod.bridgePort).to.be.below(16);
  });

  it('labels pods as the manifests select them', () => {
    expect(podNamed(lab, 'api-us-central1').labels).to.deep.equal({ app: 'api', region: 'us-central1' });
  });

  it('follows the address plan of ARCHITECTURE §2', () => {
    const db = podOf(lab, 'db', 'us-east1');
    expect([db.ipv4, db.ipv6]).to.deep.equal(['10.77.2.11', 'fd77::2:11']);
    expect(podNamed(lab, 'dns').ipv4).to.equal('10.77.9.53');
  });

  it('resolves through the own region', () => {
    expect(resolverOf(lab, podNamed(lab, 'client-us-east1')).name).to.equal('resolver-us-east1');
    expect(resolverOf(lab, podNamed(lab, 'operator')).name).to.equal('resolver-outside');
  });

  it('refuses a pod that it does not have', () => {
    expect(() => podNamed(lab, 'nobody')).to.throw(RangeError, 'no pod nobody');
  });

  it('has a second controller in each region where it is asked for, beside the first', () => {
    const pods = threeRegions({ controllersPerRegion: 2 }).pods.filter((pod) => pod.app === 'dr-controller');
    expect(pods.map(({ name }) => name)).to.include.members(['dr-controller-us-east1', 'dr-controller-2-us-east1']);
    expect(pods).to.have.length(6);
    const all = threeRegions({ controllersPerRegion: 2 }).pods;
    for (const unique of ['name', 'ipv4', 'ipv6', 'netns', 'bridgePort', 'mac'] as const)
      expect(new Set(all.map((pod) => pod[unique])).size, unique).to.equal(all.length);
    expect(podOf(threeRegions({ controllersPerRegion: 2 }), 'dr-controller', 'us-east1').name).to.equal('dr-controller-us-east1');
  });

  it('has two FoundationDB servers in each region where that is the database, as the manifests of a region select them', () => {
    const { pods } = threeRegions({ database: 'foundationdb' });
    const servers = pods.filter(({ app }) => app === 'fdb');
    expect(servers.map(({ name }) => name)).to.include.members(['fdb-us-east1', 'fdb-2-us-east1']);
    expect(servers).to.have.length(6);
    for (const { labels, region } of servers) expect(labels).to.deep.equal({ app: 'fdb', region });
    for (const unique of ['name', 'ipv4', 'ipv6', 'netns', 'bridgePort', 'mac'] as const)
      expect(new Set(pods.map((pod) => pod[unique])).size, unique).to.equal(pods.length);
    expect(threeRegions({ database: 'embedded' }).pods.some(({ app }) => app === 'fdb')).to.equal(false);
  });
});
