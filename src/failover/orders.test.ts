import { expect } from 'chai';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { rehearse } from './rehearsal.ts';
import type { Event, Facts, OperatorRequest, State } from './state.ts';
import { policy, NOW, CENTRAL, EAST, EUROPE, setting, seen, standby, serving, facts, SWITCH, refusal, kinds } from './testing/walk.ts';
import { INITIAL, transition } from './transition.ts';

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
      'VERIFY_DB route',
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
