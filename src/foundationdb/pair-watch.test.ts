import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { COPY_UID, MemoryPair } from '../testing/memory-pair.ts';
import { isRunningCopy, readCopyNow } from './copy-now.ts';
import { openFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import { PairWatch, PULSE_PERIOD_MS, type CopyTold } from './pair-watch.ts';

const keys = keySpaceOf('coditect/');

/** Nobody sleeps by it but who is woken: each period is a turn of the test's. */
class TurnedClock implements Clock {
  ms = 1000;
  #wake: (() => void) | null = null;
  #asleep = Promise.withResolvers<void>();

  monotonicMs(): number {
    return this.ms;
  }

  wall(): Date {
    return new Date(this.ms);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.#wake = () => {
        this.ms += ms;
        resolve();
      };
      this.#asleep.resolve();
    });
  }

  /** When the loop has done its work and sleeps: one period later, and again its work done. */
  async turn(): Promise<void> {
    await this.#asleep.promise;
    this.#asleep = Promise.withResolvers<void>();
    this.#wake?.();
    await this.#asleep.promise;
  }
}

describe('the copy of a pair, as whoever serves sees it', () => {
  let pair: MemoryPair;
  let clock: TurnedClock;
  let isServing: boolean;
  let fences: number | null;
  let said: CopyTold[];
  let watch: PairWatch;
  let ending: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    pair = new MemoryPair();
    clock = new TurnedClock();
    isServing = true;
    fences = null;
    said = [];
    ending = new AbortController();
    const { primary, copy } = pair;
    watch = new PairWatch({
      own: primary.db,
      other: copy.db,
      otherName: 'east',
      keys,
      clock,
      incarnation: 'me',
      isServing: () => isServing,
      fences: () => fences,
      onCopy: (copy) => said.push(copy),
    });
    running = watch.run(ending.signal);
  });
  afterEach(async () => {
    ending.abort(new Error('the test ends it'));
    await running;
  });

  it('is behind by the age of the newest pulse that has come there, never by less', async () => {
    await pair.begin();
    await clock.turn();
    expect(watch.lagMs(), 'nothing has come yet').to.equal(null);
    const begunMs = clock.ms;
    await pair.ship();
    await clock.turn();
    expect(watch.lagMs()).to.equal(clock.ms - begunMs);
    expect(watch.lagMs()).to.be.at.least(PULSE_PERIOD_MS);
    // Nothing is shipped: it grows with time.
    await clock.turn();
    clock.ms += 7000;
    expect(watch.lagMs()).to.equal(clock.ms - begunMs);
    expect(watch.copyRuns).to.equal(true);
  });

  it('goes on to grow while the copy does not answer; whether that runs is not known then', async () => {
    await pair.begin();
    await clock.turn();
    await pair.ship();
    await clock.turn();
    const before = watch.lagMs();
    pair.copy.silent = true;
    await clock.turn();
    expect(watch.lagMs()).to.be.greaterThan(before ?? Infinity);
    expect(watch.copyRuns).to.equal(null);
  }).timeout(30_000);

  for (const [what, state, uid] of [
    ['is not whole yet', 'copying', COPY_UID],
    ['has been aborted', 'aborted', null],
    ['has lost its lock', 'complete', null],
    ['is locked by somebody else', 'complete', '00112233445566778899aabbccddeeff'],
  ] as const)
    it(`is no copy that ${what}: it does not run, and there is no lag`, async () => {
      await pair.begin(state);
      await pair.lock(uid);
      await clock.turn();
      await pair.ship();
      await clock.turn();
      expect(watch.copyRuns).to.equal(false);
      expect(watch.lagMs()).to.equal(null);
      expect(said.at(-1)).to.equal(state === 'copying' ? 'begun' : 'none');
    });

  it('is not known by what another process has written, nor by whoever does not serve', async () => {
    await pair.begin();
    await clock.turn();
    await pair.ship();
    await clock.turn();
    expect(watch.lagMs()).to.be.a('number');
    isServing = false;
    expect([watch.lagMs(), watch.copyRuns]).to.deep.equal([null, null]);
    await clock.turn();
    isServing = true;
    expect(watch.lagMs(), 'what others wrote meanwhile is not known').to.equal(null);
  });

  it('fences the gateways of a cluster that an abort has left behind, as soon as that answers, and says that there is no copy; a running copy is left alone', async () => {
    await openFence(pair.copy.db, keys.fence, { epoch: 3, region: 'us-east1' }, 10_000);
    await pair.begin();
    fences = 7;
    await clock.turn();
    expect((await readCopyNow(pair.copy.db, keys, 10_000))?.fence.epoch).to.equal(3);
    await pair.lock(null);
    await clock.turn();
    await clock.turn();
    expect((await readCopyNow(pair.copy.db, keys, 10_000))?.fence).to.include({ epoch: 7, servedEpoch: 3 });
    expect(said.slice(-2)).to.deep.equal(['runs', 'none']);
  });

  it('tells what has come of the primary, past its lock', async () => {
    await pair.begin();
    await clock.turn();
    await pair.ship();
    const found = await readCopyNow(pair.copy.db, keys, 10_000);
    expect(found).to.deep.include({ lockUid: COPY_UID, copyUid: COPY_UID, state: 'complete' });
    expect(found?.pulse).to.deep.include({ incarnation: 'me' });
    expect(found?.pulse?.version).to.be.at.most(pair.primary.version);
    expect(found === null ? null : isRunningCopy(found)).to.equal(true);
  });
});
