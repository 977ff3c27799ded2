import { expect } from 'chai';
import type { Journal } from '../arbiter/arbiter.ts';
import type { Event } from './state.ts';
import { policy, NOW, CENTRAL, EAST, EUROPE, seen, standby, serving, SWITCH, pending, kinds, Walk, log } from './testing/walk.ts';
import { INITIAL } from './transition.ts';

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

describe('an asynchronous failover', () => {
  const nobody = { kind: 'none', why: '' } as const;
  /** EAST was expected to be promoted and does not answer; EUROPE lags so much. */
  const sealedWith = (lagMs: number, leaseSeq = 7): Walk => {
    const replication = { value: { epoch: 1, mode: 'async' as const, set: [], w: 0 }, revision: 2 };
    const databases = new Map([
      seen(CENTRAL, { role: 'primary', mode: 'async', standbys: { [EAST]: standby(), [EUROPE]: standby(5, lagMs) } }),
      seen(EAST),
      seen(EUROPE),
    ]);
    const down = { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: [EAST, EUROPE] } as const;
    const walk = new Walk({ replication, databases, quorum: down }).tick().saved();
    const lease = { ...pending(), lease: { ...pending().lease, incarnation: walk.run.journal.runId, seq: leaseSeq } };
    walk.tick({ lease, replaced: walk.facts.lease, quorum: nobody }).saved();
    walk.after(policy.successorWaitsMs).tell({ kind: 'set-frozen', replication: replication.value });
    return walk.tell({ kind: 'seal-failed', region: EAST }).tell({ kind: 'sealed', log: log(EUROPE, 50) });
  };

  it('is judged by the lag of whoever is promoted, not of whom it was expected to be', () => {
    expect(sealedWith(100).run.journal).to.include({ step: 'PROMOTE', to: EUROPE });
    const waiting = sealedWith(60_000);
    expect(waiting.run.journal.step).to.equal('FENCE_AND_SEAL');
    expect(waiting.run.awaiting).to.include({ blocker: 'loss' });
    waiting.tell({ kind: 'operator', request: { kind: 'approve', acceptedLossSeconds: 70, by: 'anna' } });
    expect(waiting.run.journal).to.include({ step: 'PROMOTE', to: EUROPE });
  });
});

describe('a forced failover whose loss was typed', () => {
  it('asks nobody before everybody was asked, and goes on when a later answer is enough', () => {
    const replication = { value: { epoch: 1, mode: 'sync' as const, set: [EAST, EUROPE], w: 1 }, revision: 2 };
    const request = { kind: 'forced', target: EAST, acceptedLossSeconds: Number.MAX_SAFE_INTEGER, by: 'anna' } as const;
    const walk = new Walk({ replication });
    walk.tell({ kind: 'operator', request }).saved();
    walk.tick({ lease: pending(), replaced: walk.facts.lease, quorum: { kind: 'none', why: '' } }).saved();
    walk.after(policy.successorWaitsMs + policy.leaseMs).tell({ kind: 'set-frozen', replication: replication.value });
    walk.tell({ kind: 'seal-failed', region: EUROPE });
    expect(walk.run.awaiting, 'the target may still answer').to.equal(null);
    walk.tell({ kind: 'seal-failed', region: EAST });
    expect(walk.run.awaiting).to.include({ blocker: 'loss' });
    walk.tell({ kind: 'sealed', log: log(EAST) });
    expect(walk.run.journal).to.include({ step: 'PROMOTE', to: EAST });
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

describe('a promoted region that goes down within its run', () => {
  const held = (epoch: number, holder: string | null, revision: number) => ({
    lease: { lease: { epoch, holder, incarnation: holder === null ? 'run' : 'p', seq: 0 }, revision, seenAtMs: NOW },
  });
  const down = { kind: 'suspects', sinceMs: NOW - policy.confirmMs, by: [CENTRAL, EUROPE] } as const;
  /** Promoted to us-east1 in epoch 2, then down while the name is written. */
  const promoted = (): Walk => {
    const walk = new Walk()
      .acquired()
      .tell({ kind: 'fenced', log: log(CENTRAL) })
      .tell({ kind: 'caught-up', region: EAST });
    walk
      .tell({ kind: 'sealed', log: log(EAST) })
      .saved()
      .tick({ ...held(2, EAST, 9), replication: { value: { epoch: 2, mode: 'sync', set: [CENTRAL, EUROPE], w: 1 }, revision: 10 } });
    return walk.tell({ kind: 'promoted', region: EAST, writable: true }).saved().tell({ kind: 'database-verified' }).saved();
  };

  it('is failed over from in the same run, with the next epoch', () => {
    const walk = promoted().tick({ quorum: down });
    expect(walk.run.journal).to.include({ step: 'ACQUIRE', epoch: 3, from: EAST, tier: 'automatic', course: 'urgent', restarts: 1 });
  });

  it('is verified, published and told as complete when it comes back before anything was taken', () => {
    const walk = promoted().tick({ quorum: down }).saved();
    walk.tick({ ...held(3, EAST, 12), quorum: { kind: 'veto', by: EUROPE } });
    expect(walk.run.journal).to.include({ step: 'VERIFY_DB', to: EAST, epoch: 3 });
    walk.saved().tell({ kind: 'database-verified' }).saved().tell({ kind: 'routed' }).saved().tell({ kind: 'end-to-end-verified' }).saved();
    walk.tick().after(policy.stabiliseMs).saved();
    expect(walk.said).to.include('failover_complete').and.not.to.include('failover_aborted');
    expect(walk.facts.history?.value.runs.at(-1)).to.include({ outcome: 'DONE', to: EAST, epoch: 3, restarts: 1 });
  });

  it('is not failed over from while paused, until somebody approves it', () => {
    const pause = { paused: true, by: 'anna', why: '', since: '', until: null, seq: 0 };
    const walk = promoted().tick({ quorum: down, maintenance: { value: pause, revision: 40 } });
    expect([walk.run.journal.step, walk.run.awaiting?.blocker]).to.deep.equal(['ROUTE', 'paused']);
    expect(walk.after(0).said.filter((action) => action === 'awaiting_approval')).to.have.length(1);
    walk.tell({ kind: 'operator', request: { kind: 'approve', acceptedLossSeconds: null, by: 'anna' } });
    expect(walk.run.journal).to.include({ step: 'ACQUIRE', epoch: 3, from: EAST });
  });
});
