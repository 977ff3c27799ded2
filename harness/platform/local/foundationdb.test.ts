import { expect } from 'chai';
import { clusterFile, databaseSection, serverCommand, whatIsMissing } from './foundationdb.ts';
import { podNamed, threeRegions } from './topology.ts';

const lab = threeRegions({ database: 'foundationdb' });

/** As FoundationDB tells it, with two processes in each of these data centres. */
function status(dcs: readonly string[], change: object = {}) {
  const processes = dcs.flatMap((dcid) => [0, 1].map((n) => [`${dcid}-${n}`, { locality: { dcid } }] as const));
  const cluster = {
    processes: Object.fromEntries(processes),
    recovery_state: { name: 'fully_recovered' },
    data: { state: { healthy: true, name: 'healthy' } },
  };
  return { cluster: { ...cluster, ...change } };
}

describe('FoundationDB of a lab', () => {
  it('has a coordinator in every region, so that a majority is left without any one of them', () => {
    expect(clusterFile(lab)).to.equal('lab:gameday@10.77.1.17:4500,10.77.2.17:4500,10.77.3.17:4500\n');
  });

  it('tells each server its region as data centre, and its pod as machine and zone: two processes never share one', () => {
    const places = lab.pods
      .filter(({ app }) => app === 'fdb')
      .map((pod) => serverCommand(pod, { fdbserver: '/x/fdbserver' }, '/run/pod').filter((word) => word.startsWith('--locality_')));
    expect(places[0]).to.deep.equal([
      '--locality_dcid=us-central1',
      '--locality_zoneid=fdb-us-central1',
      '--locality_machineid=fdb-us-central1',
    ]);
    expect(places).to.have.length(6);
    expect(new Set(places.map(([, zone]) => zone)).size).to.equal(6);
    expect(serverCommand(podNamed(lab, 'fdb-2-us-east1'), { fdbserver: '/x/fdbserver' }, '/run/pod').join(' ')).to.match(
      /^\/x\/fdbserver -C \/run\/pod\/fdb\.cluster -p 10\.77\.2\.18:4500 -l public -d \/run\/pod\/data /,
    );
  });

  it('names the same data centres to the engine', () => {
    expect(databaseSection(lab, { library: '/x/libfdb_c.so' })).to.deep.include({
      data_centers: { 'us-central1': 'us-central1', 'us-east1': 'us-east1', 'europe-west1': 'europe-west1' },
      client_library: '/x/libfdb_c.so',
    });
    expect(databaseSection(lab, { library: null })).not.to.have.property('client_library');
  });

  it('is whole only where its status says all of it', () => {
    expect(whatIsMissing(status(lab.regions), lab)).to.equal(null);
    expect(whatIsMissing(status(['us-central1', 'us-east1']), lab)).to.equal('not all servers of europe-west1 are there');
    expect(whatIsMissing(status(lab.regions, { recovery_state: { name: 'accepting_commits' } }), lab)).to.match(/recovery is at accepting/);
    expect(whatIsMissing(status(lab.regions, { data: { state: { healthy: false, name: 'healing' } } }), lab)).to.equal('data is healing');
    for (const nothing of [
      undefined,
      {},
      { cluster: {} },
      status(lab.regions, { data: {} }),
      status(lab.regions, { recovery_state: undefined }),
    ])
      expect(whatIsMissing(nothing, lab)).to.match(/does not tell/);
  });
});
