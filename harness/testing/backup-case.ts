import type { BackupOrdered, EventBody, RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { BackupStep, Scenario, Step } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO, stateAt } from './handmade.ts';
import { judge } from '../check/judge.ts';
import type { FindingOutcome } from '../check/verdict.ts';

/** One failover with a backup before it and a restore after it, for tests of checks of backups: the orders as they would be, and what may be changed of them. */

const NAMES = { region: 'us-central1', exits: 0, atMostMs: 10_000, namesDamage: false } as const;
export const CREATE: Extract<BackupStep, { do: 'backup' }> = {
  do: 'backup',
  args: ['create'],
  name: 'first',
  ...NAMES,
  background: false,
  during: null,
};
export const RESTORE: Extract<BackupStep, { do: 'restore' }> = {
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
export const DAMAGE: Step = { do: 'damage', how: 'corrupt', object: 'packs', of: 'first' };
export const ID = '01M8FC38FJBR8ZT3FJYY4HY7NK';
export const MADE: BackupOrdered = {
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

interface BackupCase {
  readonly method?: readonly Step[];
  readonly targets?: Partial<Scenario['targets']>;
  readonly made?: Partial<BackupOrdered>;
  readonly restored?: Partial<BackupOrdered>;
  readonly copy?: (events: readonly RunEvent[]) => ReadonlyMap<string, string> | null;
  readonly more?: readonly (readonly [number, EventBody])[];
}

/** A failover (fault at 2 s) with a backup right before it, which is restored after it. */
export function outcome(check: string, of: BackupCase = {}): FindingOutcome {
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
