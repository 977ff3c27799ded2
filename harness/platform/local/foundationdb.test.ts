import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { clusterFile, databaseSection, regionsFile, serverCommand } from './foundationdb.ts';
import { podNamed, threeRegions, type Topology } from './topology.ts';

const lab = threeRegions({ database: 'foundationdb' });
const at = (topology: Topology) => ({ topology, podRoot: '/run/pod' });

describe('FoundationDB of a lab', () => {
  it('has a coordinator in every region, so that a majority is left without any one of them', () => {
    expect(clusterFile(lab)).to.equal('lab:gameday@10.77.1.17:4500,10.77.2.17:4500,10.77.3.17:4500\n');
  });

  it('tells each server its region as data centre, and its pod as machine and zone: two processes never share one', () => {
    const places = lab.pods
      .filter(({ app }) => app === 'fdb')
      .map((pod) => serverCommand(pod, { fdbserver: '/x/fdbserver' }, at(lab)).filter((word) => word.startsWith('--locality_')));
    expect(places[0]).to.deep.equal([
      '--locality_dcid=us-central1',
      '--locality_zoneid=fdb-us-central1',
      '--locality_machineid=fdb-us-central1',
    ]);
    expect(places).to.have.length(6);
    expect(new Set(places.map(([, zone]) => zone)).size).to.equal(6);
    expect(serverCommand(podNamed(lab, 'fdb-2-us-east1'), { fdbserver: '/x/fdbserver' }, at(lab)).join(' ')).to.match(
      /^\/x\/fdbserver -C \/run\/pod\/fdb\.cluster -p 10\.77\.2\.18:4500 -l public -d \/run\/pod\/data /,
    );
  });

  it('of two regions is configured as it is deployed, its third region a satellite that holds logs', () => {
    const two = threeRegions({ database: 'foundationdb', foundationdb: 'two_regions' });
    const { regions } = JSON.parse(readFileSync(path.resolve('deploy/foundationdb/regions.json'), 'utf8')) as { regions: unknown };
    expect(JSON.parse(regionsFile(two) ?? '')).to.deep.equal({
      redundancy_mode: 'double',
      storage_engine: 'ssd-2',
      usable_regions: 2,
      regions,
    });
    expect(regionsFile(lab)).to.equal(null);
    const isLog = (topology: Topology, pod: string): boolean =>
      serverCommand(podNamed(topology, pod), { fdbserver: 'x' }, at(topology)).join(' ').includes(' -c log ');
    expect(isLog(two, 'fdb-2-europe-west1')).to.equal(true);
    expect(isLog(two, 'fdb-us-east1') || isLog(lab, 'fdb-2-europe-west1')).to.equal(false);
  });

  it('names the same data centres to the engine', () => {
    expect(databaseSection(lab, { library: '/x/libfdb_c.so', fdbcli: 'fdbcli' })).to.deep.include({
      data_centers: { 'us-central1': 'us-central1', 'us-east1': 'us-east1', 'europe-west1': 'europe-west1' },
      client_library: '/x/libfdb_c.so',
    });
    expect(databaseSection(lab, { library: null, fdbcli: 'fdbcli' })).not.to.have.property('client_library');
  });
});
