import { expect } from 'chai';
import type { EventBody, RunEvent, StoreListed } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { BackupStep, Step } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO, stateAt } from '../testing/handmade.ts';
import { judge } from './judge.ts';
import type { FindingOutcome } from './verdict.ts';
import { partitionEvents } from '../testing/handmade-fault.ts';
import { CREATE, RESTORE, DAMAGE, ID, MADE, outcome } from '../testing/backup-case.ts';

describe('checks of backups', () => {
  it('pass a backup of before a failover that is restored as it was', () => {
    for (const check of ['backup-orders', 'backup-matches']) expect(outcome(check), check).to.equal('pass');
  });

  describe('backup-orders', () => {
    it('fails an order that ends otherwise, or not in time, and misses one that was never given', () => {
      expect(outcome('backup-orders', { restored: { exitCode: 1 } })).to.equal('fail');
      expect(outcome('backup-orders', { restored: { exitCode: null } })).to.equal('fail');
      expect(outcome('backup-orders', { made: { args: ['drill', 'latest'], name: null } })).to.equal('inconclusive');
    });
    it('fails an order that does not say what it must', () => {
      const list = (says: string): BackupStep => ({ ...CREATE, args: ['list'], name: null, exits: 1, says });
      const given: readonly [number, EventBody] = [
        6050,
        { ...MADE, name: null, args: ['list'], exitCode: 1, answer: null, said: '[{"backupId":"x","problem":"quarantined"}]', added: [] },
      ];
      const of = (says: string): FindingOutcome =>
        outcome('backup-orders', { method: [CREATE, ...SCENARIO.method, list(says), RESTORE], more: [given] });
      expect(of('quarantined')).to.not.equal('fail');
      expect(of('damaged')).to.equal('fail');
    });
    it('misses an order that was given otherwise', () => {
      const verify = (...args: string[]): BackupStep => ({ ...CREATE, args: ['verify', ...args], name: null });
      const method = [CREATE, ...SCENARIO.method, verify('@first', '--level', '3'), RESTORE];
      const given = (level: string): readonly [number, EventBody] => [
        6050,
        { ...MADE, name: null, args: ['verify', ID, '--level', level], added: [] },
      ];
      expect(outcome('backup-orders', { method, more: [given('3')] })).to.equal('pass');
      expect(outcome('backup-orders', { method, more: [given('0')] })).to.equal('inconclusive');
    });
    it('takes no crash, and no program that never ran, for a refusal that was expected', () => {
      const method = [CREATE, ...SCENARIO.method, { ...RESTORE, exits: 1 }];
      const of = (said: string): FindingOutcome => outcome('backup-orders', { method, restored: { exitCode: 1, said } });
      expect(of('restoring  6 %\nkey-service-failed: the wrong key\n')).to.equal('pass');
      expect(of('')).to.equal('inconclusive');
      expect(of("node:internal/modules/cjs/loader:1143\n  throw err;\nError: Cannot find module 'x'\n")).to.equal('inconclusive');
      expect(of('sh: 1: coditect-dr: not found\n')).to.equal('inconclusive');
      // It had told something by then, and one line begins like a refusal.
      const said = 'TypeError: x is not a function\n    at restore (file:///dist/src/cli.js:10:5)\ncode-name: x\n';
      expect(outcome('backup-orders', { method, restored: { exitCode: 1, said, answer: { level: 'info' } } })).to.equal('inconclusive');
    });
    it('fails a restore that succeeds though what it needs is damaged, and one that does not name it', () => {
      const method = [CREATE, DAMAGE, { ...RESTORE, exits: 1, namesDamage: true }];
      const damage: readonly [number, EventBody] = [
        1900,
        { kind: 'damage', how: 'corrupt', object: 'packs/ab/abcdef', done: [{ what: 'packs/ab/abcdef', before: 'a', after: 'b' }] },
      ];
      expect(outcome('backup-orders', { method, more: [damage], restored: { exitCode: 0 } })).to.equal('fail');
      const vague = { exitCode: 1, said: 'backup-failed: something is wrong' };
      expect(outcome('backup-orders', { method, more: [damage], restored: vague })).to.equal('fail');
      expect(
        outcome('backup-orders', { method, more: [damage], restored: { exitCode: 1, said: 'backup-damaged: packs/ab/abcdef' } }),
      ).to.equal('pass');
      expect(outcome('backup-orders', { method, restored: { exitCode: 1, said: 'backup-damaged: packs/ab/abcdef' } })).to.equal(
        'inconclusive',
      );
      const manifest: readonly [number, EventBody] = [
        1900,
        { kind: 'damage', how: 'corrupt', object: `manifests/lab/${ID}`, done: [{ what: `manifests/lab/${ID}`, before: 'a', after: 'b' }] },
      ];
      const echoed = { exitCode: 1, said: `backup-damaged: cannot restore ${ID}` };
      expect(outcome('backup-orders', { method, more: [manifest], restored: echoed })).to.equal('fail');
    });
  });

  describe('backups-awaited', () => {
    const step: Extract<BackupStep, { do: 'await-backups' }> = { do: 'await-backups', more: 2, atMostMs: 1000 };
    const manifest = (id: string): string => `manifests/lab/${id}`;
    type Look = Omit<StoreListed, 'kind'>;
    const AWAITED = { awaited: { more: 2, came: 2 } };
    const all = (...ids: readonly string[]): Pick<Look, 'manifests' | 'listed'> => ({
      manifests: ids.map(manifest),
      listed: Object.fromEntries(ids.map((id) => [id, null])),
    });
    const of = (looks: readonly Look[], change: Partial<typeof step> = {}): FindingOutcome =>
      outcome('backups-awaited', {
        method: [CREATE, { ...step, ...change }, RESTORE],
        more: looks.map((look, n) => [3000 + n, { kind: 'store', ...look }] as const),
      });

    it('passes what lies there at the end and not at the beginning, and is to be trusted', () => {
      expect(of([{ manifests: [manifest('a')] }, { ...all('a', 'b', 'c'), ...AWAITED }])).to.equal('pass');
    });
    it('believes no count of the run: fewer came, or were there before, or nobody trusts them', () => {
      expect(of([{ manifests: [manifest('a')] }, { ...all('a', 'b'), ...AWAITED }])).to.equal('fail');
      expect(of([{ manifests: ['a', 'b', 'c'].map(manifest) }, { ...all('a', 'b', 'c'), ...AWAITED }])).to.equal('fail');
      const listed = { a: null, b: null, c: 'its writer had been replaced: quarantined' };
      expect(of([{ manifests: [manifest('a')] }, { manifests: ['a', 'b', 'c'].map(manifest), listed, ...AWAITED }])).to.equal('fail');
    });
    it('knows nothing where nobody waited, looked before, or read them elsewhere', () => {
      expect(of([{ manifests: [] }])).to.equal('inconclusive');
      expect(of([{ ...all('a', 'b'), ...AWAITED }])).to.equal('inconclusive');
      expect(
        of([
          { manifests: [], alone: true },
          { ...all('a', 'b'), ...AWAITED },
        ]),
      ).to.equal('inconclusive');
      expect(of([{ manifests: [] }, { manifests: ['a', 'b'].map(manifest), ...AWAITED }])).to.equal('inconclusive');
    });
    it('counts verifications by what their records say, and what is gone by what was there', () => {
      const looks = (ok: boolean, ...left: readonly string[]): readonly Look[] => [
        { manifests: ['a', 'b'].map(manifest), records: { 'verify/a/1-3.json': true } },
        {
          manifests: left.map(manifest),
          records: { 'verify/a/1-3.json': true, 'verify/b/2-3.json': ok, 'verify/b/3-1.json': true },
          awaited: { more: 0, came: 0 },
        },
      ];
      const asked = (change: Partial<typeof step>) => ({ more: 0, ...change });
      expect(of(looks(true, 'b'), asked({ verified: 1, gone: 1 }))).to.equal('pass');
      expect(of(looks(true, 'b'), asked({ verified: 2 }))).to.equal('fail');
      expect(of(looks(false, 'b'), asked({ verified: 1 }))).to.equal('fail');
      expect(of(looks(false, 'b'), asked({ damaged: 1 }))).to.equal('pass');
      expect(of(looks(true, 'a', 'b'), asked({ gone: 1 }))).to.equal('fail');
    });
  });

  it('damage-done: damage that changed nothing, or that nobody did, proves nothing', () => {
    const method = [CREATE, DAMAGE, RESTORE];
    const damage = (before: string, after: string): readonly [number, EventBody] => [
      1900,
      { kind: 'damage', how: 'corrupt', object: 'packs/a', done: [{ what: 'packs/a', before, after }] },
    ];
    expect(outcome('damage-done', { method, more: [damage('a', 'b')] })).to.equal('pass');
    expect(outcome('damage-done', { method, more: [damage('a', 'a')] })).to.equal('inconclusive');
    expect(outcome('damage-done', { method })).to.equal('inconclusive');
    const filled = (left: string): readonly [number, EventBody] => [
      1900,
      { kind: 'damage', how: 'fill-store', object: null, done: [{ what: 'store', before: '3 bytes', after: left }] },
    ];
    const full: readonly Step[] = [CREATE, { do: 'damage', how: 'fill-store', object: null, of: null }, RESTORE];
    expect(outcome('damage-done', { method: full, more: [filled('0 bytes free')] })).to.equal('pass');
    expect(outcome('damage-done', { method: full, more: [filled('4096 bytes free')] })).to.equal('inconclusive');
  });

  it('damage-done: a disk that is left when all are to be erased has everything', () => {
    const method: readonly Step[] = [CREATE, { do: 'damage', how: 'erase-databases', object: null, of: null }, RESTORE];
    const pods = ['db-us-central1', 'db-us-east1'];
    const seen = pods.map((pod): readonly [number, EventBody] => [
      10,
      { kind: 'pod', pod, region: pod.slice(3), change: 'started', pid: 7 },
    ]);
    const erased = (of: readonly string[]): readonly [number, EventBody] => [
      1900,
      { kind: 'damage', how: 'erase-databases', object: null, done: of.map((what) => ({ what, before: '2 files', after: '0 files' })) },
    ];
    expect(outcome('damage-done', { method, more: [...seen, erased(pods)] })).to.equal('pass');
    expect(outcome('damage-done', { method, more: [...seen, erased(['db-us-central1'])] })).to.equal('inconclusive');
  });

  it('deletion-done: a mass delete that did not happen proves nothing, whoever says that it did', () => {
    const method: readonly Step[] = [CREATE, ...SCENARIO.method, { do: 'delete-all', atMostMs: 500 }, RESTORE];
    const deletion: readonly [number, EventBody] = [6090, { kind: 'deletion', startedMs: 5500, endedMs: 6090 }];
    expect(outcome('deletion-done', { method })).to.equal('inconclusive');
    expect(outcome('deletion-done', { method, more: [deletion] })).to.equal('inconclusive');
    const early: readonly [number, EventBody] = [6090, { kind: 'deletion', startedMs: 10, endedMs: 20 }];
    expect(outcome('deletion-done', { method, more: [early] })).to.equal('inconclusive');
    const events = failoverHistory({
      scenario: { ...SCENARIO, method },
      edit: (plain) => {
        const puts = plain.filter((one) => one.kind === 'op' && one.op === 'put' && one.outcome === 'ok' && one.completedMs < 5500);
        const deletes = puts.map((put) =>
          at(5600, { ...(put as typeof put & { kind: 'op' }), op: 'delete', intendedMs: 5550, completedMs: 5600 }),
        );
        return [...plain, ...deletes, at(6090, deletion[1])].toSorted((one, other) => one.atMs - other.atMs);
      },
    });
    const told = judge(events, CHECKS).verdict.findings.filter((one) => one.check === 'deletion-done');
    expect(told.map((one) => one.outcome)).to.deep.equal(['pass', 'pass']);
  });

  it('backup-overlap: a backup that was done before the fault did not go through it', () => {
    const method = [{ ...CREATE, during: 'isolation' }, ...SCENARIO.method, RESTORE];
    expect(outcome('backup-overlap', { method, made: { endedMs: 2500 } })).to.equal('pass');
    expect(outcome('backup-overlap', { method })).to.equal('inconclusive');
  });

  it('backup-age: of a backup of the service counts when the disk says that it came, and how old its state is by the ledger', () => {
    const step: Step = { ...RESTORE, args: ['latest'], since: 'early' };
    const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
    const of = (backupAgeMs: number, atMs: number, writtenMs: number | null): FindingOutcome =>
      outcome('backup-age', {
        method: [...SCENARIO.method, step],
        targets: { backupAgeMs },
        made: { name: null, args: ['list'], answer: null, added: [] },
        restored: { args: ['restore', 'latest'], answer: { backupId: ID } },
        copy: (events) => stateAt(events, atMs),
        more: [
          early,
          ...(writtenMs === null
            ? []
            : [
                [
                  6050,
                  { kind: 'store', manifests: [`manifests/lab/${ID}`], writtenMs: { [`manifests/lab/${ID}`]: writtenMs }, alone: true },
                ] as const,
              ]),
        ],
      });
    expect(of(300, 1840, 1900)).to.equal('pass');
    expect(of(300, 1400, 1900)).to.equal('fail'); // made shortly before, of an old state
    expect(of(300, 1840, 2500)).to.equal('inconclusive'); // it came after the fault
    expect(of(300, 1840, null)).to.equal('inconclusive'); // nobody looked
  });

  it('backup-age: is judged at each fault: what was young at the first one is old at the next', () => {
    const inject: Step = { do: 'inject', fault: 'second', manifest: 'isolation.yaml' };
    const of = (t0Ms: number, backupAgeMs: number): FindingOutcome =>
      outcome('backup-age', {
        method: [CREATE, ...SCENARIO.method, inject, { do: 'heal', fault: 'second' }, RESTORE],
        targets: { backupAgeMs },
        more: partitionEvents({ fault: 'second', t0Ms, t1Ms: [t0Ms + 2, t0Ms + 6], healedMs: t0Ms + 200 }).map((event) => [
          event.atMs,
          event,
        ]),
      });
    expect(of(6200, 500)).to.equal('fail');
    expect(of(6200, 5000)).to.equal('pass');
  });

  it('backup-age: judges the newest backup of before the fault that a restore proved, and nothing that is not proved', () => {
    expect(outcome('backup-age', { targets: { backupAgeMs: 500 } })).to.equal('pass');
    expect(outcome('backup-age', { targets: { backupAgeMs: 100 } })).to.equal('fail');
    expect(outcome('backup-age', { targets: { backupAgeMs: 500 }, copy: (events) => stateAt(events, 1500) })).to.equal('inconclusive');
    expect(outcome('backup-age', { targets: { backupAgeMs: 500 }, made: { endedMs: 2500 } })).to.equal('inconclusive');
    const part = { args: ['restore', ID, '--prefix', 'outside/'] };
    const copy = (events: readonly RunEvent[]) => new Map([...stateAt(events, 1840)].filter(([key]) => key.startsWith('outside/')));
    expect(outcome('backup-matches', { restored: part, copy })).to.equal('pass');
    expect(outcome('backup-age', { targets: { backupAgeMs: 500 }, restored: part, copy })).to.equal('inconclusive');
  });

  it('restore-time: judges the longest restore', () => {
    expect(outcome('restore-time', { targets: { restoreTimeMs: 500 } })).to.equal('pass');
    expect(outcome('restore-time', { targets: { restoreTimeMs: 100 } })).to.equal('fail');
    expect(outcome('restore-time', { targets: { restoreTimeMs: 500 }, restored: { exitCode: 1 } })).to.equal('inconclusive');
  });
});
