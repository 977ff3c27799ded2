import { expect } from 'chai';
import { decodeScenario } from './decode.ts';
import { decodeRecordedScenario } from './recorded.ts';
import { formatProblems } from './yaml-decode.ts';

const scenario = (method: string, backup = 'backup: {store: folder}'): string => `name: copies
question: Is it there?
${backup}
steady: 2s
method:
${method}
settle: 5s
expect: {failover: allowed, outage: allowed, loss: none, mustRecover: [outside]}
targets: {lostWrites: 0, restoreTime: 30s}
`;
const decode = (method: string, backup?: string) =>
  decodeScenario(scenario(method, backup), 's.yaml', { vantages: ['outside'], platforms: ['local'] });
const problemsOf = (method: string, backup?: string): string => {
  const decoded = decode(method, backup);
  return decoded.ok ? '' : formatProblems(decoded.problems);
};

const ALL = `  - bulk: many
    perSecond: 50
    for: 5s
  - mark: then
  - inject: cut
    manifest: cut.yaml
  - backup: create --full-scan
    as: first
    in: us-east1
    background: true
    during: cut
  - awaitBackup: first
  - awaitBackups: 2
    within: 9s
  - deleteAll: 20s
  - damage: corrupt
    object: packs
    of: first
  - damage: fill-store
  - backup: verify @first --level 3
    exits: 1
    namesDamage: true
  - restore: latest --to-time @then
    as: copy
    mayLack: 2s`;

describe('steps about backups', () => {
  it('decode with their defaults, and what is recorded of them decodes to the same', () => {
    const decoded = decode(ALL, 'backup: {service: {every: 3s}, perSecond: 40KiB, storeSize: 2MiB}');
    if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
    const { method, backup, targets } = decoded.value;
    expect(backup).to.deep.equal({
      store: 'folder',
      service: { everyMs: 3000, logMs: 1000, stepPauseMs: 0, verifyMs: null, prune: false },
      retentionMs: null,
      bytesPerSecond: 40_960,
      storeBytes: 2_097_152,
      diskBytes: null,
    });
    expect(targets.restoreTimeMs).to.equal(30_000);
    expect(method.map((step) => step.do)).to.deep.equal(
      'bulk mark inject backup await-backup await-backups delete-all damage damage backup restore'.split(' '),
    );
    expect(method[0]).to.deep.include({ perSecond: 50, forMs: 5000, valueBytes: 1000, mayFail: 0 });
    expect(method[3]).to.deep.include({ args: ['create', '--full-scan'], name: 'first', region: 'us-east1', exits: 0, during: 'cut' });
    expect(method[10]).to.deep.include({ args: ['latest', '--to-time', '@then'], name: 'copy', live: false, since: null, mayLackMs: 2000 });
    expect(decodeRecordedScenario(JSON.parse(JSON.stringify(decoded.value)))).to.deep.equal(decoded.value);
  });

  it('need a store', () => {
    expect(problemsOf('  - backup: create', '')).to.match(/s\.yaml:\d+:\d+: method\[0\]\.backup: the scenario has no `backup`/);
    expect(problemsOf('  - mark: x', '')).to.equal('');
  });

  it('name only what is there by then', () => {
    expect(problemsOf('  - backup: verify @first')).to.match(
      /method\[0\]\.backup: no finished backup `first` before this step; there is none/,
    );
    expect(problemsOf('  - restore: "@first"\n    as: copy')).to.match(/no finished backup `first`/);
    expect(problemsOf('  - restore: latest --to-time @then\n    as: copy')).to.match(/no mark `then`/);
    expect(problemsOf('  - restore: latest\n    as: copy\n    since: then')).to.match(/method\[0\]\.since: no mark `then`/);
    expect(problemsOf('  - damage: remove\n    object: packs\n    of: first')).to.match(/method\[0\]\.of: no finished backup `first`/);
    const background = '  - backup: create\n    as: first\n    background: true\n';
    expect(problemsOf(`${background}  - backup: verify @first\n  - awaitBackup: first`)).to.match(/no finished backup `first`/);
    expect(problemsOf(background.trimEnd())).to.match(/never awaited/);
    expect(problemsOf('  - backup: create\n    during: cut')).to.match(/there is no fault `cut`/);
    expect(problemsOf('  - mark: a\n  - mark: a')).to.match(/a mark `a` already/);
  });

  it('say what is wrong with a field, and what may be there', () => {
    expect(problemsOf('  - backup: restore latest')).to.match(/restores have a step of their own/);
    expect(problemsOf('  - backup: create; rm')).to.match(/no shell to quote for/);
    expect(problemsOf('  - restore: latest --new-prefix x\n    as: copy')).to.match(/is `latest` or `@BACKUP`/);
    expect(problemsOf('  - restore: latest\n    as: copy\n    live: true')).to.match(/`live` needs `in`/);
    expect(problemsOf('  - damage: corrupt')).to.match(/`object` .* say what is damaged/);
    expect(problemsOf('  - damage: fill-store\n    object: packs\n    of: x')).to.match(/takes no `object`/);
    expect(problemsOf('  - bulk: many\n    perSecond: 5')).to.match(/`for` is missing/);
    expect(problemsOf('  - mark: a\n    in: b')).to.match(/unknown field `in`/);
    expect(problemsOf('  - mark: a', 'backup: {store: bucket, storeSize: 1MiB}')).to.match(/belongs to `store: folder`/);
    expect(problemsOf('  - mark: a', 'backup: {storeSize: 1GB}')).to.match(/a size such as/);
    expect(problemsOf('  - mark: a', 'backup: {storeSize: 0MiB}')).to.match(/a size such as/);
  });

  it('are refused where the lab cannot do them', () => {
    expect(problemsOf('  - damage: fill-store')).to.match(/s\.yaml:6:13: .*this machine's would be filled/);
    expect(problemsOf('  - damage: fill-store', 'backup: {store: bucket}')).to.match(/this machine's would be filled/);
    expect(problemsOf('  - damage: fill-store', 'backup: {storeSize: 1MiB}')).to.equal('');
    expect(problemsOf('  - damage: fill-disk\n    in: us-east1')).to.match(/this machine's would be filled/);
    expect(problemsOf('  - damage: fill-disk\n    in: us-east1', 'backup: {diskSize: 9MiB}')).to.equal('');
    expect(problemsOf('  - damage: fill-disk', 'backup: {diskSize: 9MiB}')).to.match(/`in` says whose disk/);
    const made = '  - backup: create\n    as: x\n';
    expect(problemsOf(`${made}  - damage: put-back\n    object: packs\n    of: x`)).to.match(/nobody keeps a copy/);
    expect(problemsOf('  - mark: a', 'backup: {service: {every: 1s, prune: true}}')).to.match(/add `verify`/);
    expect(problemsOf('  - awaitBackups: 0', 'backup: {service: {every: 1s}}')).to.match(/waits for nothing/);
    expect(problemsOf('  - awaitBackups: 1')).to.match(/nobody would make the backups/);
    expect(problemsOf('  - awaitBackups: 1', 'backup: {service: {every: 1s}}')).to.equal('');
    const load = '  - bulk: many\n    perSecond: 5\n    for: 1s\n';
    expect(problemsOf(`${load}${load}`)).to.match(/a bulk load `many` already/);
    const group = (step: string): string => `  - repeat: 2\n    steps:\n${step.trimEnd().replaceAll(/^/gm, '    ')}`;
    expect(problemsOf(group(load)), 'the second round would hide what is lost of the first').to.match(/a bulk load `many` already/);
    expect(problemsOf(group(load).replace('repeat: 2', 'repeat: 1'))).to.equal('');
    expect(problemsOf(group('  - restore: latest\n    as: copy'))).to.match(/a restore `copy` already/);
    expect(problemsOf(group('  - restore: latest\n    as: copy\n    live: true\n    in: us-east1'))).to.equal('');
    const live = '  - restore: latest\n    as: copy\n    live: true\n    in: us-east1\n    offlineKey: true';
    expect(problemsOf(live)).to.match(/`offlineKey` is for a machine of its own/);
  });
});
