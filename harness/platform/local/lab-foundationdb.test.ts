import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { LabFoundationdb } from './foundationdb.ts';
import { threeRegions, type Topology } from './topology.ts';

const HEALTHY = { healthy: true, name: 'healthy' };
const WHOLE = { state: HEALTHY, unhealthy_servers: 0 };

/** As FoundationDB tells it: two processes in each region, those outside the first of that class. */
function status(primary: string, others: string, change: object = {}): string {
  const processes = ['us-central1', 'us-east1', 'europe-west1'].flatMap((dcid) =>
    [0, 1].map((n) => [`${dcid}-${n}`, { locality: { dcid }, class_type: dcid === 'us-central1' ? 'unset' : others }] as const),
  );
  const cluster = {
    active_primary_dc: primary,
    processes: Object.fromEntries(processes),
    recovery_state: { name: 'fully_recovered' },
    full_replication: true,
    data: { state: HEALTHY, team_trackers: [WHOLE] },
  };
  return JSON.stringify({ cluster: { ...cluster, ...change } });
}

/** With a program in the place of fdbcli, that tells one status after the other: what is tested is what it is asked for, and when a lab begins. */
describe('FoundationDB of a lab, before the engine starts', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'lab-fdb-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function asked(topology: Topology, told: readonly string[]): Promise<readonly string[]> {
    told.forEach((text, i) => writeFileSync(path.join(folder, `status-${i}`), text));
    const fdbcli = path.join(folder, 'fdbcli');
    writeFileSync(
      fdbcli,
      `#!/bin/sh
cd ${folder}; for last; do :; done
case $last in
  'status json') n=$(cat looks 2>/dev/null || echo 0); echo $((n + 1)) > looks; echo 'WARNING: Long delay'; cat status-$n ;;
  *) echo "$last" >> asked; echo 'Database created' ;;
esac
`,
    );
    chmodSync(fdbcli, 0o755);
    const lab = new LabFoundationdb({ fdbserver: 'x', fdbcli, library: null }, topology, path.join(folder, 'fdb.cluster'));
    const signal = AbortSignal.timeout(50_000);
    await lab.create(signal);
    await lab.untilReady(signal);
    expect(Number(readFileSync(path.join(folder, 'looks'), 'utf8')), 'it was looked at until the last').to.equal(told.length);
    return readFileSync(path.join(folder, 'asked'), 'utf8').trim().split('\n');
  }

  it('has its transaction system moved into the primary region, and is waited for until it is whole again', async () => {
    const copying = { data: { state: { healthy: false, name: 'initializing' } } };
    const [created, away, back, ...more] = await asked(threeRegions({ database: 'foundationdb' }), [
      status('us-east1', 'unset', copying),
      status('europe-west1', 'storage'),
      status('us-central1', 'storage'),
      status('us-central1', 'unset', { recovery_state: { name: 'all_logs_recruited' } }),
      status('us-central1', 'unset'),
    ]);
    expect(created).to.equal('configure new three_datacenter ssd-2');
    expect(away).to.match(/^setclass 10\.77\.2\.17:4500 storage; .*setclass 10\.77\.3\.18:4500 storage$/);
    expect(back).to.match(/^setclass 10\.77\.2\.17:4500 default; /);
    expect(more).to.deep.equal([]);
  });

  it('of two regions is made by a file beside the cluster file, moved nowhere, and waited for until both have all data', async () => {
    const inOne = { full_replication: false };
    const ofOneAlone = { data: { state: HEALTHY, team_trackers: [WHOLE] } };
    const inBoth = { data: { state: HEALTHY, team_trackers: [WHOLE, WHOLE] } };
    const commands = await asked(threeRegions({ database: 'foundationdb', foundationdb: 'two_regions' }), [
      status('us-central1', 'log', inOne),
      status('us-central1', 'log', ofOneAlone),
      status('us-central1', 'log', inBoth),
    ]);
    const file = path.join(folder, 'regions.json');
    expect(commands).to.deep.equal([`fileconfigure new ${file}`]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.include({ usable_regions: 2 });
  });
});
