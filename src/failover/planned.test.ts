import { expect } from 'chai';
import fc from 'fast-check';
import type { History, Journal, PastRun, Replication } from '../arbiter/arbiter.ts';
import { PRESETS } from '../config/policy.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { acknowledge } from './history.ts';
import { NOBODY_IN_SYNC, watchInSync } from './in-sync.ts';
import { whyNot } from './orders.ts';
import { rehearse } from './rehearsal.ts';
import type { Effect, Event, Facts, OperatorRequest, Run, SeenStatus, Setting, State } from './state.ts';
import { INITIAL, transition } from './transition.ts';

const policy = PRESETS.lab;
const NOW = 100_000;
const [CENTRAL, EAST, EUROPE] = ['us-central1', 'us-east1', 'europe-west1'] as const;
const setting: Setting = {
  policy,
  region: EUROPE,
  incarnation: 'me',
  regions: [CENTRAL, EAST, EUROPE],
  primaryRegion: CENTRAL,
  promotable: [CENTRAL, EAST, EUROPE],
  replication: 'sync',
  rpoMs: 5000,
  vetoProgram: false,
};

function seen(region: string, change: Partial<DatabaseStatus> = {}, askedAtMs = NOW): [string, SeenStatus] {
  const log = { lastIndex: 50, lastEpoch: 1, commitIndex: 50, appliedIndex: 50 };
  const rest = {
    role: 'standby' as const,
    epoch: 1,
    sealedEpoch: 1,
    writable: false,
    lease: null,
    mode: 'sync' as const,
    syncSet: [],
    w: 1,
  };
  return [region, { status: { region, incarnation: 'p', ...log, ...rest, standbys: {}, ...change }, askedAtMs }];
}
const standby = (lagEntries = 0, lagMs = 0, inSync = true) => ({ matchIndex: 50, lagEntries, lagMs, ageMs: 5, inSync });
const serving = (standbys: DatabaseStatus['standbys'] = { [EAST]: standby(), [EUROPE]: standby() }): [string, SeenStatus] =>
  seen(CENTRAL, { role: 'primary', writable: true, standbys });

function facts(change: Partial<Facts> = {}): Facts {
  const replication: Replication = { epoch: 1, mode: 'sync', set: [EAST, EUROPE], w: 1 };
  return {
    nowMs: NOW,
    wallMs: 5_000_000,
    lease: { lease: { epoch: 1, holder: CENTRAL, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW },
    replaced: null,
    replication: { value: replication, revision: 2 },
    journal: null,
    maintenance: null,
    history: null,
    inSyncSinceMs: new Map(),
    quorum: { kind: 'veto', by: EUROPE },
    vetoedAtMs: null,
    databases: new Map([serving(), seen(EAST), seen(EUROPE)]),
    newRunId: 'run',
    ...change,
  };
}
const SWITCH: OperatorRequest = { kind: 'switchover', target: EAST, by: 'anna' };
const refusal = (request: OperatorRequest, given: Partial<Facts> = {}, state: State = INITIAL) =>
  whyNot(state, request, facts(given), setting);
const pending = (seenAtMs = NOW) => ({ lease: { epoch: 2, holder: null, incarnation: 'run', seq: 7 }, revision: 8, seenAtMs });
const kinds = (effects: readonly Effect[]) => effects.map(({ kind }) => kind);

/** The machine with an operator in front of it: events one after the other, the journal saved as it asks. */
class Walk {
  state: State = INITIAL;
  effects: readonly Effect[] = [];
  said: string[] = [];
  facts: Facts;
  constructor(given: Partial<Facts> = {}) {
    this.facts = facts(given);
  }
  get run(): Run {
    if (this.state.kind !== 'run') throw new Error(`no run: ${this.state.kind}`);
    return this.state;
  }
  tell(event: Event, change: Partial<Facts> = {}): this {
    this.facts = { ...this.facts, ...change };
    const { state, effects, announce } = transition(this.state, event, this.facts, setting);
    [this.state, this.effects] = [state, effects];
    this.said.push(...announce.map(({ action }) => action));
    return this;
  }
  tick(change: Partial<Facts> = {}): this {
    return this.tell({ kind: 'tick' }, change);
  }
  /** Carries out whatever has to be in the arbiter before anything else may happen. */
  saved(): this {
    for (let i = 0; i < 5; i++) {
      const [effect] = this.effects;
      if (effect?.kind === 'record-history') {
        this.tell({ kind: 'history-recorded', runId: effect.run.runId }, { history: { value: effect.value, revision: 1 } });
      } else if (effect?.kind === 'save-journal') {
        const journal = { value: effect.value, revision: effect.value.seq + 20 };
        this.tell({ kind: 'journal-saved', seq: effect.value.seq, revision: journal.revision }, { journal });
      }
    }
    return this;
  }
  /** Up to FENCE_AND_SEAL, the set frozen. */
  acquired(): this {
    this.tell({ kind: 'operator', request: SWITCH }).saved().tell({ kind: 'ttl-lowered' }).saved();
    const nobody = { kind: 'none', why: '' } as const;
    const replaced = this.facts.lease;
    return this.tick({ lease: pending(), replaced, quorum: nobody }).saved().tell({ kind: 'set-frozen', replication: null });
  }
  after(ms: number): this {
    return this.tick({ nowMs: this.facts.nowMs + ms, wallMs: this.facts.wallMs + ms });
  }
}
const log = (region: string, lastIndex = 60, lastEpoch = 1) => ({ region, lastEpoch, lastIndex });

describe('switchover', () => {
  it('takes nothing before the target has nearly everything and clients ask often', () => {
    const late = new Walk({ databases: new Map([serving({ [EAST]: standby(5000) }), seen(EAST), seen(EUROPE)]) });
    late.tell({ kind: 'operator', request: SWITCH }).saved().tell({ kind: 'ttl-lowered' });
    expect(late.run.journal.step).to.equal('PREPARE');
    late.tick({ databases: new Map([serving(), seen(EAST), seen(EUROPE)]) });
    expect(late.run.journal).to.include({ step: 'ACQUIRE', epoch: 2 });
    const early = new Walk().tell({ kind: 'operator', request: SWITCH }).saved();
    expect([early.run.journal.step, kinds(early.effects)]).to.deep.equal(['PREPARE', ['lower-ttl']]);
  });

  it('ends with nothing changed when that takes too long, or when the primary is suspected meanwhile', () => {
    const tired = new Walk()
      .tell({ kind: 'operator', request: SWITCH })
      .saved()
      .after(policy.prepareMs + 1)
      .saved();
    expect(tired.said).to.include('failover_aborted');
    expect(tired.facts.history?.value.runs[0]).to.include({ outcome: 'ABORTED', tier: 'switchover', to: null, by: 'anna' });
    const suspected = new Walk().tell({ kind: 'operator', request: SWITCH }).saved();
    suspected.tick({ quorum: { kind: 'suspects', sinceMs: NOW, by: [EAST, EUROPE] } });
    expect(suspected.run.journal.step).to.equal('ABORTED');
  });

  it('seals the target only when it has all of the fenced log, and promotes nobody else', () => {
    const walk = new Walk().acquired();
    expect(kinds(walk.effects)).to.deep.equal(['fence']);
    walk.tell({ kind: 'fenced', log: log(CENTRAL) });
    expect(walk.effects).to.deep.equal([{ kind: 'catch-up', region: EAST, log: log(CENTRAL) }]);
    walk.tell({ kind: 'caught-up', region: EAST });
    expect(kinds(walk.effects)).to.deep.equal(['seal', 'seal']);
    walk.tell({ kind: 'sealed', log: log(EUROPE, 70) });
    expect(walk.run.journal.step, 'another one is no target').to.equal('FENCE_AND_SEAL');
    walk.tell({ kind: 'sealed', log: log(EAST) });
    expect(walk.run.journal).to.include({ step: 'PROMOTE', to: EAST, fencedBy: 'holder' });
  });

  it('takes no end of a lease for the confirmation of the old primary', () => {
    const walk = new Walk().acquired().after(policy.fenceConfirmMs);
    walk.tick({ lease: pending(NOW - 10 * policy.successorWaitsMs), replaced: null });
    expect(walk.run.journal.fencedBy).to.equal(null);
    expect(kinds(walk.effects)).to.include('fence').and.not.to.include('promote');
  });

  it('is undone when the old primary does not confirm: it is promoted itself, with the set that it had, once it shows the log of its epoch', () => {
    const walk = new Walk()
      .acquired()
      .after(policy.fenceConfirmMs + 1)
      .saved();
    expect(walk.run.journal).to.include({ step: 'PROMOTE', course: 'undo', to: CENTRAL });
    expect(kinds(walk.effects)).to.deep.equal(['fence']);
    walk.tell({ kind: 'fenced', log: log(CENTRAL) });
    expect(walk.effects[0]).to.deep.include({ kind: 'promote', region: CENTRAL });
    expect(walk.effects[0]).to.have.deep.nested.property('request.set', [EAST, EUROPE]);
    const lease = { lease: { epoch: 2, holder: CENTRAL, incarnation: 'p', seq: 0 }, revision: 9, seenAtMs: NOW };
    walk.tell({ kind: 'promoted', region: CENTRAL, writable: true }, { lease, quorum: { kind: 'veto', by: EUROPE } }).saved();
    walk.tell({ kind: 'database-verified' }).saved().tell({ kind: 'routed' }).saved().tell({ kind: 'end-to-end-verified' }).saved();
    expect(walk.state).to.deep.equal(INITIAL);
    expect(walk.said).to.include('failover_undone');
    expect(walk.facts.history?.value.runs[0]).to.include({ outcome: 'UNDONE', to: CENTRAL, epoch: 2 });
  });

  it('is undone when the target does not get everything, or cannot be promoted', () => {
    const behind = new Walk()
      .acquired()
      .tell({ kind: 'fenced', log: log(CENTRAL) })
      .after(policy.catchUpMs + 1);
    expect(behind.run.journal).to.include({ course: 'undo', to: CENTRAL });
    const broken = new Walk()
      .acquired()
      .tell({ kind: 'fenced', log: log(CENTRAL) })
      .tell({ kind: 'caught-up', region: EAST });
    broken.tell({ kind: 'sealed', log: log(EAST) }).saved();
    const failed: Event = { kind: 'promote-failed', region: EAST, why: 'disk full' };
    expect(broken.tell(failed).run.journal.course).to.equal('planned');
    expect(broken.tell(failed).run.journal).to.include({ course: 'undo', to: CENTRAL });
  });

  it('never promotes an emptied disk under the name of the old primary', () => {
    const walk = new Walk()
      .acquired()
      .after(policy.fenceConfirmMs + 1)
      .saved();
    walk.tell({ kind: 'fenced', log: log(CENTRAL, 0, 0) });
    expect(walk.run.journal).to.include({ course: 'urgent', step: 'FENCE_AND_SEAL' });
    expect(walk.said).to.include('failover_escalated');
  });

  it('becomes a failover when the old primary does not go on either; async waits for an approval, as nobody judged the loss', () => {
    const escalated = (mode: 'sync' | 'async') => {
      const replication = { value: { epoch: 1, mode, set: [EAST, EUROPE], w: 1 }, revision: 2 };
      const walk = new Walk({ replication })
        .acquired()
        .after(policy.fenceConfirmMs + 1)
        .saved()
        .after(policy.undoMs + 1)
        .saved();
      walk.tell({ kind: 'set-frozen', replication: replication.value });
      return walk
        .tell({ kind: 'sealed', log: log(EAST) })
        .tell({ kind: 'sealed', log: log(EUROPE, 59) })
        .tell({ kind: 'seal-failed', region: CENTRAL });
    };
    expect(escalated('sync').run.journal).to.include({ step: 'PROMOTE', to: EAST, fencedBy: 'lease' });
    const waiting = escalated('async');
    expect(waiting.run.journal.step).to.equal('FENCE_AND_SEAL');
    expect(waiting.run.awaiting).to.include({ blocker: 'loss' });
    waiting.tell({ kind: 'operator', request: { kind: 'approve', acceptedLossSeconds: 60, by: 'anna' } });
    expect(waiting.run.journal).to.include({ step: 'PROMOTE', to: EAST });
  });
});

describe('orders', () => {
  const down = { quorum: { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: [EAST, EUROPE] } } as const;

  it('switchover needs a primary that serves and a target in sync', () => {
    expect(refusal(SWITCH)).to.equal(null);
    expect(refusal(SWITCH, { databases: new Map([serving({ [EAST]: standby(9, 9, false) }), seen(EAST)]) })).to.contain('not in sync');
    expect(refusal(SWITCH, { databases: new Map([seen(CENTRAL), seen(EAST)]) })).to.contain('cannot hand over');
    expect(refusal(SWITCH, down)).to.contain('see no commits');
  });

  it('failback waits until the first region was in sync for long enough', () => {
    const lease = { lease: { epoch: 2, holder: EAST, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW };
    const databases = new Map([
      seen(CENTRAL),
      seen(EAST, { role: 'primary', writable: true, standbys: { [CENTRAL]: standby() } }),
      seen(EUROPE),
    ]);
    const since = (ms: number) =>
      refusal({ kind: 'failback', by: 'anna' }, { lease, databases, inSyncSinceMs: new Map([[CENTRAL, NOW - ms]]) });
    expect(since(policy.failbackStableMs - 1)).to.contain('in sync for 1 s');
    expect(since(policy.failbackStableMs)).to.equal(null);
    expect(refusal({ kind: 'failback', by: 'anna' })).to.contain('primary already');
  });

  it('failover needs the diagnosis, force does not', () => {
    const failover = { kind: 'failover', target: EAST, by: 'anna' } as const;
    expect(refusal(failover)).to.contain('sees commits').and.to.contain('switchover --target');
    expect(refusal(failover, { quorum: { kind: 'none', why: 'nobody suspects' } })).to.contain('not diagnosed');
    expect(refusal(failover, down)).to.equal(null);
    expect(refusal({ kind: 'forced', target: EAST, acceptedLossSeconds: 0, by: 'anna' })).to.equal(null);
  });

  it('force is refused below the estimate: last lag and what the primary may have acknowledged since, until its lease was over', () => {
    const standbys = { [EAST]: standby(10, 1500) };
    const gone = { set: [EAST, EUROPE], w: 1, mode: 'sync' as const, epoch: 1 };
    const given = (askedAtMs: number, leaseSeenAtMs: number): Partial<Facts> => ({
      replication: { value: gone, revision: 2 },
      databases: new Map([seen(CENTRAL, { role: 'primary', standbys }, askedAtMs), seen(EAST)]),
      lease: { lease: { epoch: 1, holder: CENTRAL, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: leaseSeenAtMs },
    });
    const forced = (acceptedLossSeconds: number, facts_: Partial<Facts>) =>
      refusal({ kind: 'forced', target: EAST, acceptedLossSeconds, by: 'anna' }, facts_);
    expect(forced(3.4, given(NOW - 2000, NOW)))
      .to.contain('up to 3.5 s')
      .and.to.contain('--accept-data-loss=4');
    expect(forced(3.5, given(NOW - 2000, NOW))).to.equal(null);
    expect(forced(2.8, given(NOW - 20_000, NOW - 20_000)), 'dead for long: it does not grow').to.equal(null);
    expect(forced(60, { replication: { value: gone, revision: 2 }, databases: new Map([seen(EAST)]) }), 'no sample').to.contain('=any');
    expect(forced(Number.MAX_SAFE_INTEGER, { databases: new Map([seen(EAST)]) })).to.equal(null);
  });
});

describe('the estimate of a leader that never saw the old primary', () => {
  const lease = { lease: { epoch: 1, holder: CENTRAL, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW - 10_000 };
  const forced = (upstream: DatabaseStatus['upstream'], change: Partial<DatabaseStatus> = {}) =>
    refusal(
      { kind: 'forced', target: EAST, acceptedLossSeconds: 0, by: 'anna' },
      { lease, databases: new Map([seen(EAST, { upstream: upstream ?? null, ...change })]) },
    );
  it('is what the standby heard itself: nothing since it had everything, until the lease was over', () => {
    const heard = { region: CENTRAL, epoch: 1, lagEntries: 0, ageMs: 10_500 };
    // Complete at NOW - 10.5 s, stopped by NOW - 10 s + holderStopsMs, and what was on its way.
    expect(forced(heard)).to.contain(`up to ${(500 + policy.holderStopsMs + policy.appendTimeoutMs) / 1000} s`);
    for (const other of [{ ...heard, lagEntries: 3 }, { ...heard, epoch: 2 }, { ...heard, region: EUROPE }, null])
      expect(forced(other), JSON.stringify(other)).to.contain('not known');
    expect(forced(heard, { lastEpoch: 0 }), 'a log of another epoch').to.contain('not known');
  });
});

describe('history', () => {
  it('tells once that the region which was left is back in sync', () => {
    const lease = { lease: { epoch: 2, holder: EAST, incarnation: 'p', seq: 3 }, revision: 7, seenAtMs: NOW };
    const run = { runId: 'r', outcome: 'DONE', from: CENTRAL, rejoinedAt: null } as PastRun;
    const walk = new Walk({ lease, history: { value: { runs: [run], seq: 4 }, revision: 9 } }).tick();
    expect(walk.effects).to.deep.equal([]);
    walk.tick({ inSyncSinceMs: new Map([[CENTRAL, NOW - 500]]) });
    const [effect] = walk.effects;
    expect(effect).to.deep.include({ kind: 'record-history', expected: 9 });
    const before = JSON.stringify(effect);
    expect(JSON.stringify(walk.after(100).effects[0]), 'it stays the same effect as time passes').to.equal(before);
    const value = (effect as Extract<Effect, { kind: 'record-history' }>).value;
    walk.tell({ kind: 'history-recorded', runId: 'r' }, { history: { value, revision: 10 } });
    expect([walk.said, walk.effects]).to.deep.equal([['region_rejoined'], []]);
  });

  it('keeps the last runs only, and acknowledges the last automatic failover once', () => {
    const past = (runId: string, tier: PastRun['tier']): PastRun => ({ runId, tier, outcome: 'DONE', acknowledged: null }) as PastRun;
    const history: History = { runs: [past('a', 'automatic'), past('b', 'switchover')], seq: 0 };
    const once = acknowledge(history, 'anna', 'now');
    expect(once?.runs.map(({ acknowledged }) => acknowledged?.by ?? null)).to.deep.equal(['anna', null]);
    expect(acknowledge(once, 'anna', 'now')).to.equal(null);
    const full = Array.from({ length: policy.historyRuns }, (_, i) => past(`run-${i}`, 'forced'));
    const walk = new Walk({ history: { value: { runs: full, seq: 0 }, revision: 1 } });
    walk
      .tell({ kind: 'operator', request: SWITCH })
      .saved()
      .after(policy.prepareMs + 1)
      .saved();
    expect(walk.facts.history?.value.runs).to.have.length(policy.historyRuns);
    expect(walk.facts.history?.value.runs.at(-1)?.runId).to.equal('run');
  });
});

describe('in sync without a break', () => {
  it('counts from the first sample that says so, for as long as every later one does and none is missing', () => {
    const sample = fc.record({ afterMs: fc.integer({ min: 1, max: 2000 }), inSync: fc.boolean(), answered: fc.boolean() });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), (samples) => {
        let [tracked, nowMs, sinceMs] = [NOBODY_IN_SYNC, 0, null as number | null];
        let last: SeenStatus | undefined;
        let lastIn = false;
        for (const { afterMs, inSync, answered } of samples) {
          nowMs += afterMs;
          if (answered) {
            last = seen(CENTRAL, { role: 'primary', standbys: { [EAST]: standby(0, 0, inSync) } }, nowMs)[1];
            lastIn = inSync;
          }
          const fresh = last !== undefined && nowMs - last.askedAtMs <= 1000;
          sinceMs = fresh && lastIn ? (sinceMs ?? last?.askedAtMs ?? null) : null;
          tracked = watchInSync(tracked, CENTRAL, last, { ms: nowMs, freshMs: 1000 });
          expect(tracked.sinceMs.get(EAST) ?? null).to.equal(sinceMs);
        }
      }),
    );
  });

  it('begins anew with another primary', () => {
    const at = (primary: string) => seen(primary, { role: 'primary', standbys: { [EUROPE]: standby() } }, NOW)[1];
    const first = watchInSync(NOBODY_IN_SYNC, CENTRAL, at(CENTRAL), { ms: NOW, freshMs: 1000 });
    const second = watchInSync(first, EAST, { ...at(EAST), askedAtMs: NOW + 50 }, { ms: NOW + 50, freshMs: 1000 });
    expect([first.sinceMs.get(EUROPE), second.sinceMs.get(EUROPE)]).to.deep.equal([NOW, NOW + 50]);
  });
});

describe('rehearsal', () => {
  const rehearsed = (request: OperatorRequest, given: Partial<Facts> = {}) => rehearse(INITIAL, request, facts(given), setting);

  it('tells every effect of a switchover, in order, and how it would end', () => {
    const result = rehearsed(SWITCH);
    if (!('effects' in result)) throw new Error(result.refused);
    expect(result).to.include({ outcome: 'DONE', to: EAST });
    const effects = result.effects
      .map(({ effect, step }) => `${step} ${effect}`)
      .filter((line) => !/save-journal|record-history/.test(line));
    expect(effects).to.deep.equal([
      'PREPARE lower-ttl',
      'ACQUIRE acquire-lease',
      'FENCE_AND_SEAL freeze-set',
      'FENCE_AND_SEAL fence',
      'FENCE_AND_SEAL catch-up',
      'FENCE_AND_SEAL seal',
      'FENCE_AND_SEAL seal',
      'PROMOTE promote',
      'VERIFY_DB verify-database',
      'ROUTE route',
      'VERIFY_E2E verify-end-to-end',
    ]);
  });

  it('says what would be refused, and what would wait for an approval', () => {
    expect(rehearsed({ kind: 'failover', target: EAST, by: 'anna' })).to.have.property('refused');
    const down = { quorum: { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: [EAST, EUROPE] } } as const;
    const given = { ...down, databases: new Map([seen(EAST), seen(EUROPE)]) };
    expect(rehearsed({ kind: 'failover', target: EAST, by: 'anna' }, given)).to.include({ outcome: 'DONE', to: EAST });
  });

  it('changes nothing: the facts are the same afterwards', () => {
    const given = facts();
    const before = JSON.stringify({ ...given, databases: [...given.databases] });
    rehearse(INITIAL, SWITCH, given, setting);
    expect(JSON.stringify({ ...given, databases: [...given.databases] })).to.equal(before);
  });
});

describe('veto', () => {
  const asked = { ...setting, vetoProgram: true };
  const down = facts({ quorum: { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: [EAST, EUROPE] } });
  const step = (state: State, event: Event, given: Facts = down) => transition(state, event, given, asked);

  it('is asked about before anything begins, holds for its time, then is asked again', () => {
    const asking = step(INITIAL, { kind: 'tick' });
    expect(kinds(asking.effects)).to.deep.equal(['ask-veto']);
    const no = step(asking.state, { kind: 'veto-answered', runId: 'run', veto: 'not today' });
    expect(no.state).to.deep.include({ kind: 'await-approval', blocker: 'veto', reason: 'vetoed: not today' });
    const later = (ms: number): Facts => ({
      ...down,
      nowMs: NOW + ms,
      databases: new Map([seen(EAST, {}, NOW + ms), seen(EUROPE, {}, NOW + ms)]),
    });
    const held = step(no.state, { kind: 'tick' }, later(policy.vetoHoldsMs));
    expect(held.effects).to.deep.equal([]);
    const again = step(held.state, { kind: 'tick' }, { ...later(policy.vetoHoldsMs + 1), newRunId: 'second' });
    expect(again.effects[0]).to.have.nested.property('question.runId', 'second');
    expect(step(again.state, { kind: 'veto-answered', runId: 'run', veto: null }).state.kind, 'the answer to the first question').to.equal(
      'ask-veto',
    );
    const yes = step(again.state, { kind: 'veto-answered', runId: 'second', veto: null });
    expect(yes.state).to.have.nested.property('journal.runId', 'second');
  });

  it('does not begin what the gate would not let pass any more when the answer comes', () => {
    const asking = step(INITIAL, { kind: 'tick' });
    const back = step(asking.state, { kind: 'veto-answered', runId: 'run', veto: null }, { ...down, quorum: { kind: 'veto', by: EAST } });
    expect(back.state).to.deep.equal(INITIAL);
  });
});

describe('an epoch that was taken although its run was aborted', () => {
  it('is taken on by whoever leads: nobody would serve otherwise', () => {
    const aborted = {
      runId: 'run',
      step: 'ABORTED',
      epoch: 2,
      from: CENTRAL,
      startedAt: new Date(0).toISOString(),
      steps: [],
      seq: 4,
    } as unknown as Journal;
    const walk = new Walk({ journal: { value: aborted, revision: 30 }, lease: pending(), quorum: { kind: 'none', why: '' } }).tick();
    expect(walk.run.journal).to.include({ step: 'FENCE_AND_SEAL', course: 'urgent', runId: 'run', epoch: 2, from: CENTRAL, seq: 5 });
    expect(walk.effects[0]).to.deep.include({ kind: 'save-journal', expected: 30 });
  });
});
