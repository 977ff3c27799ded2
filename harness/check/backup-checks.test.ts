import { expect } from 'chai';
import type { BackupOrdered, EventBody, RunEvent, StoreListed } from '../history/event.ts';
import { bulkValue, recordedEntries } from '../measure/bulk-values.ts';
import { CHECKS } from '../registry.ts';
import type { BackupStep, Scenario, Step } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO, stateAt } from '../testing/handmade.ts';
import { judge } from './judge.ts';
import type { FindingOutcome } from './verdict.ts';

const NAMES = { region: 'us-central1', exits: 0, atMostMs: 10_000, namesDamage: false } as const;
const CREATE: Extract<BackupStep, { do: 'backup' }> = {
  do: 'backup',
  args: ['create'],
  name: 'first',
  ...NAMES,
  background: false,
  during: null,
};
const RESTORE: Extract<BackupStep, { do: 'restore' }> = {
  ...NAMES,
  do: 'restore',
  args: ['@first'],
  name: 'copy',
  region: null,
  live: false,
  offlineKey: false,
  since: null,
  mayLackMs: 0,
};
const DAMAGE: Step = { do: 'damage', how: 'corrupt', object: 'packs', of: 'first' };
const ID = '01M8FC38FJBR8ZT3FJYY4HY7NK';
const MADE: BackupOrdered = {
  kind: 'backup-order',
  name: 'first',
  pod: 'backup-us-central1',
  region: 'us-central1',
  args: ['create'],
  givenMs: 1800,
  endedMs: 1850,
  exitCode: 0,
  answer: { backupId: ID },
  said: '',
  added: [{ name: `manifests/lab/${ID}`, bytes: 100 }],
};
const RESTORED: BackupOrdered = {
  ...MADE,
  name: 'copy',
  pod: 'restore',
  args: ['restore', ID],
  givenMs: 6100,
  endedMs: 6300,
  answer: null,
  added: [],
};

interface Case {
  readonly method?: readonly Step[];
  readonly targets?: Partial<Scenario['targets']>;
  readonly made?: Partial<BackupOrdered>;
  readonly restored?: Partial<BackupOrdered>;
  readonly copy?: (events: readonly RunEvent[]) => ReadonlyMap<string, string> | null;
  readonly more?: readonly (readonly [number, EventBody])[];
}

/** A failover (fault at 2 s) with a backup right before it, which is restored after it. */
function outcome(check: string, of: Case = {}): FindingOutcome {
  const { method = [CREATE, ...SCENARIO.method, RESTORE], targets = {}, made = {}, restored = {}, more = [] } = of;
  const backup = { store: 'folder', service: null, bytesPerSecond: null, storeBytes: null } as const;
  const scenario: Scenario = { ...SCENARIO, backup, method, targets: { ...SCENARIO.targets, ...targets } };
  const events = failoverHistory({
    scenario,
    edit: (plain) => {
      const copy = (of.copy ?? ((events) => stateAt(events, 1840)))(plain);
      const read: EventBody =
        copy === null
          ? { kind: 'copy', name: 'copy', ok: false, error: 'it ended' }
          : { kind: 'copy', name: 'copy', ok: true, entries: Object.fromEntries(copy) };
      const orders = [at(1850, { ...MADE, ...made }), at(6300, { ...RESTORED, ...restored }), at(6400, read)];
      return [...plain, ...orders, ...more.map(([atMs, body]) => at(atMs, body))].toSorted((a, b) => a.atMs - b.atMs);
    },
  });
  const mine = judge(events, CHECKS).verdict.findings.filter((one) => one.check === check);
  const worst = mine.find((one) => one.outcome === 'fail') ?? mine.find((one) => one.outcome === 'inconclusive') ?? mine[0];
  return worst?.outcome ?? 'skipped';
}

describe('checks of backups', () => {
  it('pass a backup of before a failover that is restored as it was', () => {
    for (const check of ['backup-orders', 'backup-matches']) expect(outcome(check), check).to.equal('pass');
  });

  describe('backup-matches', () => {
    it('fails a copy that lacks a write, although the engine calls it good', () => {
      const copy = (events: readonly RunEvent[]) => {
        const store = stateAt(events, 1840);
        store.delete([...store.keys()][3]!);
        return store;
      };
      expect(outcome('backup-matches', { copy, restored: { answer: { checked: 'root', ok: true } } })).to.equal('fail');
    });
    it('fails a copy that is older than its backup, or younger', () => {
      expect(outcome('backup-matches', { copy: (events) => stateAt(events, 1500) })).to.equal('fail');
      expect(outcome('backup-matches', { copy: (events) => stateAt(events, 1990) })).to.equal('fail');
    });
    it('says nothing of a copy that nobody could read, of none, and of an empty one of an empty system', () => {
      expect(outcome('backup-matches', { copy: () => null })).to.equal('inconclusive');
      expect(outcome('backup-matches', { method: [CREATE, ...SCENARIO.method] })).to.equal('inconclusive');
      expect(outcome('backup-matches', { restored: { name: 'other' } })).to.equal('inconclusive');
    });
    it('says nothing of a copy of which nobody knows how new it had to be', () => {
      const step: Step = { ...RESTORE, args: ['latest'] };
      const of = (change: object): FindingOutcome =>
        outcome('backup-matches', {
          method: [CREATE, ...SCENARIO.method, { ...step, ...change }],
          restored: { args: ['restore', 'latest'], answer: { backupId: ID } },
          more: [[1700, { kind: 'mark', name: 'then', timeMs: 1_700_000_001_700 }]],
        });
      expect(of({})).to.equal('inconclusive');
      expect(of({ since: 'then' })).to.equal('pass');
    });
    it('of a restore to a time allows what the scenario allows it to lack, and nothing of after', () => {
      const step: Step = { ...RESTORE, args: ['latest', '--to-time', '@before'], mayLackMs: 200 };
      const mark: readonly [number, EventBody] = [1900, { kind: 'mark', name: 'before', timeMs: 1_700_000_001_900 }];
      const restored = { args: ['restore', 'latest', '--to-time', new Date(1_700_000_001_900).toISOString()] };
      const of = (atMs: number): FindingOutcome =>
        outcome('backup-matches', {
          method: [CREATE, ...SCENARIO.method, step],
          more: [mark],
          restored,
          copy: (events) => stateAt(events, atMs),
        });
      expect(of(1850)).to.equal('pass');
      expect(of(1600)).to.equal('fail');
      expect(of(1960)).to.equal('fail');
    });
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

  it('a copy of another backup than the one that a restore of the latest names is neither that one nor a proof of it', () => {
    const step: Step = { ...RESTORE, args: ['latest'], since: 'early' };
    const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
    const of = (check: string, atMs: number): FindingOutcome =>
      outcome(check, {
        method: [CREATE, ...SCENARIO.method, step],
        targets: { backupAgeMs: 500 },
        restored: { args: ['restore', 'latest'], answer: { backupId: ID } },
        more: [early],
        copy: (events) => stateAt(events, atMs),
      });
    expect(of('backup-matches', 1840)).to.equal('pass');
    expect(of('backup-age', 1840)).to.equal('pass');
    expect(of('backup-matches', 1500)).to.equal('fail');
    expect(of('backup-age', 1500)).to.equal('inconclusive');
  });

  it('a mark asks for more than the backup has of itself, never for less', () => {
    const early: readonly [number, EventBody] = [1200, { kind: 'mark', name: 'early', timeMs: 1_700_000_001_200 }];
    const method = [CREATE, ...SCENARIO.method, { ...RESTORE, since: 'early' }];
    expect(outcome('backup-matches', { method, more: [early], copy: (events) => stateAt(events, 1500) })).to.equal('fail');
  });

  describe('a bulk load', () => {
    const step: Step = { do: 'bulk', name: 'many', perSecond: 100, forMs: 1000, valueBytes: 100, mayFail: 0.1 };
    const metrics = {
      iterations: { count: 100, rate: 100 },
      http_reqs: { count: 100 },
      http_req_failed: { value: 0.05, passes: 5, fails: 95 },
    };
    const load: readonly [number, EventBody] = [
      6050,
      { kind: 'bulk', name: 'many', startedMs: 0, endedMs: 1000, exitCode: 0, summary: { metrics } },
    ];
    const entries = (count: number): [string, string][] =>
      Array.from({ length: count }, (_, index) => {
        const key = `bulk/many/${index}`;
        return [key, recordedEntries(new Map([[key, bulkValue(key, 100)]]))[key]!] as const;
      }).map(([key, value]) => [key, value]);
    const of = (check: string, inCopy: number): FindingOutcome =>
      outcome(check, {
        method: [step, { ...CREATE }, ...SCENARIO.method, RESTORE],
        more: [load],
        copy: (events) => new Map([...stateAt(events, 1840), ...entries(inCopy)]),
      });
    // The backup began at 1800 ms: by then all requests of the first 800 ms had ended, and five of all failed.
    it('is in a copy as far as it had certainly been acknowledged', () => {
      expect(of('backup-matches', 75)).to.equal('pass');
      expect(of('backup-matches', 74)).to.equal('inconclusive');
      expect(of('backup-matches', 0)).to.equal('inconclusive');
    });
    it('is lost when the region that serves has less of it than was acknowledged', () => {
      expect(of('lost-writes', 75)).to.equal('fail');
      const kept = (count: number): FindingOutcome => {
        const events = failoverHistory({
          scenario: { ...SCENARIO, backup: null, method: [step, ...SCENARIO.method] },
          copy: (store) => entries(count).forEach(([key, value]) => store.set(key, value)),
          edit: (plain) => [...plain, at(...load)].toSorted((a, b) => a.atMs - b.atMs),
        });
        return judge(events, CHECKS).verdict.findings.find((one) => one.check === 'lost-writes')!.outcome;
      };
      expect(kept(95)).to.equal('pass');
      expect(kept(94)).to.equal('fail');
    });
  });

  it('restore-time: judges the longest restore', () => {
    expect(outcome('restore-time', { targets: { restoreTimeMs: 500 } })).to.equal('pass');
    expect(outcome('restore-time', { targets: { restoreTimeMs: 100 } })).to.equal('fail');
    expect(outcome('restore-time', { targets: { restoreTimeMs: 500 }, restored: { exitCode: 1 } })).to.equal('inconclusive');
  });

  it('bulk-load: what was dropped, failed beyond its share, or is nowhere, is no load', () => {
    const step: Step = { do: 'bulk', name: 'many', perSecond: 10, forMs: 2000, valueBytes: 100, mayFail: 0.1 };
    const load = (metrics: object, exitCode: number | null = 0): FindingOutcome =>
      outcome('bulk-load', {
        method: [CREATE, step, RESTORE],
        more: [[5000, { kind: 'bulk', name: 'many', startedMs: 1500, endedMs: 3500, exitCode, summary: { metrics } }]],
      });
    const iterations = { count: 20, rate: 10 };
    expect(load({ iterations, http_reqs: { count: 20 }, http_req_failed: { value: 0.05, fails: 19 } })).to.equal('pass');
    expect(load({ iterations, http_reqs: { count: 20 } }), 'nobody says which were answered').to.equal('inconclusive');
    expect(load({ iterations, http_reqs: { count: 20 }, http_req_failed: { value: 0, fails: 0 } })).to.equal('inconclusive');
    expect(load({ iterations })).to.equal('inconclusive'); // the script broke before each request: no rate, so no threshold is crossed
    expect(load({ iterations, dropped_iterations: { count: 1 } })).to.equal('fail');
    expect(load({ iterations, http_req_failed: { value: 0.2 } })).to.equal('fail');
    expect(load({ iterations, http_req_failed: { value: 0, thresholds: { 'rate<=0': true } } }, 99)).to.equal('fail');
    expect(load({ iterations: { count: 5 } })).to.equal('inconclusive');
    expect(load({ iterations }, 1)).to.equal('inconclusive');
    expect(outcome('bulk-load', { method: [CREATE, step, RESTORE] })).to.equal('inconclusive');
  });
});
