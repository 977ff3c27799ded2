import { expect } from 'chai';
import type { BackupOrdered, EventBody, RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { BackupStep, Scenario } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO, stateAt } from '../testing/handmade.ts';
import { CREATE, ID, MADE, RESTORE } from '../testing/backup-case.ts';
import { judge } from './judge.ts';
import type { FindingOutcome } from './verdict.ts';

const LIVE: Extract<BackupStep, { do: 'restore' }> = { ...RESTORE, region: 'us-east1', live: true };
const RESTORED: BackupOrdered = { ...MADE, name: 'copy', args: ['restore', ID], givenMs: 3000, endedMs: 3900, answer: null, added: [] };
const NOW: EventBody = { kind: 'mark', name: 'now', timeMs: 1_700_000_002_900 };

interface Change {
  readonly step?: Partial<typeof LIVE>;
  readonly targets?: Partial<Scenario['targets']>;
  readonly loss?: 'none' | 'allowed';
  /** How often it is restored, each time under the same name, as in a repeated group. */
  readonly times?: number;
}

/** Of everything that was acknowledged before the fault, what was answered after this instant is gone. */
function findingsOf(keptUntilMs: number, { step = {}, targets = {}, loss = 'allowed', times = 1 }: Change = {}) {
  const scenario: Scenario = {
    ...SCENARIO,
    backup: { store: 'folder', service: null, bytesPerSecond: null, storeBytes: null },
    method: [CREATE, ...SCENARIO.method, ...Array.from({ length: times }, () => ({ ...LIVE, ...step }))],
    expect: { ...SCENARIO.expect, loss },
    targets: { ...SCENARIO.targets, recoveryPointMs: 20_000, lostWrites: null, ...targets },
  };
  const args = ['restore', ...(step.args ?? [ID]).map((word) => (word === '@now' ? new Date(1_700_000_002_900).toISOString() : word))];
  const orders = Array.from({ length: times }, (_, n) => ({ ...RESTORED, args, givenMs: 3000 + 100 * n, endedMs: 3090 + 100 * n }));
  const events = failoverHistory({ scenario, edit: (plain) => edited(plain, keptUntilMs, orders) });
  return judge(events, CHECKS).verdict.findings;
}

function edited(plain: readonly RunEvent[], keptUntilMs: number, orders: readonly BackupOrdered[]): readonly RunEvent[] {
  const had = stateAt(plain, keptUntilMs);
  const before = new Set(
    plain.flatMap((event) => (event.kind === 'op' && event.intendedMs < 2000 && event.op === 'put' ? [event.value] : [])),
  );
  const lost = (key: string, value: string): boolean => before.has(value) && had.get(key) !== value;
  const read = plain.map((event) =>
    event.kind === 'readback'
      ? { ...event, entries: Object.fromEntries(Object.entries(event.entries ?? {}).filter(([key, value]) => !lost(key, value))) }
      : event,
  );
  const told = orders.map((order) => at(order.endedMs, order));
  return [...read, at(1850, MADE), at(2900, NOW), ...told].toSorted((a, b) => a.atMs - b.atMs);
}

type Findings = ReturnType<typeof findingsOf>;
const outcomesOf = (findings: Findings, name: string): readonly FindingOutcome[] =>
  findings.filter(({ check }) => check === name).map(({ outcome }) => outcome);
const outcomeOf = (findings: Findings, name: string): FindingOutcome => outcomesOf(findings, name)[0]!;

describe('a restore into a database of the system', () => {
  const within = (findings: Findings): FindingOutcome => {
    for (const check of ['lost-writes', 'recovery-point'])
      expect(outcomeOf(findings, check), 'within the objective').to.be.oneOf(['pass', 'inconclusive']);
    return outcomeOf(findings, 'backup-matches');
  };

  it('gives back all that was acknowledged before the backup was begun, however much may be lost', () => {
    expect(within(findingsOf(1850))).to.equal('pass');
    expect(within(findingsOf(1700)), 'an older one').to.equal('fail');
    expect(within(findingsOf(0)), 'nothing was restored').to.equal('fail');
  });

  it('proves nothing where all may be lost and nothing says how new it had to be', () => {
    expect(within(findingsOf(0, { step: { args: ['latest'] } })), 'of the latest').to.equal('inconclusive');
    expect(within(findingsOf(0, { step: { args: ['latest', '--to-time', '@now'] } })), 'of a time').to.equal('inconclusive');
    const long = { args: ['latest', '--to-time', '@now'], mayLackMs: 20_000 };
    expect(within(findingsOf(0, { step: long })), 'it may lack more than there was').to.equal('inconclusive');
    expect(within(findingsOf(0, { step: { args: ['latest', '--prefix', 'us-east1/'] } })), 'a part').to.equal('inconclusive');
  });

  it('is judged with the system where its objective would tell that nothing came back', () => {
    const latest = { args: ['latest'] };
    expect(within(findingsOf(1850, { step: latest, targets: { recoveryPointMs: 1000 } }))).to.equal('pass');
    const nothing = findingsOf(0, { step: latest, targets: { recoveryPointMs: 1000 } });
    expect(outcomeOf(nothing, 'recovery-point')).to.equal('fail');
    const few = { step: latest, targets: { recoveryPointMs: null, lostWrites: 50 } };
    expect(outcomeOf(findingsOf(1850, few), 'backup-matches')).to.equal('pass');
    expect(outcomeOf(findingsOf(0, few), 'lost-writes')).to.equal('fail');
    expect(outcomeOf(findingsOf(2000, { step: latest, loss: 'none' }), 'backup-matches'), 'no loss is allowed').to.equal('pass');
  });

  it('is judged in each round of a repeated group, not the first one every time', () => {
    expect(outcomesOf(findingsOf(1850, { times: 2 }), 'backup-matches')).to.deep.equal(['pass', 'pass']);
    expect(outcomesOf(findingsOf(0, { times: 2 }), 'backup-matches'), 'the last one gave nothing back').to.deep.equal(['pass', 'fail']);
  });
});
