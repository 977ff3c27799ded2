import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { COPY_UID, MemoryPair } from '../testing/memory-pair.ts';
import { isRunningCopy, readCopyNow } from './copy-now.ts';
import { keySpaceOf } from './key-space.ts';
import { PairWatch, PULSE_PERIOD_MS } from './pair-watch.ts';

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
  let watch: PairWatch;
  let ending: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    pair = new MemoryPair();
    clock = new TurnedClock();
    isServing = true;
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
    ['is not whole yet', 'has been started', COPY_UID],
    ['has been aborted', 'has been aborted', null],
    ['has lost its lock', 'is differential', null],
    ['is locked by somebody else', 'is differential', '00112233445566778899aabbccddeeff'],
  ] as const)
    it(`is no copy that ${what}: it does not run, and there is no lag`, async () => {
      await pair.begin(state);
      await pair.lock(uid);
      await clock.turn();
      await pair.ship();
      await clock.turn();
      expect(watch.copyRuns).to.equal(false);
      expect(watch.lagMs()).to.equal(null);
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
