import { expect } from 'chai';
import { decodeScenario, type World } from './decode.ts';
import { askedOf } from './on-database.ts';
import type { AskedDatabase, Scenario } from './scenario.ts';
import { formatProblems } from './yaml-decode.ts';

const WRITTEN = `name: loss
question: Does it come back?
steady: 2s
method:
  - inject: loss
    manifest: loss.yaml
  - awaitRecovery: 10s
settle: 5s
expect:
  failover: one
  outage: none
  loss: none
  mustRecover: [outside]
targets:
  recoveryTime: 10s
  lostWrites: 0
onFoundationdb:
  settle: 90s
  expect: {outage: allowed}
  targets: {recoveryTime: 15s}
`;

function decode(text: string, database?: AskedDatabase): Scenario | string {
  const world: World = { vantages: ['outside'], platforms: ['local', 'kubernetes'], database };
  const decoded = decodeScenario(text, 's.yaml', world);
  return decoded.ok ? decoded.value : formatProblems(decoded.problems);
}

describe('a scenario on FoundationDB', () => {
  it('is on the embedded database where nobody says otherwise, and then what it says of FoundationDB counts for nothing', () => {
    const played = decode(WRITTEN);
    expect(played).to.deep.include({ name: 'loss', database: 'embedded', settleMs: 5000 });
    expect(played).to.have.nested.property('targets.recoveryTimeMs', 10_000);
    expect(played).not.to.have.property('onFoundationdb');
  });

  it('is what it says there, of another name where it was written for the other, and the rest is as it was', () => {
    const own = decode(`${WRITTEN}database: foundationdb\n`);
    expect(own).to.have.property('name', 'loss');
    expect(decode(WRITTEN, 'foundationdb')).to.have.property('name', 'loss-on-foundationdb');
    for (const played of [decode(WRITTEN, 'foundationdb'), own]) {
      expect(played).to.deep.include({ database: 'foundationdb', settleMs: 90_000 });
      expect(played).to.have.nested.property('targets.recoveryTimeMs', 15_000);
      expect(played).to.have.nested.property('targets.lostWrites', 0);
      expect(played).to.have.deep.property('expect', { failover: 'one', outage: 'allowed', loss: 'none', mustRecover: ['outside'] });
    }
    expect(decode(`${WRITTEN}database: foundationdb\n`, 'embedded')).to.deep.include({ name: 'loss-on-embedded', database: 'embedded' });
  });

  for (const [what, change, message] of [
    [
      'a brown-out target that nobody would judge',
      (text: string) => text.replace('  lostWrites: 0', '  lostWrites: 0\n  brownOut: 1s'),
      /^s\.yaml:17:\d+: targets\.brownOut: on FoundationDB: an outage may be here; say `expect: {outage: none}`, or remove this target$/,
    ],
    [
      'an order that nobody gives',
      (text: string) => text.replace('expect: {outage: allowed}', 'expect: {failover: ordered}'),
      /^s\.yaml:19:\d+: onFoundationdb\.expect\.failover: nobody orders anything/,
    ],
  ] as const)
    it(`is refused with ${what} there, on whichever it is played`, () => {
      for (const database of [undefined, 'embedded', 'foundationdb'] as const) expect(decode(change(WRITTEN), database)).to.match(message);
    });

  it('is refused with what needs a fault there, and none is injected', () => {
    const none = WRITTEN.replace(/ {2}- inject.*10s\n(?=settle)/s, '  - observe: 5s\n').replace('\n  recoveryTime: 10s', '');
    const expecting = decode(none.replace('outage: allowed', 'outage: expected'));
    expect(expecting).to.match(/^s\.yaml:\d+:\d+: onFoundationdb\.expect\.outage: an outage is expected but no fault is injected$/m);
    expect(expecting).to.match(/^s\.yaml:\d+:\d+: onFoundationdb\.targets\.recoveryTime: there is no fault to recover from/m);
    expect(decode(none.replace('\n  targets: {recoveryTime: 15s}', ''))).to.be.an('object');
  });

  it('says how it replicates there, and is refused on the embedded database, where that means nothing', () => {
    const two = `${WRITTEN}database: foundationdb\nfoundationdb: two_regions\n`;
    expect(decode(two)).to.include({ foundationdb: 'two_regions' });
    expect(decode(WRITTEN, 'foundationdb')).to.include({ foundationdb: 'three_datacenter' });
    expect(decode(two, 'embedded')).to.match(
      /^s\.yaml:\d+:\d+: foundationdb: is how FoundationDB replicates.*leave `--database embedded` out/,
    );
    expect(decode(two.replace('database: foundationdb', 'database: embedded'))).to.match(/: foundationdb: .*say `database: foundationdb`/);
    expect(decode(`${two.replace('two_regions', 'three')}`)).to.match(/^s\.yaml:\d+:\d+: foundationdb/);
  });

  it('is played as it says of two regions where these are its own, or asked for: under another name than its own', () => {
    const written = `${WRITTEN}  twoRegions:\n    awaitRecovery: 60s\n    targets: {recoveryTime: 40s}\n`;
    for (const [text, asked, name] of [
      [`${written}database: foundationdb\nfoundationdb: two_regions\n`, undefined, 'loss'],
      [`${written}database: foundationdb\nfoundationdb: two_regions\n`, 'foundationdb', 'loss'],
      [`${written}database: foundationdb\n`, 'foundationdb:two_regions', 'loss-two-regions'],
      [written, 'foundationdb:two_regions', 'loss-on-foundationdb-two-regions'],
    ] as const) {
      const played = decode(text, asked) as Scenario;
      expect(played).to.deep.include({ name, foundationdb: 'two_regions', settleMs: 90_000 });
      expect(played.targets).to.include({ recoveryTimeMs: 40_000, lostWrites: 0 });
      expect(played.method.at(-1)).to.deep.equal({ do: 'await-recovery', atMostMs: 60_000 });
      expect(decode(text, askedOf(played)), 'the run plays what was asked for').to.deep.equal(played);
    }
    const there = decode(written, 'foundationdb') as Scenario;
    expect(there.targets.recoveryTimeMs).to.equal(15_000);
    expect(there.method.at(-1)).to.deep.equal({ do: 'await-recovery', atMostMs: 10_000 });
  });

  it('is refused with what makes no sense in two regions, wherever it is played', () => {
    const wrong = `${WRITTEN.replace('  - awaitRecovery: 10s\n', '')}  twoRegions: {awaitRecovery: 60s, expect: {failover: ordered}}\n`;
    const message = decode(wrong);
    expect(message).to.match(/^s\.yaml:20:\d+: onFoundationdb\.twoRegions\.awaitRecovery: no step of the method awaits recovery/m);
    expect(message).to.match(/^s\.yaml:20:\d+: onFoundationdb\.twoRegions\.expect\.failover: nobody orders anything/m);
    expect((message as string).match(/s\.yaml:/g), 'each is told once').to.have.lengthOf(2);
  });

  it('is asynchronous on a pair, which nothing else is there, and may have backups', () => {
    const pair = `${WRITTEN}database: foundationdb\nfoundationdb: pair\n`;
    expect(decode(`${pair}replication: async\n`)).to.include({ foundationdb: 'pair', replication: 'async' });
    expect(decode(pair)).to.match(/^s\.yaml:\d+:\d+: foundationdb: .*say `replication: async`$/);
    expect(decode(`${pair}replication: async\nbackup: {store: folder}\n`)).to.include({ foundationdb: 'pair' });
    expect(decode(`${pair.replace('pair', 'two_regions')}replication: async\n`)).to.match(/there is no `async` but on a pair/);
    const elsewhere = decode(`${pair}replication: async\n`, 'foundationdb:three_datacenter');
    expect(elsewhere).to.match(/there is no `async` .*leave `--database foundationdb:three_datacenter` out, or the scenario$/);
    const played = decode(`${WRITTEN}replication: async\n`, 'foundationdb:pair');
    expect(played).to.include({ foundationdb: 'pair', name: 'loss-on-foundationdb-pair' });
    expect(decode(`${WRITTEN}replication: async\n`, askedOf(played as Scenario))).to.deep.equal(played);
  });

  it('names what is wrong on both once, where it is written for both', () => {
    const message = decode(WRITTEN.replace('outage: none', 'outage: allowed').replace('lostWrites: 0', 'brownOut: 1s'));
    expect(message).to.match(/^s\.yaml:\d+:\d+: targets\.brownOut: an outage may be here[^\n]*$/);
  });

  for (const [what, line, message] of [
    ['a small disk', 'backup: {store: folder, diskSize: 8MiB}', /s\.yaml:\d+:\d+: backup\.diskSize: .*disks of its own/],
    ['replication that may lose', 'replication: async', /s\.yaml:\d+:\d+: replication: .*there is no `async`/],
    ['clusters', 'platform: kubernetes', /s\.yaml:\d+:\d+: platform: FoundationDB is started in local labs only/],
  ] as const)
    it(`is refused with ${what}, which are there on the embedded database`, () => {
      expect(decode(`${WRITTEN}${line}\n`, 'foundationdb')).to.match(message);
      expect(decode(`${WRITTEN}${line}\n`)).to.be.an('object');
    });

  it('has backups, but none of a point in time, or of a disk that is full', () => {
    const withSteps = (steps: string): string =>
      `${WRITTEN.replace('method:\n', `method:\n  - backup: create\n    as: one\n  - mark: now\n${steps}`)}backup: {store: folder}\n`;
    const allowed =
      "  - restore: '@one'\n    as: copy\n  - damage: erase-databases\n  - restore: '@one'\n    as: cold\n    live: true\n    in: us-central1\n";
    expect(decode(withSteps(allowed), 'foundationdb')).to.be.an('object');
    const timed = withSteps('  - restore: latest --to-time @now\n    as: cold\n');
    expect(decode(timed, 'foundationdb')).to.match(/: method\[\d\]\.restore: the labs on FoundationDB keep no log/);
    expect(decode(timed)).to.be.an('object');
    const full = withSteps('  - damage: fill-disk\n    in: us-central1\n');
    expect(decode(full, 'foundationdb')).to.match(/: method\[\d\]\.damage: .*disks of its own/);
  });
});
