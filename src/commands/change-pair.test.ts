import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { foundationdbConfig } from '../testing/foundationdb-config.ts';
import { OneController } from '../testing/one-controller.ts';
import { REGIONS } from '../testing/test-config.ts';
import { EXIT } from './world.ts';

const UID = 'cd71b3b68605a60151cf040c9123bb4e';
const BYTES = '\\x01\\xa6\\x05\\x86\\xb6\\xb3q\\xcdN\\xbb#\\x91\\x0c\\x04\\xcfQ';
const AGENT = '\\xff\\x02/db-backup-agent/';
const RECORDS = [
  `\`${AGENT}\\x01tagname\\x00\\x01default\\x00' is \`${BYTES}'`,
  `\`${AGENT}\\x01state\\x00\\x01${BYTES}\\x00\\x01state_status\\x00' is \`is differential'`,
  '>>> getrangekeys  \\xff 1',
  "`k1'",
  '',
].join('\n');

/**
 * With programs in the place of fdbcli and fdbdr, for what a test on real servers cannot bring about: the west is a complete copy; the east is locked by somebody, as one is who fences it, and a gateway may commit to it all
 * the same.
 */
describe('coditect-dr pair abort of what may not be lost after all', function () {
  this.timeout(60_000);
  const started: OneController[] = [];
  after(() => Promise.all(started.map((one) => one.close())));

  async function abort(
    withGateway: boolean,
    ...words: readonly string[]
  ): Promise<{ readonly one: OneController; readonly code: number; readonly said: string; readonly aborted: boolean }> {
    const database = foundationdbConfig({ clusterFile: 'east.cluster', library: null }, Object.fromEntries(REGIONS.map((r) => [r, r])));
    const one = await OneController.start({ ...database, pair: { east: 'east.cluster', west: 'west.cluster' } }, { withGateway });
    started.push(one);
    const [aborted, unlocked] = [one.file('aborted'), JSON.stringify(status(null))];
    for (const name of ['east', 'west']) writeFileSync(one.file(`${name}.cluster`), 'x:x@127.0.0.1:1');
    writeFileSync(one.file('records'), RECORDS);
    writeFileSync(one.file('stopped'), RECORDS.replace('is differential', 'has been aborted'));
    program(
      one.file('fdbcli'),
      `case "$*" in *west*status*) [ -e ${aborted} ] && echo '${unlocked}' || echo '${JSON.stringify(status(UID))}' ;;
      *east*status*) echo '${JSON.stringify(status('f'.repeat(32)))}' ;; *getrangekeys*) cat ${one.folder}/$([ -e ${aborted} ] && echo stopped || echo records) ;; esac`,
    );
    program(
      one.file('fdbdr'),
      `case "$*" in abort*) echo > ${aborted} ;; status*) printf 'The DR on tag is a complete copy\\n\\nThe DR is 2.5 seconds behind.\\n' ;; esac`,
    );
    const { code, said } = await one.run('pair', 'abort', 'west', '--fdbcli', one.file('fdbcli'), '--fdbdr', one.file('fdbdr'), ...words);
    return { one, code, said, aborted: existsSync(aborted) };
  }
  function program(path: string, script: string): void {
    rmSync(path, { force: true });
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const status = (uid: string | null): object => ({
    client: { database_status: { available: true } },
    cluster: {
      database_lock_state: uid === null ? { locked: false } : { locked: true, lock_uid: uid },
      recovery_state: { name: 'fully_recovered' },
    },
  });

  it('is done of one that is fenced, with the loss that fdbdr tells', async () => {
    const little = await abort(false, '--accept-data-loss=2.4');
    expect(little.said).to.match(/^refused +up to 2\.5 s of writes/m);
    expect(little).to.include({ code: EXIT.failed, aborted: false });
    const enough = await abort(false, '--accept-data-loss=2.5');
    expect(enough.code, enough.said).to.equal(EXIT.ok);
    expect(enough).to.include({ aborted: true });
    expect(enough.one.asked).to.deep.equal(['pause', 'resume']);
    expect(enough.said)
      .to.match(/^now .*west\.cluster as database\.cluster_file/m)
      .and.to.match(/^beware +unless somebody has locked east, it takes writes/m);
  });

  it('is refused while a gateway commits, whatever the operator sees', async () => {
    const { code, said, aborted, one } = await abort(true, '--accept-data-loss=any');
    expect(said).to.match(/^refused +east still commits for us-central1/m);
    expect({ code, aborted }).to.deep.equal({ code: EXIT.failed, aborted: false });
    expect(one.asked).to.deep.equal(['pause', 'resume']);
    const rehearsed = await abort(true, '--accept-data-loss=any', '--dry-run');
    expect(rehearsed.said).to.match(/^refused +east still commits for us-central1/m);
    expect(rehearsed.code).to.equal(EXIT.failed);
    expect(rehearsed.one.asked).to.deep.equal([]);
  });
});

describe('coditect-dr pair start, where each region serves from its own cluster', function () {
  this.timeout(60_000);
  const started: OneController[] = [];
  after(() => Promise.all(started.map((one) => one.close())));

  /** The gateway of the first region, whose cluster is the west, tells this, and then that as soon as failovers are paused. */
  async function start(
    first: object,
    then = first,
    ...words: readonly string[]
  ): Promise<{ readonly code: number; readonly said: string; readonly erased: boolean }> {
    const homes = Object.fromEntries(REGIONS.map((region, i) => [region, i === 0 ? 'west' : 'east']));
    const database = foundationdbConfig({ clusterFile: 'east.cluster', library: null }, Object.fromEntries(REGIONS.map((r) => [r, r])));
    const pair = { pair: { east: 'east.cluster', west: 'west.cluster' }, pair_homes: homes };
    const one = await OneController.start({ ...database, ...pair }, { withGateway: true });
    started.push(one);
    one.tells = () => (one.asked.includes('pause') ? then : first);
    const erased = one.file('erased');
    for (const name of ['east', 'west']) writeFileSync(one.file(`${name}.cluster`), 'x:x@127.0.0.1:1');
    const records = ['>>> getrangekeys  \\xff 1', "`k1'", ''].join('\n');
    writeFileSync(one.file('records'), records);
    const layers = Object.fromEntries(['dr_backup', 'dr_backup_dest'].map((layer) => [layer, { instances: { agent: {} }, tags: {} }]));
    const status = (name: string): string =>
      JSON.stringify({
        client: { database_status: { available: true } },
        cluster: {
          processes: { [name]: {} },
          database_lock_state: { locked: false },
          recovery_state: { name: 'fully_recovered' },
          layers,
        },
      });
    program(
      one.file('fdbcli'),
      `case "$*" in *clearrange*) echo > ${erased} ;; *west*fence*) cat ${one.file('west-fence')} ;; *east*fence*) cat ${one.file('east-fence')} ;; *west*status*) echo '${status('w')}' ;; *east*status*) echo '${status('e')}' ;;
      *getrangekeys*) cat ${one.file('records')} ;; esac`,
    );
    program(one.file('fdbdr'), 'exit 0');
    for (const [name, servedEpoch] of Object.entries(served)) {
      const fence = JSON.stringify({ epoch: 9, servedEpoch, servedBy: 'us-east1' });
      writeFileSync(one.file(`${name}-fence`), `>>> get coditect/fence\n\`coditect/fence' is \`${'\\x00'.repeat(10)}${fence}'\n`);
    }
    const programs = ['--fdbcli', one.file('fdbcli'), '--fdbdr', one.file('fdbdr')];
    const { code, said } = await one.run(
      'pair',
      'start',
      'east',
      '--patience=1s',
      ...programs,
      ...(words.length > 0 ? words : ['--erase=east']),
    );
    return { code, said, erased: existsSync(erased) };
  }
  function program(path: string, script: string): void {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const SERVES = { role: 'primary', writable: true };
  /** Which epoch each has served last, as its fence says. */
  let served: { readonly east: number; readonly west: number };
  beforeEach(() => (served = { east: 4, west: 5 }));

  it('erases what is to be the copy while another region serves', async () => {
    expect(await start(SERVES)).to.include({ erased: true });
  });

  it('says what is lost before it erases, in a rehearsal, and where it is not told to: writes that are nowhere else, and how they are saved', async () => {
    const all =
      /what was acknowledged there and never came to west .* is nowhere else: coditect-dr pair difference east --out=FILE saves it before/;
    expect((await start(SERVES)).said)
      .to.match(/^loses +/m)
      .and.to.match(all);
    const rehearsed = await start(SERVES, SERVES, '--erase=east', '--dry-run');
    expect(rehearsed.said)
      .to.match(/^loses +/m)
      .and.to.match(all);
    const refused = await start(SERVES, SERVES, '--by=ops');
    expect(refused.said)
      .to.match(/^refused .*--erase=east/m)
      .and.to.match(/never came to west/);
    expect([rehearsed.erased, refused.erased]).to.deep.equal([false, false]);
  });

  it('does not erase the one that has served last, whatever is configured, nor where that is not told', async () => {
    served = { east: 5, west: 4 };
    const { said, code, erased } = await start(SERVES);
    expect(said).to.match(/^refused +east served last in epoch 5, west in epoch 4/m);
    expect({ code, erased }).to.deep.equal({ code: EXIT.failed, erased: false });
    expect((await start(SERVES, SERVES, '--erase=east', '--dry-run')).said).to.match(/^refused +east served last/m);
    served = { east: 5, west: NaN };
    expect(await start(SERVES)).to.include({ code: EXIT.undecided, erased: false });
  });

  it('erases nothing when the service has moved since it was asked for, nor by the word of one that is primary without a lease', async () => {
    const moved = await start(SERVES, { role: 'standby', writable: false });
    expect(moved.said).to.match(/no region says that it serves/);
    expect(moved).to.include({ code: EXIT.undecided, erased: false });
    const stale = await start({ role: 'primary', writable: false });
    expect(stale.said).to.match(/^refused +no region says that it serves/m);
    expect(stale).to.include({ code: EXIT.failed, erased: false });
  });
});
