import { expect } from 'chai';
import type { SealedLog, Journal, Lease, PastRun } from '../arbiter/arbiter.ts';
import { PRESETS } from '../config/policy.ts';
import type { DatabaseStatus } from '../server/control-messages.ts';
import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import type { LeaseSighting } from './fencing.ts';
import { noteShut, passGate } from './gate.ts';
import { estimateLossSeconds } from './loss.ts';
import { pastRun } from './history.ts';
import { judgeSealing } from './sealing.ts';
import type { Event, Facts, Run, SeenStatus, Setting, State } from './state.ts';
import { whyNot } from './orders.ts';
import { INITIAL, transition } from './transition.ts';

const policy = PRESETS.lab;
const NOW = 10_000;
const setting: Setting = {
  policy,
  region: 'europe-west1',
  incarnation: 'me',
  regions: ['us-central1', 'us-east1', 'europe-west1'],
  primaryRegion: 'us-central1',
  promotable: ['us-central1', 'us-east1', 'europe-west1'],
  replication: 'sync',
  rpoMs: 5000,
  vetoProgram: false,
};

function seen(region: string, lastIndex: number, change: Partial<DatabaseStatus> = {}, askedAtMs = NOW): [string, SeenStatus] {
  const rest = { commitIndex: 0, appliedIndex: 0, mode: 'sync' as const, syncSet: [], w: 1, standbys: {} };
  const base = {
    region,
    incarnation: 'p',
    role: 'standby' as const,
    epoch: 1,
    sealedEpoch: 0,
    writable: false,
    lease: null,
    lastIndex,
    lastEpoch: 1,
    ...rest,
  };
  return [region, { status: { ...base, ...change }, askedAtMs }];
}

function facts(change: Partial<Facts> = {}): Facts {
  const lease = { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 3 };
  return {
    nowMs: NOW,
    wallMs: 1_000_000,
    lease: { lease, revision: 7, seenAtMs: NOW - 1000 },
    replaced: null,
    replication: { value: { epoch: 1, mode: 'sync', set: ['us-east1', 'europe-west1'], w: 1 }, revision: 2 },
    journal: null,
    maintenance: null,
    history: null,
    inSyncSinceMs: new Map(),
    quorum: { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: ['us-east1', 'europe-west1'] },
    vetoedAtMs: null,
    gateShutAtMs: null,
    waitingAtMs: new Map(),
    arbiter: { news: { heardAtMs: Infinity, backAtMs: null }, answers: null },
    databases: new Map([seen('us-east1', 10), seen('europe-west1', 10)]),
    newRunId: 'run',
    ...change,
  };
}
const own = { holderStopsMs: policy.holderStopsMs, successorWaitsMs: policy.successorWaitsMs };
/** Of a holder with another policy. */
const long = { holderStopsMs: 10 * policy.holderStopsMs, successorWaitsMs: 10 * policy.successorWaitsMs };
const tick = (state: State, given: Facts) => transition(state, { kind: 'tick' }, given, setting);
const actions = (given: ReturnType<typeof tick>) => given.announce.map(({ action }) => action);

function journal(change: Partial<Journal>): Journal {
  return {
    runId: 'other',
    tier: 'automatic',
    course: 'urgent',
    by: null,
    epoch: 2,
    from: 'us-central1',
    to: null,
    target: null,
    step: 'FENCE_AND_SEAL',
    intent: '',
    reason: '',
    because: null,
    startedAt: new Date(990_000).toISOString(),
    steps: [],
    restarts: 0,
    mode: 'sync',
    set: ['us-east1', 'europe-west1'],
    w: 1,
    sealed: [],
    failed: [],
    fencedBy: null,
    acceptedLossSeconds: null,
    owner: 'us-east1',
    ownerIncarnation: 'you',
    seq: 3,
    ...change,
  };
}
const log = (region: string, lastIndex: number, lastEpoch = 1) => ({ region, lastEpoch, lastIndex });

function running(change: Partial<Run>): Run {
  return {
    kind: 'run',
    journal: journal({}),
    revision: 5,
    saved: true,
    enteredAtMs: NOW,
    frozen: false,
    fenced: null,
    fencedAtMs: null,
    directOverAtMs: null,
    caughtUp: false,
    announced: false,
    recorded: false,
    stableSinceMs: null,
    failures: {},
    awaiting: null,
    overdue: false,
    ...change,
  };
}

describe('failover before anything is taken', () => {
  it('suspects, waits for the window, then writes the intent and nothing else', () => {
    const early = tick(INITIAL, facts({ quorum: { kind: 'suspects', sinceMs: NOW - 100, by: ['us-east1', 'europe-west1'] } }));
    expect([early.state.kind, actions(early), early.effects]).to.deep.equal(['suspect', ['primary_suspected'], []]);
    const confirmed = tick(early.state, facts());
    expect(actions(confirmed)).to.deep.equal(['primary_confirmed_down', 'failover_initiated']);
    expect(confirmed.effects.map(({ kind }) => kind)).to.deep.equal(['save-journal']);
    expect(confirmed.effects[0]).to.have.nested.include({ expected: null, 'value.step': 'ACQUIRE', 'value.epoch': 2 });
  });

  it('begins the window anew after a veto, and forgets a suspicion that is not shared any more', () => {
    expect(tick({ kind: 'suspect' }, facts({ vetoedAtMs: NOW - policy.confirmMs + 1 })).state.kind).to.equal('suspect');
    expect(actions(tick({ kind: 'suspect' }, facts({ quorum: { kind: 'veto', by: 'us-central1' } })))).to.deep.equal(['suspicion_cleared']);
    expect(tick({ kind: 'suspect' }, facts({ quorum: { kind: 'none', why: '' } })).state).to.deep.equal(INITIAL);
  });

  it('does not take a primary for down that may only wait for the arbiter: silent, or back for too short', () => {
    const silence = policy.holderStopsMs - policy.leaseRenewMs;
    const given = (heardAgoMs: number, backAgoMs: number | null) =>
      tick(
        { kind: 'suspect' },
        facts({ arbiter: { news: { heardAtMs: NOW - heardAgoMs, backAtMs: backAgoMs === null ? null : NOW - backAgoMs }, answers: null } }),
      ).state.kind;
    expect(given(silence + 1, null)).to.equal('suspect');
    expect(given(silence, null)).to.equal('run');
    expect(given(0, policy.suspectAfterMs + policy.confirmMs - 1)).to.equal('suspect');
    expect(given(0, policy.suspectAfterMs + policy.confirmMs)).to.equal('run');
  });

  it('waits as long as the old holder believes in its lease, whoever has which policy, and tells that it does', () => {
    const held = { ...(facts().lease as LeaseSighting), lease: { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 3, times: long } };
    const begun = tick(INITIAL, facts({ lease: held }));
    expect(begun.announce.at(-1)).to.deep.equal({
      action: 'lease_lasts_longer',
      details: { holder: 'us-central1', waitMs: long.successorWaitsMs, ownWaitMs: policy.successorWaitsMs },
    });
    const acting = transition(begun.state, { kind: 'journal-saved', seq: 0, revision: 20 }, facts({ lease: held }), setting);
    const [acquire] = acting.effects;
    if (acquire?.kind !== 'acquire-lease') return expect.fail('nothing is taken');
    expect(acquire.value.times).to.deep.equal(long);
    // Whoever goes on with the run never saw the lease that was replaced.
    const sealed = [log('us-east1', 10), log('europe-west1', 10)];
    const fencedBy = (agoMs: number): string | null => {
      const run = running({ journal: journal({ sealed }), directOverAtMs: NOW - 1 });
      const { state } = tick(run, facts({ lease: { lease: acquire.value, revision: 8, seenAtMs: NOW - agoMs } }));
      return state.kind === 'run' ? state.journal.fencedBy : null;
    };
    expect(fencedBy(long.successorWaitsMs - 1)).to.equal(null);
    expect(fencedBy(long.successorWaitsMs)).to.equal('lease');
    return undefined;
  });

  it('tells a database that it seals how long the one before may have promised', () => {
    const pending = { epoch: 2, holder: null, incarnation: 'other', seq: 7 };
    const seals = (lease: Lease) =>
      tick(running({}), facts({ lease: { lease, revision: 8, seenAtMs: NOW } })).effects.flatMap((effect) =>
        effect.kind === 'seal' ? [effect.waitMs] : [],
      );
    expect(seals({ ...pending, times: long })).to.deep.equal([long.successorWaitsMs, long.successorWaitsMs]);
    expect(seals(pending)).to.deep.equal([policy.successorWaitsMs, policy.successorWaitsMs]);
    expect(seals({ ...pending, epoch: 1, holder: 'us-central1', times: long }), 'not seen taken yet').to.have.length(2);
    expect(
      seals({ ...pending, epoch: 0, holder: 'us-east1' }),
      'a lease before the one that is replaced tells nothing of it',
    ).to.deep.equal([]);
  });

  it('takes the epoch once the intent is there, and drops it when the primary is seen to commit before', () => {
    const begun = tick(INITIAL, facts());
    const saved: Event = { kind: 'journal-saved', seq: 0, revision: 20 };
    const acting = transition(begun.state, saved, facts(), setting);
    expect(acting.effects).to.deep.equal([
      { kind: 'acquire-lease', expected: 7, value: { epoch: 2, holder: null, incarnation: 'run', seq: 7, times: own } },
    ]);
    const back = tick(acting.state, facts({ quorum: { kind: 'veto', by: 'us-central1' } }));
    expect(actions(back)).to.deep.equal(['failover_aborted']);
    expect(
      back.effects.map(({ kind }) => kind),
      'the history first',
    ).to.deep.equal(['record-history']);
    const recorded = transition(back.state, { kind: 'history-recorded', runId: 'run' }, facts(), setting);
    expect(recorded.effects[0]).to.have.nested.include({ kind: 'save-journal', expected: 20, 'value.step': 'ABORTED' });
  });

  it('takes over an open run by writing itself in, and lets go when it lost the journal', () => {
    const adopted = tick(INITIAL, facts({ journal: { value: journal({}), revision: 30 } }));
    expect(actions(adopted)).to.deep.equal(['failover_resumed']);
    expect(adopted.effects[0]).to.have.nested.include({
      kind: 'save-journal',
      expected: 30,
      'value.owner': 'europe-west1',
      'value.seq': 4,
    });
    expect(transition(adopted.state, { kind: 'journal-lost' }, facts(), setting).state).to.deep.equal(INITIAL);
  });

  it('goes on where the promoted database was restarted and took the next epoch itself', () => {
    const promoting = running({ journal: journal({ step: 'PROMOTE', to: 'us-east1', fencedBy: 'lease' }), frozen: true });
    const holds = (epoch: number) =>
      facts({ lease: { lease: { epoch, holder: 'us-east1', incarnation: 'p', seq: 0 }, revision: 9, seenAtMs: NOW } });
    expect(tick(promoting, holds(2)).state, 'being promoted still').to.have.nested.property('journal.step', 'PROMOTE');
    expect(tick(promoting, holds(3)).state).to.have.nested.property('journal.step', 'VERIFY_DB');
  });

  it('goes on with an epoch that the arbiter had taken although the run had given it up', () => {
    const verifying = running({ journal: journal({ step: 'VERIFY_DB', to: 'us-east1', restarts: 1 }) });
    const held = { lease: { epoch: 2, holder: 'us-east1', incarnation: 'p', seq: 4 }, revision: 8, seenAtMs: NOW - 50 };
    const pending = { lease: { epoch: 3, holder: null, incarnation: 'other', seq: 8 }, revision: 9, seenAtMs: NOW };
    const next = tick(verifying, facts({ lease: pending, replaced: held })).state;
    expect(next).to.have.nested.include({
      'journal.step': 'FENCE_AND_SEAL',
      'journal.epoch': 3,
      'journal.from': 'us-east1',
      'journal.to': null,
    });
    // Who missed the lease that was replaced knows whom the run had promoted: the holder before that one is a standby now, and its word is no fence.
    const missed = { lease: { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 9 }, revision: 6, seenAtMs: NOW - 5000 };
    expect(tick(verifying, facts({ lease: pending, replaced: missed })).state).to.have.nested.property('journal.from', 'us-east1');
  });

  it('promotes nobody with a shorter log where whoever was chosen cannot be promoted', () => {
    const failed: Event = { kind: 'promote-failed', region: 'us-central1', why: 'the arbiter does not answer' };
    const pending = facts({ lease: { lease: { epoch: 2, holder: null, incarnation: 'other', seq: 7 }, revision: 9, seenAtMs: NOW } });
    const afterTwo = (sealed: readonly SealedLog[], fenced: Run['fenced']) => {
      const run = running({
        journal: journal({ step: 'PROMOTE', to: 'us-central1', sealed: [...sealed] }),
        fenced,
        failures: { 'us-central1': 1 },
      });
      return transition(run, failed, pending, setting).state;
    };
    const holder = log('us-central1', 38);
    expect(afterTwo([log('us-east1', 28)], holder), 'the old holder alone has everything').to.have.nested.property(
      'journal.to',
      'us-central1',
    );
    expect(afterTwo([log('us-east1', 38)], holder)).to.have.nested.property('journal.to', 'us-east1');
    expect(afterTwo([log('us-east1', 38)], null), 'adopted: its log is not known').to.have.nested.property('journal.to', 'us-central1');
  });

  it('asks people, once, where nobody goes on without what the old primary’s database still has; an approval is in the journal before it is asked again', () => {
    const lacks: Event = { kind: 'promote-failed', region: 'us-east1', why: 'east lacks it: approve', lacks: true };
    const pending = facts({ lease: { lease: { epoch: 2, holder: null, incarnation: 'other', seq: 7 }, revision: 9, seenAtMs: NOW } });
    const promoting = (change: Partial<Journal>, failures: number) =>
      running({
        journal: journal({ mode: 'async', step: 'PROMOTE', to: 'us-east1', fencedBy: 'lease', sealed: [log('us-east1', 28)], ...change }),
        failures: { 'us-east1': failures },
      });
    const both = { sealed: [log('us-east1', 28), log('europe-west1', 28)] };
    const ofTwo = transition(promoting(both, 1), lacks, pending, setting);
    expect(
      actions(ofTwo),
      'another one has the same copy, and were it silent the two would be asked in turns, and people never',
    ).to.deep.equal(['awaiting_approval']);
    expect(ofTwo.state).to.have.nested.property('journal.to', 'us-east1');
    const holder = { ...promoting(both, 1), fenced: log('us-central1', 38) };
    expect(transition(holder, lacks, pending, setting).state, 'it has what they lack').to.have.nested.property('journal.to', 'us-central1');
    const asked = transition(promoting({}, 1), lacks, pending, setting);
    expect(actions(asked)).to.deep.equal(['awaiting_approval']);
    expect(asked.state).to.deep.include({ awaiting: { blocker: 'loss', reason: 'east lacks it: approve', estimatedLossSeconds: null } });
    expect(
      asked.effects.map(({ kind }) => kind),
      'it may come yet',
    ).to.include('promote');
    const again = transition(asked.state, lacks, pending, setting);
    expect(actions(again)).to.deep.equal([]);
    expect(again.state).to.have.nested.property('awaiting.blocker', 'loss');

    const little = { kind: 'approve', by: 'ops', acceptedLossSeconds: 5 } as const;
    expect(whyNot(again.state, little, pending, setting)).to.match(/^east lacks it: approve; how much may be lost is not known/);
    const any = { ...little, acceptedLossSeconds: Number.MAX_SAFE_INTEGER };
    expect(whyNot(again.state, any, pending, setting)).to.equal(null);
    const approved = transition(again.state, { kind: 'operator', request: any }, pending, setting);
    expect(actions(approved)).to.deep.equal(['approved']);
    expect(approved.state).to.deep.include({ awaiting: null, saved: false, failures: {} });
    expect(approved.effects).to.have.length(1);
    expect(approved.effects[0]).to.have.nested.include({ kind: 'save-journal', 'value.acceptedLossSeconds': any.acceptedLossSeconds });
  });

  describe('where nobody is left who has as much as whoever was chosen', () => {
    const pending = facts({ lease: { lease: { epoch: 2, holder: null, incarnation: 'other', seq: 7 }, revision: 9, seenAtMs: NOW } });
    /** All of a list fail one after the other, each twice; the journal is saved as it is asked. */
    const failing = (from: State, regions: readonly string[]) =>
      regions.reduce((state, region) => {
        const failed: Event = { kind: 'promote-failed', region, why: `${region} is dead` };
        const next = [failed, failed].reduce((before, event) => transition(before, event, pending, setting).state, state);
        if (next.kind !== 'run' || next.saved) return next;
        return transition(next, { kind: 'journal-saved', seq: next.journal.seq, revision: 9 }, pending, setting).state;
      }, from);
    const promoting = (change: Partial<Journal>, fenced: Run['fenced'] = null) =>
      running({ journal: journal({ step: 'PROMOTE', to: 'us-east1', fencedBy: 'lease', ...change }), fenced, frozen: true });
    const approved = (state: State, acceptedLossSeconds: number) => {
      const request = { kind: 'approve', by: 'ops', acceptedLossSeconds } as const;
      expect(whyNot(state, request, pending, setting)).to.equal(null);
      const next = transition(state, { kind: 'operator', request }, pending, setting).state;
      if (next.kind !== 'run') throw new Error(next.kind);
      return transition(next, { kind: 'journal-saved', seq: next.journal.seq, revision: 10 }, pending, setting).state;
    };
    const ANY = Number.MAX_SAFE_INTEGER;

    it('asks people, and goes on to who has less only with their approval', () => {
      const unequal = { sealed: [log('us-east1', 38), log('europe-west1', 28)] };
      const waiting = failing(promoting(unequal), ['us-east1']);
      expect(waiting).to.have.nested.property('journal.to', 'us-east1');
      expect(waiting).to.have.nested.property('awaiting.blocker', 'loss');
      expect(waiting).to.have.nested.property('awaiting.reason').that.contains('us-east1 is dead').and.contains('europe-west1');
      const still = failing(waiting, ['us-east1', 'us-east1']);
      expect(still, 'not without them').to.have.nested.property('journal.to', 'us-east1');
      expect(still).to.have.nested.property('awaiting.blocker', 'loss');
      expect(whyNot(still, { kind: 'approve', by: 'ops', acceptedLossSeconds: 1 }, pending, setting)).to.contain('not known');
      const less = approved(still, ANY);
      expect(less).to.have.nested.property('journal.to', 'europe-west1');
      const dead = failing(less, ['europe-west1']);
      expect(dead, 'that one is dead as well: from the first again').to.have.nested.property('journal.to', 'us-east1');
      const emptied = { sealed: [log('us-east1', 38), log('europe-west1', 0, 0)] };
      expect(failing(promoting(emptied), ['us-east1']), 'nobody is asked to promote an emptied disk').to.deep.include({ awaiting: null });
    });

    it('does so for an old holder that is dead after its fence, and for one whose log an adopted run does not know', () => {
      const alone = promoting({ to: 'us-central1', sealed: [log('us-east1', 28)], fencedBy: 'holder' }, log('us-central1', 38));
      const waiting = failing(alone, ['us-central1']);
      expect(waiting).to.have.nested.property('awaiting.blocker', 'loss');
      expect(approved(waiting, ANY)).to.have.nested.property('journal.to', 'us-east1');
      const adopted = failing({ ...alone, fenced: null }, ['us-central1']);
      expect(adopted).to.have.nested.property('awaiting.blocker', 'loss');
      expect(approved(adopted, ANY)).to.have.nested.property('journal.to', 'us-east1');
    });

    it('goes on asking all who have as much while people are waited for', () => {
      const two = { sealed: [log('us-east1', 38), log('europe-west1', 38), log('asia-east1', 28)] };
      const waiting = failing(promoting(two), ['us-east1', 'europe-west1']);
      expect(waiting).to.have.nested.property('awaiting.blocker', 'loss');
      expect(waiting).to.have.nested.property('journal.to', 'us-east1');
      const turned = failing(waiting, ['us-east1']);
      expect(turned).to.have.nested.property('journal.to', 'europe-west1');
      expect(turned, 'they are asked still').to.have.nested.property('awaiting.blocker', 'loss');
      const other = failing(promoting({ ...two, to: 'europe-west1' }), ['europe-west1', 'us-east1']);
      expect(other, 'also who comes later in the order, and was chosen first').to.have.nested.property('journal.to', 'europe-west1');
      expect(other).to.have.nested.property('awaiting.blocker', 'loss');
      const unequal = { to: 'europe-west1', sealed: [log('europe-west1', 38), log('us-east1', 28)] };
      const more = failing(promoting(unequal, log('us-central1', 39)), ['europe-west1', 'us-central1']);
      expect(more, 'also where the one after it has more').to.have.nested.property('journal.to', 'europe-west1');
      expect(more).to.have.nested.property('awaiting.blocker', 'loss');
    });

    it('asks nobody where somebody has all that the fenced holder had: the standbys first, then the holder itself', () => {
      const after = (lastIndex: number) => failing(promoting(unequal, log('us-central1', lastIndex)), ['us-east1']);
      const unequal = { sealed: [log('us-east1', 38), log('europe-west1', 28)] };
      expect(after(28)).to.have.nested.property('journal.to', 'europe-west1');
      expect(after(30)).to.have.nested.property('journal.to', 'us-central1');
      expect(failing(after(28), ['europe-west1'])).to.have.nested.property('journal.to', 'us-central1');
      expect(after(28)).to.deep.include({ awaiting: null });
      const emptied = failing(promoting(unequal, log('us-central1', 0, 0)), ['us-east1']);
      expect(emptied, 'an emptied disk says nothing of what was acknowledged').to.have.nested.property('awaiting.blocker', 'loss');
    });

    it('needs nobody within the loss that was accepted before, as the objective of an asynchronous system is', () => {
      const standbys = { 'europe-west1': { matchIndex: 28, lagEntries: 10, lagMs: 400, ageMs: 10, inSync: true } };
      const databases = new Map([seen('us-central1', 38, { role: 'primary', standbys }), seen('europe-west1', 28)]);
      const held = { lease: { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 7 }, revision: 7, seenAtMs: NOW };
      const known = { ...pending, databases, replaced: held };
      const failed: Event = { kind: 'promote-failed', region: 'us-east1', why: 'dead' };
      const unequal = { sealed: [log('us-east1', 38), log('europe-west1', 28)] };
      const after = (change: Partial<Journal>, given = known) =>
        transition({ ...promoting({ ...unequal, ...change }), failures: { 'us-east1': 1 } }, failed, given, setting).state;
      const answers = { ...known, databases: new Map([...databases, seen('us-east1', 38)]) };
      expect(after({ mode: 'async' }, answers), 'whoever has more is there').to.have.nested.property('awaiting.blocker', 'loss');
      expect(after({ acceptedLossSeconds: ANY }, answers)).to.have.nested.property('awaiting.blocker', 'loss');
      expect(after({ mode: 'async' })).to.have.nested.property('journal.to', 'europe-west1');
      expect(after({ acceptedLossSeconds: 60 })).to.have.nested.property('journal.to', 'europe-west1');
      expect(after({ acceptedLossSeconds: 0.1 })).to.have.nested.property('awaiting.blocker', 'loss');
      expect(after({}), 'sync: nothing is to be lost').to.have.nested.property('awaiting.blocker', 'loss');
    });
  });

  it('does not take a new primary for down that somebody has just seen commit', () => {
    const routing = running({ journal: journal({ step: 'ROUTE', to: 'us-east1', fencedBy: 'lease' }), frozen: true });
    const down = (vetoedAtMs: number | null) =>
      facts({
        lease: { lease: { epoch: 2, holder: 'us-east1', incarnation: 'p', seq: 0 }, revision: 9, seenAtMs: NOW },
        replication: { value: { epoch: 2, mode: 'sync', set: ['europe-west1'], w: 1 }, revision: 8 },
        vetoedAtMs,
      });
    expect(actions(tick(routing, down(NOW - policy.confirmMs + 1)))).to.deep.equal([]);
    expect(actions(tick(routing, down(null)))).to.deep.equal(['failover_restarted']);
  });

  it('never chooses whom to promote before the set is frozen', () => {
    const sealed = [log('us-east1', 10), log('europe-west1', 10)];
    const run = running({ journal: journal({ sealed }), fenced: log('us-central1', 10), fencedAtMs: NOW });
    const pending = facts({ lease: { lease: { epoch: 2, holder: null, incarnation: 'other', seq: 7 }, revision: 9, seenAtMs: NOW } });
    expect(tick(run, pending).state).to.have.nested.property('journal.step', 'FENCE_AND_SEAL');
    const frozen = transition(run, { kind: 'set-frozen', replication: null }, pending, setting);
    expect(frozen.state).to.have.nested.property('journal.step', 'PROMOTE');
  });
});

describe('a loss beyond what is accepted', () => {
  const pending = facts({ lease: { lease: { epoch: 2, holder: null, incarnation: 'other', seq: 7 }, revision: 9, seenAtMs: NOW } });
  const after = (change: Partial<Journal>, fenced: Run['fenced']) => {
    const sealed = [log('us-east1', 10), log('europe-west1', 10)];
    return tick(running({ journal: journal({ mode: 'async', sealed, ...change }), frozen: true, fenced, fencedAtMs: NOW }), pending).state;
  };

  it('is not taken where the old primary is fenced and has everything: it is promoted again', () => {
    expect(after({}, log('us-central1', 12)))
      .to.deep.include({ awaiting: null })
      .and.have.nested.property('journal.to', 'us-central1');
    expect(after({ sealed: [], failed: [] }, log('us-central1', 12)), 'others are still being asked').to.have.nested.property(
      'journal.to',
      null,
    );
  });

  it('waits for people where nobody has everything, and where an operator ordered the move', () => {
    expect(after({}, log('us-central1', 0, 0))).to.have.nested.property('awaiting.blocker', 'loss');
    expect(after({ tier: 'failover', target: 'us-east1' }, log('us-central1', 12))).to.have.nested.property('awaiting.blocker', 'loss');
  });
});

describe('gate', () => {
  it('sync: needs the seal quorum in reach', () => {
    expect(passGate(facts(), 'us-central1', setting)).to.include({ open: true, estimatedLossSeconds: 0 });
    const one = new Map([seen('us-east1', 10), seen('europe-west1', 10, {}, NOW - 5000)]);
    expect(passGate(facts({ databases: one }), 'us-central1', setting).open).to.equal(false);
    const alone = { value: { epoch: 1, mode: 'sync' as const, set: ['us-east1'], w: 1 }, revision: 2 };
    expect(passGate(facts({ databases: one, replication: alone }), 'us-central1', setting).open).to.equal(true);
    const nobody = { value: { ...alone.value, set: [] }, revision: 2 };
    expect(passGate(facts({ replication: nobody }), 'us-central1', setting).open).to.equal(false);
  });

  it('sync: that has opened only now must stay open for a while, as the primary may have waited for just that standby', () => {
    const away = facts({ databases: new Map([seen('us-east1', 10), seen('europe-west1', 10, {}, NOW - policy.suspectAfterMs - 1)]) });
    expect(noteShut(null, away, policy.suspectAfterMs)).to.equal(NOW);
    expect(noteShut(null, { ...away, quorum: { kind: 'veto', by: 'us-east1' } }, policy.suspectAfterMs)).to.equal(null);
    const none = { kind: 'none', why: 'one observer is away with its region' } as const;
    expect(noteShut(null, { ...away, quorum: none }, policy.suspectAfterMs), 'the quorum waits for the same region').to.equal(NOW);
    expect(noteShut(null, away, policy.suspectAfterMs + 1), 'not known to be away').to.equal(null);
    const windowMs = policy.suspectAfterMs + policy.confirmMs;
    const back = (ago: number) => facts({ gateShutAtMs: NOW - ago });
    expect(noteShut(NOW - 5, back(5), policy.suspectAfterMs)).to.equal(NOW - 5);
    expect(passGate(back(windowMs - 1), 'us-central1', setting)).to.include({ open: false, blocker: 'loss', estimatedLossSeconds: 0 });
    expect(passGate(back(windowMs), 'us-central1', setting).open).to.equal(true);
    const waiting = tick({ kind: 'suspect' }, back(5));
    expect(waiting.state.kind).to.equal('await-approval');
    expect(tick(waiting.state, facts({ gateShutAtMs: NOW - 5, quorum: { kind: 'veto', by: 'us-east1' } })).state.kind).to.equal('observe');
    expect(tick(waiting.state, back(windowMs)).state.kind).to.equal('run');
  });

  it('that has opened only now is given longer where the primary is there and waits for the database that all share, and not for ever', () => {
    const windowMs = policy.suspectAfterMs + policy.confirmMs;
    const back = (ago: number, askedAgo: number) =>
      facts({ gateShutAtMs: NOW - ago, waitingAtMs: new Map([['us-central1', NOW - askedAgo]]) });
    expect(passGate(back(4 * windowMs - 1, 0), 'us-central1', setting)).to.include({ open: false, blocker: 'loss' });
    expect(passGate(back(4 * windowMs, 0), 'us-central1', setting).open, 'it has had its time').to.equal(true);
    expect(passGate(back(windowMs, policy.suspectAfterMs + 1), 'us-central1', setting).open, 'it is not there any more').to.equal(true);
    const others = facts({ gateShutAtMs: NOW - windowMs, waitingAtMs: new Map([['us-east1', NOW]]) });
    expect(passGate(others, 'us-central1', setting).open, 'another waits').to.equal(true);
    const never = facts({ gateShutAtMs: null, waitingAtMs: new Map([['us-central1', NOW]]) });
    expect(passGate(never, 'us-central1', setting).open, 'the standbys had it all the time').to.equal(true);
  });

  it('async: last lag sample and its age within the objective, else it says what may be lost', () => {
    const replication = { value: { epoch: 1, mode: 'async' as const, set: [], w: 1 }, revision: 2 };
    const standbys = { 'us-east1': { matchIndex: 9, lagEntries: 1, lagMs: 1500, ageMs: 10, inSync: true } };
    const at = (askedAtMs: number) =>
      passGate(
        facts({ replication, databases: new Map([seen('us-east1', 10), seen('us-central1', 11, { standbys }, askedAtMs)]) }),
        'us-central1',
        setting,
      );
    expect(at(NOW - 3500)).to.deep.equal({ open: true, candidate: 'us-east1', estimatedLossSeconds: 5 });
    expect(at(NOW - 3501)).to.include({ open: false, estimatedLossSeconds: 5.001 });
    expect(passGate(facts({ replication }), 'us-central1', setting)).to.include({ open: false, estimatedLossSeconds: null });
    const unknown = { 'us-east1': { ...standbys['us-east1'], lagMs: UNKNOWN_LAG_MS } };
    const restarted = new Map([seen('us-east1', 10), seen('us-central1', 11, { standbys: unknown })]);
    expect(passGate(facts({ replication, databases: restarted }), 'us-central1', setting)).to.include({
      open: false,
      estimatedLossSeconds: null,
    });
  });

  it('async: a primary whose arbiter was silent went on for as long as what the standby last heard of it lets it, also where that promise is over', () => {
    const replication = { value: { epoch: 1, mode: 'async' as const, set: [], w: 1 }, revision: 2 };
    const lagging = { 'us-east1': { matchIndex: 9, lagEntries: 1, lagMs: 100, ageMs: 10, inSync: true } };
    const held = facts().lease as NonNullable<Facts['lease']>;
    const seenAtMs = NOW - 20_000;
    const loss = (heardAtMs: number, process: Partial<DatabaseStatus> = {}) => {
      const upstream = { region: 'us-central1', epoch: 1, lagEntries: 1, ageMs: NOW - heardAtMs };
      const databases = new Map([
        seen('us-east1', 10, { upstream, ...process }),
        seen('us-central1', 11, { standbys: lagging }, NOW - 5000),
      ]);
      return estimateLossSeconds(facts({ replication, databases, lease: { ...held, seenAtMs } }), 'us-central1', 'us-east1', setting);
    };
    expect(loss(seenAtMs + policy.leaseRenewMs), 'by the lease in the arbiter').to.equal(0.1);
    expect(loss(NOW - 4000), 'heard after it').to.equal((100 + 1000 + policy.holderStopsMs) / 1000);
    expect(loss(NOW - 10), 'never beyond now').to.equal(5.1);
    const restarted = (upMs: number) => loss(0, { upstream: null, upMs });
    expect(restarted(4000), 'restarted after it, and the process before may have heard it until then').to.equal(
      (1100 + policy.holderStopsMs) / 1000,
    );
    expect(restarted(NOW - seenAtMs), 'there all the time, and heard nothing').to.equal(0.1);
  });

  it('counts what a primary may have acknowledged until it stops by its own policy', () => {
    const replication = { value: { epoch: 1, mode: 'async' as const, set: [], w: 1 }, revision: 2 };
    const standbys = { 'us-east1': { matchIndex: 9, lagEntries: 1, lagMs: 0, ageMs: 10, inSync: true } };
    const databases = new Map([seen('us-east1', 10), seen('us-central1', 11, { standbys }, NOW - 9000)]);
    const loss = (times: Lease['times']) => {
      const held = { lease: { epoch: 1, holder: 'us-central1', incarnation: 'p', seq: 3, times }, revision: 7, seenAtMs: NOW - 9000 };
      return estimateLossSeconds(facts({ replication, databases, lease: held }), 'us-central1', 'us-east1', setting);
    };
    expect(loss(undefined)).to.equal(policy.holderStopsMs / 1000);
    expect(loss({ holderStopsMs: 5000, successorWaitsMs: 6000 })).to.equal(5);
  });

  it('lets one automatic failover pass in the block period, unless an operator acknowledged it', () => {
    const blocked = { ...setting, policy: { ...policy, antiFlapMs: 60_000 } };
    const last = (change: Partial<PastRun>) =>
      facts({ history: { value: { runs: [{ ...pastRun(journal({ step: 'DONE' })), ...change }], seq: 0 }, revision: 3 } });
    expect(passGate(last({}), 'us-central1', blocked)).to.include({ open: false, blocker: 'flapping' });
    expect(passGate(last({ tier: 'switchover' }), 'us-central1', blocked)).to.include({ open: true });
    expect(passGate(last({ outcome: 'ABORTED' }), 'us-central1', blocked)).to.include({ open: true });
    expect(passGate(last({ acknowledged: { by: 'anna', at: '' } }), 'us-central1', blocked)).to.include({ open: true });
    const later = { ...last({}), wallMs: 990_000 + 60_000 };
    expect(passGate(later, 'us-central1', blocked)).to.include({ open: true });
  });

  it('stays closed while paused, where the policy leaves it to people, and for want of capacity', () => {
    const paused = (until: string | null) =>
      facts({ maintenance: { value: { paused: true, by: 'anna', why: 'switches', since: '', until, seq: 0 }, revision: 3 } });
    expect(passGate(paused(null), 'us-central1', setting)).to.include({ open: false, blocker: 'paused' });
    expect(passGate(paused(new Date(1_000_001).toISOString()), 'us-central1', setting)).to.include({ open: false });
    expect(passGate(paused(new Date(1_000_000).toISOString()), 'us-central1', setting)).to.include({ open: true });
    const manual = { ...setting, policy: { ...policy, automatic: false } };
    expect(passGate(facts(), 'us-central1', manual)).to.include({ open: false, blocker: 'not-automatic' });
    expect(passGate(facts(), 'us-central1', { ...setting, promotable: [] })).to.include({ open: false, blocker: 'capacity' });
    const small = { ...setting, promotable: ['us-central1', 'europe-west1'] };
    expect(passGate(facts(), 'us-central1', small)).to.include({ open: true, candidate: 'europe-west1' });
  });

  it("refuses an operator's order with the reason", () => {
    const order = (target: string, given = facts()) => whyNot(INITIAL, { kind: 'failover', target, by: 'anna' }, given, setting);
    expect(order('us-east1')).to.equal(null);
    expect(order('mars')).to.contain('not a region');
    expect(order('us-central1')).to.contain('primary already');
    expect(order('us-east1', facts({ databases: new Map() }))).to.contain('does not answer');
    expect(order('us-east1', facts({ journal: { value: journal({}), revision: 3 } }))).to.contain('under way');
  });
});

describe('sealing', () => {
  const judge = (change: Partial<Journal>, fenced: Run['fenced'] = null, failures: Run['failures'] = {}) =>
    judgeSealing({ journal: journal(change), fenced, failures }, setting);

  it('needs N-W+1 of the set; one outside the set does not count', () => {
    expect(judge({ sealed: [log('us-east1', 10)] }).kind).to.equal('short');
    expect(judge({ sealed: [log('us-east1', 10)], set: ['us-east1'] }).kind).to.equal('reached');
    expect(judge({ sealed: [log('us-east1', 10)], set: ['europe-west1'] }).kind).to.equal('short');
    expect(judge({ sealed: [log('us-east1', 10)], acceptedLossSeconds: 5 }).kind).to.equal('reached');
  });

  it('takes the longest by epoch, then by index; among equals the target, then the order of the operator', () => {
    expect(judge({ sealed: [log('us-east1', 99, 1), log('europe-west1', 5, 2)] })).to.deep.include({ candidates: ['europe-west1'] });
    const equal = [log('europe-west1', 10), log('us-east1', 10)];
    expect(judge({ sealed: equal })).to.deep.include({ candidates: ['us-east1', 'europe-west1'] });
    expect(judge({ sealed: equal, target: 'europe-west1' })).to.deep.include({ candidates: ['europe-west1', 'us-east1'] });
  });

  it('makes do with the old holder where it is fenced and has the log of its epoch', () => {
    const rest = { 'us-east1': 1, 'europe-west1': 1 };
    expect(judge({}, log('us-central1', 12), rest)).to.deep.equal({ kind: 'reached', candidates: ['us-central1'], complete: true });
    expect(judge({}, log('us-central1', 0, 0), rest).kind, 'an emptied disk').to.equal('short');
    expect(judge({}, log('us-central1', 12), { 'us-east1': 1 }).kind, 'the others were not all asked').to.equal('short');
  });
});
