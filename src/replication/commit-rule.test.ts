import { expect } from 'chai';
import { committableIndex, countingMembers, type CommitRule } from './commit-rule.ts';
import { isSafeToTake } from './replication-rule.ts';
import { planSetChange } from './sync-set.ts';

const rule = (over: Partial<CommitRule> = {}): CommitRule => ({ mode: 'sync', set: ['b', 'c'], proposed: null, w: 1, ...over });
const match = (entries: Record<string, number>): ReadonlyMap<string, number> => new Map(Object.entries(entries));

describe('commit rule', () => {
  const input = { durableIndex: 10, epochFirstIndex: 5, matchIndex: match({ b: 7, c: 9 }) };
  it('commits what is durable here and on W members', () => {
    expect(committableIndex({ ...input, rule: rule() })).to.equal(9);
    expect(committableIndex({ ...input, rule: rule({ w: 2 }) })).to.equal(7);
    expect(committableIndex({ ...input, rule: rule(), durableIndex: 8 })).to.equal(8);
  });
  it('counts only members of both sets while a change is undecided', () => {
    expect(committableIndex({ ...input, rule: rule({ proposed: ['b'] }) })).to.equal(7);
    expect(countingMembers(rule({ proposed: ['c', 'd'] }))).to.deep.equal(['c']);
    expect(committableIndex({ ...input, rule: rule({ proposed: ['d'] }) })).to.equal(null);
  });
  it('counts nobody outside of the set, and commits nothing without W members', () => {
    expect(committableIndex({ ...input, rule: rule({ set: ['b'] }) })).to.equal(7);
    expect(committableIndex({ ...input, rule: rule({ set: [] }) })).to.equal(null);
    expect(committableIndex({ ...input, rule: rule({ w: 0 }) })).to.equal(null);
  });
  it('commits no entry of an earlier epoch by counting', () => {
    expect(committableIndex({ ...input, epochFirstIndex: 10, rule: rule() })).to.equal(null);
  });
  it('needs nobody else in async mode', () => {
    expect(committableIndex({ ...input, rule: rule({ mode: 'async', set: [] }) })).to.equal(10);
  });
});

describe('change of the sync set', () => {
  const policy = { syncDropAfterMs: 500, caughtUpEntries: 256 };
  const log = { commitIndex: 100, lastIndex: 110 };
  const b = { region: 'b', matchIndex: 105, ageMs: 10 };
  const c = { region: 'c', matchIndex: 60, ageMs: 900 };
  it('drops a silent member where another holds everything acknowledged', () => {
    expect(planSetChange(rule(), [b, c], log, policy)).to.deep.equal({ set: ['b'], added: [], removed: ['c'] });
  });
  it('drops nobody where the remaining one lacks something acknowledged', () => {
    expect(planSetChange(rule(), [{ ...b, matchIndex: 99 }, c], log, policy)).to.equal(null);
  });
  it('drops nobody where nobody would remain', () => {
    expect(planSetChange(rule(), [{ ...b, ageMs: 900 }, c], log, policy)).to.equal(null);
    expect(planSetChange(rule({ set: ['c'] }), [b, c], { commitIndex: 106, lastIndex: 110 }, policy)).to.equal(null);
  });
  it('drops at once who has forgotten what it acknowledged, also the last one: only this copy has all of it then', () => {
    const forgot = { ...c, matchIndex: 0, ageMs: 5, forgot: true };
    expect(planSetChange(rule(), [b, forgot], log, policy)?.set).to.deep.equal(['b']);
    expect(planSetChange(rule(), [{ ...b, matchIndex: 99 }, forgot], log, policy), 'the other one is about to have it').to.equal(null);
    expect(planSetChange(rule(), [{ ...b, ageMs: 900 }, forgot], log, policy)?.set).to.deep.equal([]);
    expect(planSetChange(rule({ set: ['c'] }), [forgot], log, policy)?.set).to.deep.equal([]);
    expect(planSetChange(rule({ set: [] }), [{ ...c, matchIndex: 110, ageMs: 5 }], log, policy)?.set).to.deep.equal(['c']);
  });
  it('takes in who has caught up and answers, and nobody else', () => {
    expect(planSetChange(rule({ set: ['b'] }), [b, { ...c, matchIndex: 104, ageMs: 5 }], log, policy)?.added).to.deep.equal(['c']);
    expect(planSetChange(rule({ set: ['b'] }), [b, { ...c, ageMs: 5 }], log, policy)).to.equal(null);
    expect(planSetChange(rule({ set: ['b'] }), [b, { ...c, matchIndex: 104 }], log, policy)).to.equal(null);
  });
  it('takes somebody in where the set has no live member left', () => {
    expect(planSetChange(rule({ set: ['c'] }), [b, c], log, policy)?.set).to.deep.equal(['c', 'b']);
  });
  it('plans nothing while a change is undecided or in async mode', () => {
    expect(planSetChange(rule({ proposed: ['b'] }), [b, c], log, policy)).to.equal(null);
    expect(planSetChange(rule({ mode: 'async' }), [b, c], log, policy)).to.equal(null);
  });
});

describe('the first set of a new primary', () => {
  const nobody = { mode: 'sync', set: [], w: 1 } as const;
  it('is never one that nobody is in: nothing could be committed, and nobody come into it', () => {
    expect(isSafeToTake(nobody, nobody, [])).to.equal(false);
    expect(isSafeToTake(nobody, { ...nobody, set: ['b'] }, ['b'])).to.equal(true);
  });
});
