import { expect } from 'chai';
import { PRESETS } from '../config/policy.ts';
import { decideLeadership, heirOf, isConfirmed, isLeading, type LeadershipFacts } from './leadership.ts';

const policy = PRESETS.lab;
const held = (region: string, incarnation = 'i') => ({ value: { region, incarnation, seq: 4 }, revision: 9 });
const facts = (change: Partial<LeadershipFacts>): LeadershipFacts => ({
  region: 'us-east1',
  incarnation: 'i',
  held: held('europe-west1'),
  seenAtMs: 0,
  renewedAtMs: null,
  lookedAtMs: null,
  primary: 'us-central1',
  idle: true,
  peers: [],
  nowMs: 0,
  ...change,
});

describe('leadership', () => {
  it('renews its own in time', () => {
    const mine = { held: held('us-east1'), renewedAtMs: 1000 };
    expect(decideLeadership(facts({ ...mine, nowMs: 1100 }), policy)).to.deep.equal({ kind: 'wait' });
    expect(decideLeadership(facts({ ...mine, nowMs: 1200 }), policy)).to.deep.include({ kind: 'write', why: 'renew' });
  });

  it('goes on while it cannot be renewed and nobody took it, but is not confirmed then', () => {
    const mine = { held: held('us-east1'), renewedAtMs: 1000 };
    expect(isConfirmed(facts({ ...mine, nowMs: 1600 }), policy)).to.equal(true);
    expect(isConfirmed(facts({ ...mine, nowMs: 1700 }), policy)).to.equal(false);
    expect(isLeading(facts({ ...mine, nowMs: 1700 }))).to.equal(true);
    expect(isLeading(facts({ held: held('us-east1', 'the process before') }))).to.equal(false);
  });

  it('claims only when the arbiter said twice that nothing changed', () => {
    expect(decideLeadership(facts({ nowMs: 699 }), policy).kind).to.equal('wait');
    expect(decideLeadership(facts({ nowMs: 700 }), policy).kind).to.equal('look');
    expect(decideLeadership(facts({ nowMs: 800, lookedAtMs: 700 }), policy).kind).to.equal('wait');
    expect(decideLeadership(facts({ nowMs: 900, lookedAtMs: 700 }), policy)).to.deep.include({ kind: 'write', why: 'claim' });
  });

  it("lets the controllers outside the primary's region go first", () => {
    expect(decideLeadership(facts({ region: 'us-central1', nowMs: 2099 }), policy).kind).to.equal('wait');
    expect(decideLeadership(facts({ region: 'us-central1', nowMs: 2100 }), policy).kind).to.equal('look');
    expect(decideLeadership(facts({ held: null, nowMs: 0 }), policy).kind).to.equal('look');
    expect(decideLeadership(facts({ held: null, region: 'us-central1', nowMs: 1399 }), policy).kind).to.equal('wait');
  });

  it("hands over when it is in the primary's region and another answers, but not in the middle of a failover", () => {
    const here = { held: held('us-east1'), renewedAtMs: 1000, nowMs: 1100, primary: 'us-east1' };
    const peers = [
      { region: 'us-east1', incarnation: 'i' },
      { region: 'europe-west1', incarnation: 'e' },
    ];
    expect(decideLeadership(facts({ ...here, peers }), policy)).to.deep.equal({
      kind: 'write',
      why: 'hand-over',
      value: { region: 'europe-west1', incarnation: 'e', seq: 0 },
    });
    expect(decideLeadership(facts({ ...here, peers, idle: false }), policy).kind).to.equal('wait');
    expect(decideLeadership(facts({ ...here, peers: peers.slice(0, 1) }), policy).kind).to.equal('wait');
  });

  it("names, when it ends, somebody of another region, of the primary's only where nobody else answers, and its partner where nobody elsewhere does", () => {
    const [here, central, europe] = ['us-east1', 'us-central1', 'europe-west1'].map((region) => ({
      region,
      incarnation: region.slice(0, 4),
    }));
    const heir = (...peers: readonly (typeof here)[]) =>
      heirOf({ region: 'us-east1', primary: 'us-central1', peers: peers.flatMap((peer) => (peer === undefined ? [] : [peer])) });
    expect(heir(here, central, europe)).to.deep.equal({ region: 'europe-west1', incarnation: 'euro', seq: 0 });
    expect(heir(here, central)).to.deep.equal({ region: 'us-central1', incarnation: 'us-c', seq: 0 });
    expect(heir(here)).to.deep.equal({ region: 'us-east1', incarnation: 'us-e', seq: 0 });
    expect(heir()).to.equal(null);
  });
});
