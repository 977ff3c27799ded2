import { expect } from 'chai';
import { engineConfig } from './engine-config.ts';
import { agentCommand, clusterFile, databaseSection, homeOf, serverCommand } from './foundationdb.ts';
import { copyProblem, lockOf, rolesOf, whyNotTold } from './foundationdb-pair.ts';
import { podNamed, podsOf, threeRegions } from './topology.ts';

const lab = threeRegions({ database: 'foundationdb', foundationdb: 'pair' });
const [FIRST, SECOND, THIRD] = ['us-central1', 'us-east1', 'europe-west1'] as const;
const UID = 'cd71b3b68605a60151cf040c9123bb4e';

function status(locked: string | null | undefined, layers: object = {}): object {
  const lock = locked === null ? { locked: false } : { locked: true, lock_uid: locked };
  return { cluster: { ...(locked === undefined ? {} : { database_lock_state: lock }), layers } };
}
const pair = (first: object, second: object) => [
  { region: FIRST, status: first },
  { region: SECOND, status: second },
];
const layer = (uid: string | undefined, ...agents: readonly string[]): object => ({
  instances: Object.fromEntries(agents.map((agent) => [agent, {}])),
  tags: uid === undefined ? {} : { default: { mutation_stream_id: uid } },
});

describe('a pair of clusters of a lab', () => {
  it('is two servers and an agent in each of the first two regions, and nothing in the third', () => {
    const there = (region: string) => [...podsOf(lab, 'fdb', region), ...podsOf(lab, 'dr-agent', region)].map(({ name }) => name);
    expect([FIRST, SECOND, THIRD].map(there)).to.deep.equal([
      ['fdb-us-central1', 'fdb-2-us-central1', 'dr-agent-us-central1'],
      ['fdb-us-east1', 'fdb-2-us-east1', 'dr-agent-us-east1'],
      [],
    ]);
    expect(new Set(lab.pods.map(({ ipv4 }) => ipv4)).size).to.equal(lab.pods.length);
  });

  it('has the coordinator of each cluster in its own region, and the servers of a region know that one alone', () => {
    expect(clusterFile(lab)).to.equal('us_central1:gameday@10.77.1.17:4500\n');
    expect(clusterFile(lab, SECOND)).to.equal('us_east1:gameday@10.77.2.17:4500\n');
    expect(clusterFile(lab, THIRD), 'uses that of the second').to.equal(clusterFile(lab, SECOND));
    expect(serverCommand(podNamed(lab, 'fdb-us-east1'), { fdbserver: 'x' }, { topology: lab, podRoot: '/p' }).join(' ')).not.to.contain(
      '-c ',
    );
  });

  it('is copied by agents that each write to the cluster beside them', () => {
    const command = agentCommand(podNamed(lab, 'dr-agent-us-east1'), { fdbdr: 'x', drAgent: '/x/dr_agent' }, lab, '/p');
    expect(command.join(' ')).to.match(/^\/x\/dr_agent -s \/p\/fdb-us-central1\.cluster -d \/p\/fdb-us-east1\.cluster /);
  });

  it('is named to the engine with the cluster of each region, and moves with it: asynchronously', () => {
    const foundationdb = { fdbserver: 'x', fdbcli: '/x/fdbcli', library: null, pair: { fdbdr: '/x/fdbdr', drAgent: 'x' } };
    expect(databaseSection(lab, foundationdb)).to.deep.include({
      pair: { [FIRST]: 'fdb-us-central1.cluster', [SECOND]: 'fdb-us-east1.cluster' },
      pair_homes: { [FIRST]: FIRST, [SECOND]: SECOND, [THIRD]: SECOND },
      pair_programs: { fdbcli: '/x/fdbcli', fdbdr: '/x/fdbdr' },
      data_centers: { [FIRST]: FIRST, [SECOND]: SECOND },
    });
    const config = engineConfig(lab, podNamed(lab, 'db-us-east1'), { replication: 'async', policy: 'lab', foundationdb });
    expect(config).to.deep.include({ replication: 'async', policy: { preset: 'lab', catchUpMs: 5000 } });
    expect(homeOf(lab, THIRD)).to.equal(SECOND);
  });

  it('serves from the one that is not locked; where that is none, or both, nobody says which', () => {
    const roles = (first: string | null | undefined, second: string | null | undefined) => {
      const { primary, copy, why } = rolesOf(pair(status(first), status(second)));
      return [primary?.region ?? null, copy?.region ?? null, why];
    };
    expect(roles(null, UID)).to.deep.equal([FIRST, SECOND, '']);
    expect(roles(UID, null)).to.deep.equal([SECOND, FIRST, '']);
    expect(roles(null, null)).to.deep.equal([null, null, 'both take writes: neither is a copy']);
    expect(roles(UID, UID)).to.deep.equal([null, null, 'both are locked']);
    expect(roles(undefined, UID)).to.deep.equal([null, null, 'us-central1 does not tell whether it is locked']);
    for (const nothing of [undefined, null, 'x', {}, { cluster: {} }]) expect(lockOf(nothing)).to.equal(undefined);
  });

  it('is whole only while fdbdr says that the copy is complete and goes on', () => {
    expect(
      copyProblem("The DR on tag `default' is a complete copy of the primary database.\n\nThe DR is 0.1 seconds behind.\n", SECOND),
    ).to.equal(null);
    expect(copyProblem("The DR on tag `default' is NOT a complete copy of the primary database.\n", SECOND)).to.match(/no complete copy/);
    expect(copyProblem('no answer', SECOND)).to.match(/no complete copy: no answer/);
    const complete = "The DR on tag `default' is a complete copy of the primary database. Last log version is 21180331.\n";
    expect(copyProblem(`${complete}\nThe DR is 2.350203 seconds behind.\n\nAll DR agents have been paused.\n`, SECOND)).to.equal(
      'the agents are paused',
    );
    expect(copyProblem(`${complete}\nThe DR is 41.020103 seconds behind.\n`, SECOND), 'agents that have died leave it complete').to.match(
      /us-east1 is 41\.0 s behind/,
    );
    expect(copyProblem(complete, SECOND)).to.match(/not told how far us-east1 is behind/);
    const partly = `${complete}\nThe DR is 0.1 seconds behind.\n\nWARNING: Could not fetch full DR status: timed_out\n`;
    expect(copyProblem(partly, SECOND)).to.match(/not told how far us-east1 is behind/);
  });

  it('is ready when the agents of both ways have told of the copy that is there now', () => {
    const told = (from: object, to: object) => whyNotTold(pair(status(null, from), status(UID, to)));
    const back = { dr_backup_dest: layer(undefined, 'b') };
    const forth = { dr_backup: layer(undefined, 'b') };
    expect(told({ dr_backup: layer(UID, 'a'), ...back }, { dr_backup_dest: layer(UID, 'a'), ...forth })).to.equal(null);
    expect(told({ dr_backup: layer('f'.repeat(32), 'a'), ...back }, { dr_backup_dest: layer(UID, 'a'), ...forth })).to.match(
      /not told of the copy/,
    );
    expect(told({ dr_backup: layer(UID, 'a') }, { dr_backup_dest: layer(UID, 'a'), ...forth })).to.match(/of the other way/);
    expect(told({}, {})).to.match(/not told of the copy/);
  });
});
