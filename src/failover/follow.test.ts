import { expect } from 'chai';
import type { PastRun } from '../arbiter/arbiter.ts';
import { FOLLOWER } from './follow.ts';
import { CENTRAL, EAST, EUROPE, facts, policy, seen, setting, standby } from './testing/walk.ts';
import type { Facts, Setting } from './state.ts';
import { INITIAL, transition } from './transition.ts';

const LONG = policy.suspectAfterMs + policy.confirmMs;
const serves = (better: { region: string; forMs: number } | null, inSync = true) =>
  seen(CENTRAL, { role: 'primary', writable: true, standbys: { [EAST]: standby(0, 0, inSync), [EUROPE]: standby() }, better });
const given = (change: Partial<Facts> = {}, better: { region: string; forMs: number } | null = { region: EAST, forMs: LONG }): Facts =>
  facts({ databases: new Map([serves(better), seen(EAST), seen(EUROPE)]), ...change });
const begun = (of: Facts, over: Partial<Setting> = {}) =>
  transition(INITIAL, { kind: 'tick' }, of, { ...setting, ...over }).announce.find(({ action }) => action === 'failover_initiated')
    ?.details;
const past = (change: Partial<PastRun>): Facts['history'] => ({
  value: { runs: [{ runId: 'x', tier: 'switchover', by: FOLLOWER, outcome: 'ABORTED', epoch: 2, ...change } as PastRun], seq: 1 },
  revision: 3,
});

describe('a database that has moved by itself', () => {
  it('is followed by a planned move, when it has been elsewhere for as long as a primary must be suspected and confirmed', () => {
    expect(begun(given())).to.include({ tier: 'switchover', from: CENTRAL, target: EAST, by: FOLLOWER });
    expect(begun(given({}, { region: EAST, forMs: LONG - 1 }))).to.equal(undefined);
    expect(begun(given({}, null))).to.equal(undefined);
    expect(begun(given({ quorum: { kind: 'none', why: 'nobody sees anything' } }))).to.include({ target: EAST });
    expect(begun(facts()), 'a database that says nothing of it').to.equal(undefined);
  });

  it('is not followed to where an operator could not move either: it is not told again and again, only not done', () => {
    for (const databases of [
      new Map([serves({ region: EAST, forMs: LONG }, false), seen(EAST), seen(EUROPE)]),
      new Map([serves({ region: EAST, forMs: LONG }), seen(EUROPE)]),
    ])
      expect(transition(INITIAL, { kind: 'tick' }, given({ databases }), setting)).to.deep.include({ state: INITIAL, announce: [] });
  });

  it('is not followed while failovers are paused or left to people, a program may veto them, or the region is too small', () => {
    const until = new Date(facts().wallMs + 60_000).toISOString();
    const paused = { value: { paused: true, until, by: 'x', why: 'y', at: '', seq: 1 }, revision: 1 } as unknown as Facts['maintenance'];
    expect(begun(given({ maintenance: paused }))).to.equal(undefined);
    expect(begun(given(), { policy: { ...policy, automatic: false } })).to.equal(undefined);
    expect(begun(given(), { vetoProgram: true })).to.equal(undefined);
    expect(begun(given(), { promotable: [CENTRAL, EUROPE] })).to.equal(undefined);
  });

  it('is not followed while the primary is suspected: that is a failover', () => {
    const suspects = { kind: 'suspects', sinceMs: facts().nowMs, by: [EAST, EUROPE] } as const;
    expect(begun(given({ quorum: suspects }))).to.equal(undefined);
  });

  it('is tried once a reign', () => {
    // Ended with nothing changed (it would have taken epoch 2), and undone (epoch 1 is in force since).
    expect(begun(given({ history: past({ outcome: 'ABORTED', epoch: 2 }) }))).to.equal(undefined);
    expect(begun(given({ history: past({ outcome: 'UNDONE', epoch: 1 }) }))).to.equal(undefined);
    expect(begun(given({ history: past({ outcome: 'DONE', epoch: 1 }) })), 'it succeeded before').to.include({ target: EAST });
    expect(begun(given({ history: past({ outcome: 'ABORTED', epoch: 2, by: 'operator' }) })), 'that was somebody else').to.include({
      target: EAST,
    });
  });
});
