import { chmodSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { OneController, pausedBy } from '../testing/one-controller.ts';
import { REGIONS } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

/** Two servers in each region, not in three_datacenter yet, with coordinators in all three. */
const SERVERS = REGIONS.flatMap((dcid) => [dcid, dcid]).map((dcid, n) => ({
  address: `10.0.0.${n}:4500`,
  locality: { dcid, zoneid: `z${n}` },
}));
const STATUS = {
  client: {
    coordinators: { quorum_reachable: true, coordinators: [0, 2, 4].map((n) => ({ address: SERVERS[n]?.address, reachable: true })) },
    database_status: { available: true },
  },
  cluster: {
    configuration: { redundancy_mode: 'double', usable_regions: 1 },
    database_available: true,
    database_lock_state: { locked: false },
    full_replication: true,
    processes: Object.fromEntries(SERVERS.map((one, n) => [n, one])),
    recovery_state: { name: 'fully_recovered' },
  },
};

describe('a rehearsal of coditect-dr foundationdb set-up', function () {
  this.timeout(60_000);
  let one: OneController;
  before(async () => {
    one = await OneController.start();
    writeFileSync(one.file('fdb.cluster'), 'x:x@127.0.0.1:1');
    writeFileSync(one.file('fdbcli'), `#!/bin/sh\necho '${JSON.stringify(STATUS)}'\n`);
    chmodSync(one.file('fdbcli'), 0o755);
  });
  after(() => one.close());

  const rehearse = (...words: readonly string[]) =>
    one.run('foundationdb', 'set-up', 'three_datacenter', '--dry-run', '--fdbcli', one.file('fdbcli'), ...words);

  it('is the word on the order itself: 0 only where its next step could be made now', async () => {
    const free = await rehearse();
    expect(free.said).to.match(/^next +redundancy three_datacenter$/m);
    expect(free.code, free.said).to.equal(EXIT.ok);
    one.paused = pausedBy('anna', 'FoundationDB: set-up redundancy three_datacenter (order 0123abcd)');
    const waits = await rehearse();
    expect(waits.said).to.match(/^wait +anna has paused failovers/m);
    expect(waits.code).to.equal(EXIT.failed);
    one.paused = undefined;
    one.leads = false;
    const nobody = await rehearse();
    expect(nobody.said).to.match(/^refused +no controller that leads answers/m);
    expect(nobody.code).to.equal(EXIT.failed);
    expect((await rehearse('--without-pause')).code).to.equal(EXIT.ok);
    expect(one.asked).to.deep.equal([]);
  });
});
