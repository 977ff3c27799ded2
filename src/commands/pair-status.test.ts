import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { OneController } from '../testing/one-controller.ts';
import { REGIONS } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const UID = 'cd71b3b68605a60151cf040c9123bb4e';
const BYTES = '\\x01\\xa6\\x05\\x86\\xb6\\xb3q\\xcdN\\xbb#\\x91\\x0c\\x04\\xcfQ';
const AGENT = '\\xff\\x02/db-backup-agent/';
const KEYS = ['>>> getrangekeys  \\xff 1', "`k1'", ''];
const COPY = [
  `\`${AGENT}\\x01tagname\\x00\\x01default\\x00' is \`${BYTES}'`,
  `\`${AGENT}\\x01state\\x00\\x01${BYTES}\\x00\\x01state_status\\x00' is \`is differential'`,
  ...KEYS,
].join('\n');

/** With programs in the place of fdbcli and fdbdr: how long they take is the test's to say. */
describe('coditect-dr pair status', function () {
  this.timeout(60_000);
  let one: OneController;
  after(() => one.close());

  it('notes the lag with the moment in which it was asked for: what is told late was true then, and what was written since is not in the copy', async () => {
    const database = foundationdbConfig({ clusterFile: 'east.cluster', library: null }, Object.fromEntries(REGIONS.map((r) => [r, r])));
    one = await OneController.start({ ...database, pair: { east: 'east.cluster', west: 'west.cluster' } }, { withGateway: false });
    for (const name of ['east', 'west']) writeFileSync(one.file(`${name}.cluster`), 'x:x@127.0.0.1:1');
    writeFileSync(one.file('copy'), COPY);
    writeFileSync(one.file('primary'), KEYS.join('\n'));
    const [measured, noted] = [one.file('measured'), one.file('noted')];
    program(
      'fdbcli',
      `case "$*" in *writemode*) echo "$*" > ${noted} ;; *west*status*) echo '${status(UID)}' ;; *east*status*) echo '${status(null)}' ;;
      *west*getrangekeys*) cat ${one.file('copy')} ;; *getrangekeys*) cat ${one.file('primary')} ;; esac`,
    );
    program(
      'fdbdr',
      `case "$*" in status*) date +%s%3N > ${measured}; sleep 1; printf 'The DR on tag is a complete copy\\n\\nThe DR is 0.5 seconds behind.\\n' ;; esac`,
    );
    const { code, said } = await one.run('pair', 'status', '--fdbcli', one.file('fdbcli'), '--fdbdr', one.file('fdbdr'));
    expect(said).to.match(/^fresh +west is 0\.50 s behind/m);
    expect(code).to.equal(EXIT.ok);
    const wallMs = Number(/set \S+ "(\d+) 0\.500 /.exec(readFileSync(noted, 'utf8'))?.[1]);
    expect(wallMs).to.be.at.most(Number(readFileSync(measured, 'utf8')));
  });

  function program(name: string, script: string): void {
    writeFileSync(one.file(name), `#!/bin/sh\n${script}\n`);
    chmodSync(one.file(name), 0o755);
  }
  function status(uid: string | null): string {
    const layer = { instances: { agent: {} }, tags: {} };
    return JSON.stringify({
      client: { database_status: { available: true } },
      cluster: {
        processes: { [uid ?? 'east']: {} },
        database_lock_state: uid === null ? { locked: false } : { locked: true, lock_uid: uid },
        recovery_state: { name: 'fully_recovered' },
        layers: { dr_backup: layer, dr_backup_dest: layer },
      },
    });
  }
});
