import { expect } from 'chai';
import type { Replication, SealedLog } from '../arbiter/arbiter.ts';
import { ANY_LOSS_SECONDS } from './loss.ts';
import { whyNot } from './orders.ts';
import type { Facts, OperatorRequest } from './state.ts';
import { CENTRAL, EAST, EUROPE, kinds, log, NOW, pending, policy, seen, setting, standby, Walk } from './testing/walk.ts';
import { transition } from './transition.ts';

const nobody = { kind: 'none', why: '' } as const;
const failed = (region: string, more: { readonly lacks?: boolean } = {}) =>
  ({ kind: 'promote-failed', region, why: `${region} is dead`, ...more }) as const;
const approve = (acceptedLossSeconds: number): OperatorRequest => ({ kind: 'approve', by: 'ops', acceptedLossSeconds });
const force = (target: string, acceptedLossSeconds: number): OperatorRequest => ({
  kind: 'forced',
  target,
  by: 'ops',
  acceptedLossSeconds,
});
const isSuspected = { kind: 'suspects', sinceMs: NOW - 60_000, by: [EAST, EUROPE] } as const;

/** An automatic failover from a primary that is dead, its lease over, with what answers sealed. */
function promoting(sealed: readonly SealedLog[], given: Partial<Facts> = {}): Walk {
  const databases = new Map([seen(EAST), seen(EUROPE)]);
  const walk = new Walk({ quorum: isSuspected, databases, ...given }).tick().saved();
  walk.tick({ lease: pending(), replaced: walk.facts.lease, quorum: nobody }).saved();
  walk.tell({ kind: 'set-frozen', replication: null }).after(policy.successorWaitsMs);
  for (const answer of sealed) walk.tell({ kind: 'sealed', log: answer });
  for (const region of [EAST, EUROPE]) if (!sealed.some((answer) => answer.region === region)) walk.tell({ kind: 'seal-failed', region });
  return walk.saved();
}
const deadNow = (walk: Walk, region: string): Walk => walk.tell(failed(region)).tell(failed(region)).saved();
const refusal = (walk: Walk, request: OperatorRequest) => whyNot(walk.state, request, walk.facts, setting);
const order = (walk: Walk, request: OperatorRequest): Walk => {
  expect(refusal(walk, request)).to.equal(null);
  return walk.tell({ kind: 'operator', request }).saved();
};
const asks = (walk: Walk) => walk.effects.flatMap((effect) => ('region' in effect ? [`${effect.kind} ${effect.region}`] : []));

describe('a failover whose chosen database is dead', () => {
  const rule: Replication = { epoch: 1, mode: 'sync', set: [EAST, EUROPE], w: 2 };
  const replication = { value: rule, revision: 2 };

  it('asks the old primary as well, which may be back and has everything', () => {
    const walk = promoting([log(EAST), log(EUROPE, 20)]);
    expect(asks(walk)).to.deep.equal([`promote ${EAST}`]);
    walk.tell(failed(EAST));
    expect(asks(walk)).to.deep.equal([`promote ${EAST}`, `fence ${CENTRAL}`]);
    walk
      .tell({ kind: 'fenced', log: log(CENTRAL) })
      .tell(failed(EAST))
      .saved();
    expect(walk.run).to.have.nested.include({ 'journal.to': CENTRAL, awaiting: null });
    expect(asks(walk)).to.deep.equal([`promote ${CENTRAL}`]);
  });

  it('seals who was away when it was sealed, and promotes that one where it has as much', () => {
    const walk = promoting([log(EAST)], { replication });
    expect(walk.run.journal).to.include({ step: 'PROMOTE', to: EAST });
    walk.tell(failed(EAST));
    expect(asks(walk)).to.deep.equal([`promote ${EAST}`, `fence ${CENTRAL}`, `seal ${EUROPE}`]);
    walk.tell({ kind: 'sealed', log: log(EUROPE) });
    deadNow(walk, EAST);
    expect(walk.run).to.have.nested.include({ 'journal.to': EUROPE, awaiting: null });
    expect(walk.run.journal.sealed.map(({ region }) => region)).to.deep.equal([EAST, EUROPE]);
  });

  it('asks people where who was away has less, and nothing of a planned move is asked so', () => {
    const walk = promoting([log(EAST)], { replication });
    walk.tell(failed(EAST)).tell({ kind: 'sealed', log: log(EUROPE, 20) });
    deadNow(walk, EAST);
    expect(walk.run.awaiting).to.include({ blocker: 'loss', instead: EUROPE });
    const planned = new Walk()
      .acquired()
      .tell({ kind: 'fenced', log: log(CENTRAL) })
      .tell({ kind: 'caught-up', region: EAST });
    planned
      .tell({ kind: 'sealed', log: log(EAST) })
      .saved()
      .tell(failed(EAST));
    expect(asks(planned)).to.deep.equal([`promote ${EAST}`]);
  });

  it('leaves nobody behind who has more and answers, whatever loss was accepted', () => {
    const walk = promoting([log(EAST, 60), log(EUROPE, 50)]);
    const asia = 'asia-east1';
    walk.state = { ...walk.run, journal: { ...walk.run.journal, sealed: [...walk.run.journal.sealed, log(asia, 40)] } };
    deadNow(walk, EAST);
    order(walk, approve(ANY_LOSS_SECONDS));
    expect(walk.run.journal.to).to.equal(EUROPE);
    walk.facts = { ...walk.facts, databases: new Map([seen(EAST, {}, walk.facts.nowMs), seen(EUROPE)]) };
    deadNow(walk, EUROPE);
    expect(walk.run.journal.to, `${EAST} is back, and has more than ${asia}`).to.equal(EAST);
  });

  it('takes an approval for what was asked only: no order to another region, none that is answered by now', () => {
    const walk = deadNow(promoting([log(EAST), log(EUROPE, 20)]), EAST);
    expect(refusal(walk, force(EAST, ANY_LOSS_SECONDS))).to.contain(`waits for an approval to promote ${EUROPE}`);
    expect(refusal(walk, force(EUROPE, ANY_LOSS_SECONDS))).to.equal(null);
    const held = { lease: { epoch: 2, holder: EAST, incarnation: 'p', seq: 0 }, revision: 9, seenAtMs: walk.facts.nowMs };
    walk.tick({ lease: held });
    expect(walk.run, `${EAST} has the lease after all`).to.have.nested.include({ 'journal.to': EAST, awaiting: null });
    expect(refusal(walk, approve(ANY_LOSS_SECONDS))).to.contain('waits for nobody');
  });

  it('does not go on asking for what one lacks while another is promoted', () => {
    const walk = promoting([log(EAST), log(EUROPE)]);
    walk.tell(failed(EAST, { lacks: true })).tell(failed(EAST, { lacks: true }));
    expect(walk.run.awaiting).to.include({ blocker: 'loss' });
    deadNow(walk, EAST);
    expect(walk.run).to.have.nested.include({ 'journal.to': EUROPE, awaiting: null });
  });

  it('keeps an approval that comes while the journal is being written, whose write had been carried out before it was cancelled', () => {
    const asia = 'asia-east1';
    const walk = promoting([log(EAST), log(EUROPE)]);
    walk.state = { ...walk.run, journal: { ...walk.run.journal, sealed: [...walk.run.journal.sealed, log(asia, 40)] } };
    deadNow(walk, EAST).tell(failed(EUROPE)).tell(failed(EUROPE));
    expect(kinds(walk.effects), 'turned to the first again').to.deep.equal(['save-journal']);
    const [effect] = walk.effects;
    if (effect?.kind !== 'save-journal') throw new Error('nothing is saved');
    walk.tell({ kind: 'operator', request: approve(ANY_LOSS_SECONDS) });
    expect(walk.said.at(-1)).to.equal('approved');
    walk.tell({ kind: 'journal-lost' }, { journal: { value: effect.value, revision: 77 } });
    expect(walk.run.journal).to.include({ to: asia, acceptedLossSeconds: ANY_LOSS_SECONDS, by: 'ops' });
    expect(walk.effects[0]).to.include({ kind: 'save-journal', expected: 77 });
    const other = { value: { ...effect.value, ownerIncarnation: 'other' }, revision: 78 };
    expect(walk.tell({ kind: 'journal-lost' }, { journal: other }).state.kind, 'another goes on with it').to.equal('observe');
  });
});

describe('a failover whose new primary goes down as well', () => {
  /** EAST has the lease, and nobody has verified it yet. */
  const verifying = (set: readonly string[]): Walk => {
    const walk = promoting([log(EAST), log(EUROPE)]);
    walk.tell({ kind: 'promoted', region: EAST, writable: true }).saved();
    const lease = { lease: { epoch: 2, holder: EAST, incarnation: 'p', seq: 0 }, revision: 9, seenAtMs: walk.facts.nowMs };
    const replication = { value: { epoch: 2, mode: 'sync' as const, set: [...set], w: 1 }, revision: 3 };
    const databases = new Map([seen(EUROPE, {}, walk.facts.nowMs)]);
    return walk.tick({ lease, replication, databases, replaced: walk.facts.lease });
  };
  const down = (walk: Walk): Walk => walk.tick({ quorum: { ...isSuspected, sinceMs: walk.facts.nowMs - policy.confirmMs } });

  it('begins anew by itself where nothing can be lost, else with an approval: it asks for one', () => {
    expect(down(verifying([EUROPE])).said.at(-1)).to.equal('failover_restarted');
    const walk = down(verifying([CENTRAL]));
    expect(walk.said.at(-1)).to.equal('awaiting_approval');
    expect(walk.run.awaiting).to.include({ blocker: 'loss' });
    expect(walk.run.awaiting?.reason).to.contain(`${EAST} went down as well`);
    expect(walk.tick().said.at(-1), 'once').to.equal('awaiting_approval');
    expect(refusal(walk, approve(1))).to.contain('not known');
    order(walk, approve(ANY_LOSS_SECONDS));
    expect(walk.run.journal).to.include({ step: 'ACQUIRE', from: EAST, epoch: 3, acceptedLossSeconds: ANY_LOSS_SECONDS, by: 'ops' });
  });

  it('does not ask any more where it is back', () => {
    const walk = down(verifying([CENTRAL])).tick({ quorum: { kind: 'veto', by: EUROPE } });
    expect(walk.run.awaiting).to.equal(null);
    expect(refusal(walk, approve(ANY_LOSS_SECONDS))).to.contain('waits for nobody');
  });

  it('takes an operator’s word where too few are left to diagnose it, once the step takes too long', () => {
    const walk = verifying([EUROPE]);
    const word = force(EUROPE, ANY_LOSS_SECONDS);
    expect(refusal(walk, word)).to.contain('waits for nobody');
    walk.after(policy.stepTimeoutMs + 1);
    expect(walk.said.at(-1)).to.equal('step_overdue');
    expect(refusal(walk, word), 'nobody to go to').to.contain('does not answer');
    walk.tick({ databases: new Map([seen(EUROPE, {}, walk.facts.nowMs)]) });
    expect(refusal(walk, force(EAST, ANY_LOSS_SECONDS))).to.contain('primary already');
    expect(refusal(walk, approve(ANY_LOSS_SECONDS))).to.contain('waits for nobody');
    order(walk, word);
    expect(walk.run.journal).to.include({ tier: 'forced', step: 'ACQUIRE', from: EAST, target: EUROPE, epoch: 3, by: 'ops' });
    expect(walk.run.journal.acceptedLossSeconds).to.equal(ANY_LOSS_SECONDS);
  });
});

describe('a standby whose disk was emptied', () => {
  const standbys = { [EAST]: standby(0, 400), [EUROPE]: standby(0, 400) };
  const known = (change: Parameters<typeof seen>[1] = {}) => ({
    replication: { value: { epoch: 1, mode: 'async' as const, set: [], w: 1 }, revision: 2 },
    databases: new Map([seen(CENTRAL, { role: 'primary', standbys }), seen(EAST, change), seen(EUROPE, change)]),
  });

  it('is not taken for as far as it was before, when it is sealed', () => {
    for (const short of [log(EAST, 0, 0), log(EAST, 49)]) {
      const walk = promoting([short], known());
      expect(walk.run, `${short.lastIndex}`).to.have.nested.include({ 'journal.step': 'FENCE_AND_SEAL', 'journal.to': null });
      expect(walk.run.awaiting).to.include({ blocker: 'loss', estimatedLossSeconds: null });
      expect(refusal(walk, approve(60))).to.contain('not known');
    }
    expect(promoting([log(EAST, 50)], known()).run.journal.to).to.equal(EAST);
  });

  it('does not count for what was acknowledged: it may have been the only one that had it', () => {
    const walk = promoting([log(EAST), log(EUROPE, 0, 0)]);
    expect(walk.run).to.have.nested.include({ 'journal.step': 'FENCE_AND_SEAL', 'awaiting.blocker': 'loss' });
    expect(walk.run.awaiting?.reason).to.contain('1 of the sync set');
    const emptied = new Map([seen(EAST), seen(EUROPE, { lastIndex: 0, lastEpoch: 0 })]);
    const before = new Walk({ quorum: isSuspected, databases: emptied }).tick();
    expect(before.state).to.include({ kind: 'await-approval', blocker: 'loss' });
  });

  it('lets no failover begin by itself either', () => {
    const given = known({ lastIndex: 0, lastEpoch: 0 });
    const walk = new Walk({ quorum: isSuspected, ...given }).tick();
    expect(walk.state).to.include({ kind: 'await-approval', blocker: 'loss', estimatedLossSeconds: null });
    expect(transition(walk.state, { kind: 'tick' }, { ...walk.facts, ...known() }, setting).state.kind).to.equal('run');
  });
});
