import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { labDatabase, type LabDatabaseServers } from './foundationdb-pair.ts';
import { threeRegions } from './topology.ts';

const UID = 'cd71b3b68605a60151cf040c9123bb4e';
const [FIRST, SECOND] = ['us-central1', 'us-east1'] as const;

/** As FoundationDB tells it: whole, with agents both ways that know of the copy in the second. */
function status(region: string, locked: boolean): string {
  const layer = { instances: { agent: {} }, tags: { default: { mutation_stream_id: UID } } };
  return JSON.stringify({
    cluster: {
      processes: { a: { locality: { dcid: region } }, b: { locality: { dcid: region } } },
      recovery_state: { name: 'fully_recovered' },
      full_replication: true,
      data: {
        state: { healthy: true, name: 'healthy' },
        team_trackers: [{ state: { healthy: true, name: 'healthy' }, unhealthy_servers: 0 }],
      },
      database_lock_state: locked ? { locked, lock_uid: UID } : { locked },
      layers: { dr_backup: layer, dr_backup_dest: layer },
    },
  });
}

/** With programs in the place of fdbcli and fdbdr: what is tested is what they are asked for, and whose rows are read. */
describe('a pair of clusters of a lab, as the runner makes and reads it', function () {
  this.timeout(60_000);
  let folder: string;
  let lab: LabDatabaseServers;
  const signal = AbortSignal.timeout(600_000);
  const file = (name: string): string => path.join(folder, name);
  const asked = (): readonly string[] => readFileSync(file('asked'), 'utf8').trim().split('\n');
  const lock = (region: string, locked: boolean): void => writeFileSync(file(`status-${region}`), status(region, locked));

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lab-pair-'));
    for (const region of [FIRST, SECOND]) {
      lock(region, false);
      writeFileSync(file(`rows-${region}`), `Range limited to 1000000 keys\n\`gameday/data/of' is \`${region}'\n`);
    }
    writeFileSync(file('locked'), status(SECOND, true));
    program(
      'fdbcli',
      `for last; do :; done; case $2 in *central1*) region=${FIRST} ;; *) region=${SECOND} ;; esac
case $last in
  'status json') cat status-$region ;;
  getrange*) cat rows-$region ;;
  *) echo "$region: $last" >> asked; echo 'Database created' ;;
esac`,
    );
    program(
      'fdbdr',
      `case $1 in start) echo "start $(basename $3) $(basename $5)" >> asked; cp locked status-${SECOND} ;;
status) echo "The DR on tag is $([ -e broken ] && echo NOT) a complete copy of the primary database." | sed 's/is  a/is a/'; printf '\\nThe DR is 2.350203 seconds behind.\\n' ;; esac`,
    );
    lab = labDatabase(
      { fdbserver: 'x', fdbcli: file('fdbcli'), library: null, pair: { fdbdr: file('fdbdr'), drAgent: 'x' } },
      threeRegions({ database: 'foundationdb', foundationdb: 'pair' }),
      folder,
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  function program(name: string, script: string): void {
    writeFileSync(file(name), `#!/bin/sh\ncd ${folder}\n${script}\n`);
    chmodSync(file(name), 0o755);
  }

  it('is two clusters, the second made a copy of the first once, before it is ready', async () => {
    await lab.create(signal);
    await lab.untilReady(signal);
    expect(asked().toSorted()).to.deep.equal([
      'start fdb-us-central1.cluster fdb-us-east1.cluster',
      `${FIRST}: configure new single ssd-2`,
      `${SECOND}: configure new single ssd-2`,
    ]);
    expect(await lab.problem(signal)).to.equal(null);
    expect(await lab.problem(signal, FIRST)).to.equal(null);
    expect(await lab.problem(signal, SECOND), 'the name moved, the pair did not').to.match(
      /us-east1 serves, and the cluster that takes writes is that of us-central1/,
    );
    writeFileSync(file('broken'), '');
    expect(await lab.problem(signal)).to.match(/us-east1 is no complete copy/);
  });

  it('is made anew as two clusters of which neither is a copy: a backup is restored into one of them first', async () => {
    await lab.remake(signal);
    expect(asked().toSorted()).to.deep.equal([`${FIRST}: configure new single ssd-2`, `${SECOND}: configure new single ssd-2`]);
    expect(await lab.problem(signal)).to.match(/both take writes/);
  });

  it('is read where it takes writes, and nowhere while that is none or both', async () => {
    lock(SECOND, true);
    expect([...(await lab.data(signal))]).to.deep.equal([['of', FIRST]]);
    [FIRST, SECOND].forEach((region) => lock(region, region === FIRST));
    expect([...(await lab.data(signal))]).to.deep.equal([['of', SECOND]]);
    lock(SECOND, true);
    expect(await failure(lab.data(signal))).to.match(/both are locked/);
    [FIRST, SECOND].forEach((region) => lock(region, false));
    expect(await failure(lab.data(signal))).to.match(/both take writes/);
    expect(await lab.problem(signal)).to.match(/both take writes/);
  });
});

async function failure(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
}
