import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { regionsConfig } from '../foundationdb/regions.ts';
import { OneController, pausedBy, type Paused } from '../testing/one-controller.ts';
import { REGIONS } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const [CENTRAL, EAST, SATELLITE] = REGIONS;

/** With a program in the place of fdbcli, which changes what it was told to, and one controller. */
describe('pauses of coditect-dr region', function () {
  this.timeout(60_000);
  let one: OneController;
  /** What somebody pauses for while FoundationDB is being changed. */
  let meanwhile: Paused | undefined;

  before(async () => {
    one = await OneController.start();
    one.onStatus = () => {
      if (meanwhile !== undefined && existsSync(one.file('changed'))) one.paused = meanwhile;
    };
    writeFileSync(one.file('fdb.cluster'), 'x:x@127.0.0.1:1');
    for (const usable of [1, 2]) writeFileSync(one.file(`${usable}.json`), JSON.stringify(status(usable)));
    const changed = one.file('changed');
    const script = `case "$*" in *configure*) echo > ${changed} ;; *status*) cat ${one.folder}/$([ -e ${changed} ] && echo 1 || echo 2).json ;; esac`;
    writeFileSync(one.file('fdbcli'), `#!/bin/sh\n${script}\n`);
    chmodSync(one.file('fdbcli'), 0o755);
  });
  beforeEach(() => {
    one.asked = [];
    one.paused = one.first = meanwhile = undefined;
    one.leads = true;
    rmSync(one.file('changed'), { force: true });
  });
  after(() => one.close());

  /** The east is to be dropped, and its priority is below zero already. */
  function status(usable: number): object {
    const regions = regionsConfig({ primary: CENTRAL, remote: EAST, satellite: SATELLITE }, 1).map((region) => ({
      ...region,
      datacenters: region.datacenters.map((dc) => (dc.id === EAST ? { ...dc, priority: -1 } : dc)),
    }));
    return {
      client: { coordinators: { quorum_reachable: true }, database_status: { available: true } },
      cluster: {
        active_primary_dc: CENTRAL,
        configuration: { usable_regions: usable, regions },
        data: { state: { healthy: true }, team_trackers: [{ primary: true, state: { healthy: true }, unhealthy_servers: 0 }] },
        database_available: true,
        database_lock_state: { locked: false },
        full_replication: true,
        processes: Object.fromEntries(REGIONS.map((dcid) => [dcid, { locality: { dcid } }])),
        recovery_state: { name: 'fully_recovered' },
      },
    };
  }

  const drop = (...words: readonly string[]) => one.run('region', 'drop', EAST, '--fdbcli', one.file('fdbcli'), ...words);

  it('its own is ended', async () => {
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(one.asked).to.deep.equal(['pause', 'resume']);
  });
  it('one that somebody makes while FoundationDB is being changed is left to them', async () => {
    meanwhile = pausedBy('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(one.paused).to.deep.equal(meanwhile);
    expect(said).to.match(/^still paused +anna \(operator\.us-east1\) has paused failovers meanwhile \(new switches\)/m);
  });
  it('it works under one of before, and leaves it', async () => {
    one.paused = pausedBy('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(one.asked).to.deep.equal([]);
  });
  for (const why of [
    `FoundationDB: add ${EAST}: usable_regions=2`,
    `FoundationDB is to go on in ${EAST} alone, whatever is lost`,
    // As this one, given by somebody else, which runs.
    `FoundationDB: drop ${EAST}: usable_regions=1 (order 0123abcd)`,
  ])
    it(`under one of another order ("${why}") it changes nothing`, async () => {
      one.paused = pausedBy('anna (operator.us-east1)', why);
      const { code, said } = await drop('--patience=2s');
      expect(code, said).to.equal(EXIT.undecided);
      expect(said).to.match(/^waiting +anna .* has paused failovers/m);
      expect(existsSync(one.file('changed'))).to.equal(false);
    });
  it('a rehearsal says what keeps the order from its next step, and changes nothing', async () => {
    const free = await drop('--dry-run');
    expect(free.code, free.said).to.equal(EXIT.ok);
    one.paused = pausedBy('anna', `FoundationDB: add ${EAST}: usable_regions=2`);
    const other = await drop('--dry-run');
    expect(other.said)
      .to.match(/^next +usable_regions=1/m)
      .and.to.match(/^wait +anna has paused failovers/m);
    expect(other.code).to.equal(EXIT.failed);
    one.paused = undefined;
    one.leads = false;
    const nobody = await drop('--dry-run');
    expect(nobody.said).to.match(/^refused +no controller that leads answers/m);
    expect(nobody.code).to.equal(EXIT.failed);
    expect(existsSync(one.file('changed'))).to.equal(false);
    expect(one.asked).to.deep.equal([]);
  });
  it('one that somebody made just before its own is theirs to end, too', async () => {
    one.first = pausedBy('anna (operator.us-east1)', 'new switches');
    const { code, said } = await drop();
    expect(code, said).to.equal(EXIT.ok);
    expect(one.paused).to.deep.equal(one.first);
    expect(one.asked).to.deep.equal(['pause']);
  });
});
