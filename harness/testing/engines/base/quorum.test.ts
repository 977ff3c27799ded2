import { expect } from 'chai';
import type { Vote } from './observer.ts';
import { confirmsDown } from './quorum.ts';

const REGIONS = ['a', 'b', 'c'];
const vote = (region: string, verdict: Vote['verdict'], commitAgeMs: number | null = null): Vote => ({
  region,
  primary: 'a',
  epoch: 1,
  verdict,
  commitAgeMs,
  seq: 1,
});
const down = (...votes: readonly Vote[]): boolean => confirmsDown(votes, REGIONS, 'a', 200);

describe('the quorum of the known-bad engines', () => {
  it('needs a majority of the configured observers, not of those that answer', () => {
    expect(down(vote('b', 'suspect'))).to.equal(false);
    expect(down(vote('b', 'suspect'), vote('c', 'suspect'))).to.equal(true);
  });
  it('lets one that has just seen a commit veto', () => {
    expect(down(vote('b', 'suspect'), vote('c', 'suspect'), vote('a', 'ok', 150))).to.equal(false);
    expect(down(vote('b', 'suspect'), vote('c', 'suspect'), vote('a', 'ok', 5000))).to.equal(true);
  });
  it('counts the observer in the primary’s region, if another stands outside', () => {
    expect(down(vote('a', 'suspect'), vote('c', 'suspect'))).to.equal(true);
  });
  it('does not count a suspicion of somebody else', () => {
    expect(down(vote('b', 'suspect'), { ...vote('c', 'suspect'), primary: 'b' })).to.equal(false);
  });
});
