import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { NO_RECORDS, type Arbiter, type Journal, type Snapshot } from '../arbiter/arbiter.ts';
import type { Clock } from '../platform/clock.ts';
import { logTo } from '../telemetry/log.ts';
import { MemoryPair } from '../testing/memory-pair.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import type { PairHome } from './pair-home.ts';
import type { PairTools } from './take-over.ts';
import { TakingOver } from './taking-over.ts';

const keys = keySpaceOf('coditect/');
const [EAST, EUROPE] = ['us-east1', 'europe-west1'] as const;

/** Time stands still: nothing ends because it took too long. */
const STILL: Clock = {
  monotonicMs: () => 0,
  wall: () => new Date(0),
  sleep: async (_ms, signal) => {
    await setImmediate();
    signal?.throwIfAborted();
  },
};

describe('a take-over of a pair’s cluster that is under way', () => {
  let pair: MemoryPair;
  let takingOver: TakingOver;
  /** Null: the arbiter does not answer. */
  let snapshot: Snapshot | null;
  let isActing: AbortSignal | null;
  let goOn: () => void;

  const request = (epoch: number, runId = `run-${epoch}`) => ({ epoch, runId, mode: 'async' as const, set: [], w: 1 });
  const pendingIn = (epoch: number, to: string = EAST): Snapshot => ({
    ...NO_RECORDS,
    lease: { value: { epoch, holder: null, incarnation: `run-${epoch}`, seq: 0 }, revision: epoch },
    failover: { value: { runId: `run-${epoch}`, course: 'urgent', to, acceptedLossSeconds: null } as Journal, revision: epoch },
  });

  beforeEach(async () => {
    pair = new MemoryPair();
    [snapshot, isActing] = [pendingIn(2), null];
    await openFence(pair.primary.db, keys.fence, { epoch: 1, region: 'us-central1' }, 10_000);
    await pair.begin();
    await pair.ship();
    const members = { fdbdr: '', own: { name: 'copy' }, other: { name: 'primary' } };
    const home = { other: { name: 'primary', db: pair.primary.db }, homes: {}, members } as unknown as PairHome;
    const arbiter = {
      read: () => (snapshot === null ? Promise.reject(new Error('the arbiter does not answer')) : Promise.resolve(snapshot)),
    } as unknown as Arbiter;
    const tools: PairTools = {
      look: () => Promise.resolve(pair.look()),
      lookAlone: () => Promise.resolve(pair.look({ alone: true })),
      act: async (_step, signal) => {
        isActing = signal;
        await new Promise<void>((resolve) => (goOn = resolve));
        await pair.switch();
        return { kind: 'done', said: '' };
      },
    };
    const log = logTo({ write: () => undefined }, { component: 'database', region: EAST, clock: STILL });
    takingOver = new TakingOver({ arbiter, region: EAST, home, own: pair.copy.db, keys, clock: STILL, log, tools });
  });
  afterEach(() => takingOver.stop());

  /** Asked again and again, as a controller does. */
  async function asked(epoch: number, until: (message: string) => boolean = () => false): Promise<string | null> {
    for (let times = 0; times < 500; times++) {
      const inTheWay = await takingOver.within(request(epoch), 1);
      if (inTheWay === null) return null;
      const told = `${inTheWay.kind}: ${inTheWay.message}`;
      if (inTheWay.kind !== 'moving' || until(told)) return told;
    }
    throw new Error('it neither ends nor goes on');
  }
  const goesOn = (told: string): boolean => told.includes('is being made the primary');

  it('is ended at once by one of a later epoch, not when it would have given up waiting', async () => {
    expect(await asked(2, goesOn)).to.match(/^moving: copy is being made the primary/);
    snapshot = pendingIn(3);
    expect(await asked(3, goesOn)).to.match(/^moving: copy is being made the primary/);
  });

  it('is ended by a fence of a later epoch alone, and by none of its own', async () => {
    await asked(2, goesOn);
    takingOver.passedBy(2);
    expect(await asked(2, goesOn)).to.match(/^moving/);
    takingOver.passedBy(3);
    expect(await asked(2)).to.match(/^unavailable: epoch 3/);
  });

  it('is ended where the arbiter says that another is promoted by now, but by no arbiter that says nothing', async () => {
    await asked(2, goesOn);
    snapshot = null;
    for (let i = 0; i < 20; i++) expect(await asked(2, goesOn)).to.match(/^moving/);
    snapshot = pendingIn(2, EUROPE);
    expect(await asked(2)).to.match(/^unavailable: another region is to take over by now/);
  });

  it('lets a step of fdbdr come to its end: half a switch keeps everybody waiting longer', async () => {
    await pair.ship();
    const first = asked(2);
    for (let shipped = false; isActing === null; shipped = true) {
      if (!shipped) await setImmediate();
      await pair.ship();
    }
    takingOver.passedBy(3);
    snapshot = pendingIn(3);
    expect(isActing.aborted).to.equal(false);
    goOn();
    expect(await first).to.match(/^unavailable: epoch 3/);
    expect([pair.copy.lockedBy, pair.primary.lockedBy === null], 'the switch was made').to.deep.equal([null, false]);
  });
});
