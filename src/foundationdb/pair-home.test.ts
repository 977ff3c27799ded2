import { expect } from 'chai';
import { UNKNOWN_LAG_MS } from '../replication/lag.ts';
import { MemoryPair } from '../testing/memory-pair.ts';
import { NO_FENCE, openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { lookAtHome, type Look } from './look.ts';
import { homeStandbys, type PairHome } from './pair-home.ts';
import { endOf, standbyEnd, upstreamOf } from './routes.ts';

const keys = keySpaceOf('coditect/');
const LIMIT_MS = 10_000;
const homes = { 'us-central1': 'central', 'us-east1': 'east', 'europe-west1': 'east' };
const NOW = { region: 'us-central1', rpoMs: 5000, nowMs: 10_000 };

function told(lagMs: number | null, copyRuns: boolean | null, now = NOW) {
  return homeStandbys({ homes }, { lagMs: () => lagMs, copyRuns, seen: { other: null, answeredAtMs: 9900 } }, now);
}

describe('standbys of a region that serves from one of a pair', () => {
  it('are as far as the copy is, and in sync while that runs within the objective', () => {
    const running = { matchIndex: 0, lagEntries: 0, lagMs: 301, ageMs: 100, inSync: true };
    expect(told(300.2, true)).to.deep.equal({ 'us-east1': running, 'europe-west1': running });
    expect(told(5001, true)['us-east1'], 'too far for a planned move to begin').to.include({ lagMs: 5001, inSync: false, lagEntries: 1e9 });
  });

  it('are of an unknown lag where there is no copy or nobody knows, which no gate takes for little', () => {
    for (const [lagMs, runs] of [
      [null, false],
      [null, null],
      [null, true],
    ] as const)
      expect(told(lagMs, runs)['us-east1']).to.include({ lagMs: UNKNOWN_LAG_MS, inSync: false, lagEntries: 1e9 });
    expect(told(200, null)['us-east1'], 'it does not answer just now').to.include({ lagMs: 200, inSync: false });
  });

  it('have the same database where they share the cluster', () => {
    const all = told(300, true, { ...NOW, region: 'us-east1' });
    expect(all['europe-west1']).to.include({ lagMs: 0, inSync: true });
    expect(all['us-central1']).to.include({ lagMs: 300 });
  });
});

describe('what a region of a pair has heard of the primary', () => {
  const fence = { ...NO_FENCE, epoch: 5, servedEpoch: 5, servedBy: 'us-central1', version: 9 };
  const at = (name: string) => ({ homes, members: { own: { name } } as PairHome['members'] });
  const heard = (isCopy: boolean, name: string) => upstreamOf({ fence, version: 9, isCopy }, { silentMs: 70 }, at(name));

  it('lacks something in a copy, and nothing in the cluster that the primary uses', () => {
    expect(heard(true, 'east')).to.deep.equal({ region: 'us-central1', epoch: 5, lagEntries: 1, ageMs: 70 });
    expect(heard(false, 'central')).to.include({ lagEntries: 0, ageMs: 0 });
  });

  it('is nothing where the copy was ended: the primary went on without it, in the same epoch, and nobody is to take it for complete', () => {
    expect(heard(false, 'east')).to.equal(null);
  });

  it('is told as longer than any copy where it is the primary’s own database: how far a copy is behind then says nothing of what may be lost', () => {
    const end = (look: Pick<Look, 'isCopy' | 'version'>, name: string) => standbyEnd({ fence, ...look }, at(name));
    const copy = end({ isCopy: true, version: 11 }, 'east');
    expect(copy, 'what a planned move waits for').to.deep.equal({ lastIndex: 9, lastEpoch: 5 });
    expect(end({ isCopy: false, version: 12 }, 'central')).to.deep.equal({ lastIndex: 12, lastEpoch: 5 });
    expect(end({ isCopy: false, version: 12 }, 'east'), 'ended').to.deep.equal({ lastIndex: 0, lastEpoch: 5 });
    expect(standbyEnd({ fence, isCopy: false, version: 12 }, null), 'one database of all').to.deep.equal({ lastIndex: 9, lastEpoch: 5 });
  });

  it('is sealed as shorter than any log of its epoch where the copy was ended: its versions are those of another cluster', () => {
    expect(endOf({ fence }, at('east'))).to.deep.equal({ lastIndex: 0, lastEpoch: 5 });
    for (const whole of [endOf({ fence }, at('central')), endOf({ fence, isCopy: true }, at('east')), endOf({ fence }, null)])
      expect(whole).to.deep.equal({ lastIndex: 9, lastEpoch: 5 });
  });
});

describe('a look at one cluster of a pair', () => {
  it('commits where it is not locked, and reads what has come where it is a whole copy', async () => {
    const pair = new MemoryPair();
    await openFence(pair.primary.db, keys.fence, { epoch: 3, region: 'us-central1' }, LIMIT_MS);
    const before = pair.primary.version;
    const primary = await lookAtHome(pair.primary.db, keys, LIMIT_MS);
    expect(primary).to.deep.include({ isCopy: false, version: pair.primary.version });
    expect(pair.primary.version).to.be.greaterThan(before);
    await pair.begin();
    await pair.ship();
    const copied = pair.copy.version;
    const copy = await lookAtHome(pair.copy.db, keys, LIMIT_MS);
    expect(copy?.isCopy).to.equal(true);
    expect(copy?.fence, 'with the version of its primary').to.deep.equal(primary?.fence);
    expect(pair.copy.version, 'nothing is written there').to.equal(copied);
  });

  it('is none of a copy that is not whole, and of one that somebody else has locked', async () => {
    for (const [state, uid] of [
      ['copying', undefined],
      ['complete', '00112233445566778899aabbccddeeff'],
    ] as const) {
      const pair = new MemoryPair();
      await pair.begin(state);
      if (uid !== undefined) await pair.lock(uid);
      expect(await lookAtHome(pair.copy.db, keys, LIMIT_MS)).to.equal(null);
    }
  });
});
