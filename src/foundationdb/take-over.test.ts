import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { logTo } from '../telemetry/log.ts';
import { MemoryPair } from '../testing/memory-pair.ts';
import { readCopyNow } from './copy-now.ts';
import { openFence, raiseFence } from './fence.ts';
import { keySpaceOf } from './key-space.ts';
import type { PairHome } from './pair-home.ts';
import { takeOver } from './take-over.ts';

const keys = keySpaceOf('coditect/');
const LIMIT_MS = 10_000;
const EPOCH = 2;
const NEVER = new AbortController().signal;

/** Sleeps at once, and lets everything else go on meanwhile. */
class JumpingClock implements Clock {
  #ms = 0;
  readonly #meanwhile: (ms: number) => Promise<void>;

  constructor(meanwhile: (ms: number) => Promise<void>) {
    this.#meanwhile = meanwhile;
  }

  monotonicMs(): number {
    return this.#ms;
  }
  wall(): Date {
    return new Date(this.#ms);
  }
  async sleep(ms: number): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#ms += ms;
    await this.#meanwhile(this.#ms);
  }
}

describe('a region’s cluster that is to become the primary of its pair', () => {
  let pair: MemoryPair;
  /** Each with the epoch that had come to the copy by then. */
  let steps: [string, number | undefined][];
  let isWanted: boolean;
  let isShipping: boolean;
  let beforeLook: () => Promise<void>;
  let pulses: number;
  /** Told the time. */
  let meanwhile: (ms: number) => Promise<void>;

  beforeEach(async () => {
    pair = new MemoryPair();
    [steps, isWanted, isShipping, beforeLook] = [[], true, true, () => Promise.resolve()];
    meanwhile = () => Promise.resolve();
    pulses = 0;
    await openFence(pair.primary.db, keys.fence, { epoch: 1, region: 'us-central1' }, LIMIT_MS);
    await pair.begin();
    await pair.ship();
  });

  /** Null: it is the primary; else what is in the way. */
  async function take({ planned = false, mayLose = false } = {}): Promise<string | null> {
    const clock = new JumpingClock(meanwhile);
    const members = { fdbdr: '', own: { name: 'copy' }, other: { name: 'primary' } };
    const home = { other: { name: 'primary', db: pair.primary.db }, homes: {}, members } as unknown as PairHome;
    const log = logTo({ write: () => undefined }, { component: 'database', region: 'us-east1', clock });
    const shipping = setInterval(() => void (isShipping && pair.primary.lockedBy === null && pair.ship()), 5);
    try {
      const ended = await takeOver(
        {
          home,
          own: pair.copy.db,
          keys,
          clock,
          log,
          epoch: EPOCH,
          runId: 'run',
          planned,
          mayLose,
          isWanted: () => Promise.resolve(isWanted),
          tools: {
            look: async () => {
              await beforeLook();
              return pair.look();
            },
            lookAlone: () => Promise.resolve(pair.look({ alone: true })),
            act: async ({ kind }) => {
              steps.push([kind, (await readCopyNow(pair.copy.db, keys, LIMIT_MS))?.fence.epoch]);
              await (kind === 'switch' ? pair.switch() : pair.abort());
              return { kind: 'done', said: '' };
            },
          },
        },
        NEVER,
      );
      return ended === null ? null : `${ended.kind}: ${ended.message}`;
    } finally {
      clearInterval(shipping);
    }
  }

  /** A pulse comes each 15 s, each later than those before. */
  async function trickle(ms: number): Promise<void> {
    if (ms % 15_000 !== 0) return;
    const stamp = Buffer.alloc(10);
    stamp.writeBigUInt64BE(BigInt(++pulses));
    await pair.put(pair.copy, { [keys.pulse.toString()]: Buffer.concat([stamp, Buffer.from('1.000 me')]) });
  }

  it('is switched to when the fence of the epoch, and so everything before it, has come there', async () => {
    expect(await take({ planned: true })).to.equal(null);
    expect(steps).to.deep.equal([['switch', EPOCH]]);
    expect([pair.copy.lockedBy, pair.primary.lockedBy === null]).to.deep.equal([null, false]);
    expect(await take({ planned: true }), 'asked again').to.equal(null);
    expect(steps).to.have.length(1);
  });

  it('is not touched where what was acknowledged does not come there, though the primary answers: a failover loses nothing that can be had', async () => {
    isShipping = false;
    expect(await take({ planned: true, mayLose: true })).to.match(
      /^unavailable: copy has not got what primary committed last, and does not get it$/,
    );
    expect(await take()).to.match(/^lacks: copy has not got .* dr_agent runs, .* coditect-dr approve --accept-data-loss=SECONDS goes on/);
    expect(steps).to.deep.equal([]);
    const fenced = await readCopyNow(pair.primary.db, keys, LIMIT_MS);
    expect(fenced?.fence).to.include({ epoch: EPOCH, servedEpoch: 1 });
    expect(await take({ mayLose: true }), 'somebody has accepted that').to.equal(null);
    expect(steps).to.deep.equal([['abort', 1]]);
    expect([pair.copy.lockedBy, pair.primary.lockedBy], 'the fence keeps the old gateways out').to.deep.equal([null, null]);
  });

  it('is waited for as long as something comes there, whatever loss was accepted: but not in a planned move, nor for ever', async () => {
    isShipping = false;
    meanwhile = async (ms) => (ms === 60_000 ? await pair.ship() : await trickle(ms));
    expect(await take({ planned: true })).to.match(/and does not get it$/);
    expect(await take({ mayLose: true })).to.equal(null);
    expect(steps).to.deep.equal([['switch', EPOCH]]);
  });

  it('is not waited for without end where what it lacks only trickles', async () => {
    isShipping = false;
    meanwhile = trickle;
    expect(await take()).to.match(/^lacks: /);
  });

  it('goes on alone, and lacks nothing, where all has come and no agents copy the other way; planned it does not', async () => {
    pair.agentsBack = false;
    expect(await take({ planned: true })).to.match(/^unavailable: no agent that copies from copy to primary/);
    expect(steps).to.deep.equal([]);
    expect(await take()).to.equal(null);
    expect(steps).to.deep.equal([['abort', EPOCH]]);
  });

  it('is for people where a switch is half done and nobody can finish it, as long as both answer', async () => {
    await pair.lock('00112233445566778899aabbccddeeff', pair.primary);
    expect(await take()).to.match(/^lacks: primary is locked under 0011.* coditect-dr approve/);
    isWanted = false;
    expect(await take(), 'another region is asked, or the arbiter does not answer').to.match(/^unavailable: /);
    isWanted = true;
    expect(steps).to.deep.equal([]);
    expect(await take({ mayLose: true })).to.equal(null);
    expect(steps).to.deep.equal([['abort', 1]]);
  });

  it('goes on alone where the other one does not answer; planned it does not', async () => {
    pair.primary.silent = true;
    expect(await take({ planned: true })).to.match(/primary does not answer, and nothing may be lost/);
    expect(steps).to.deep.equal([]);
    expect(await take()).to.equal(null);
    expect(steps).to.deep.equal([['abort', 1]]);
    expect(pair.copy.lockedBy).to.equal(null);
  }).timeout(60_000);

  it('is left alone where another region is to take over by now, or the other one is fenced by a later epoch', async () => {
    isWanted = false;
    expect(await take()).to.match(/another region is to take over/);
    isWanted = true;
    await raiseFence(pair.primary.db, keys.fence, EPOCH + 1, LIMIT_MS);
    expect(await take()).to.match(/fenced by epoch 3 already/);
    expect(steps).to.deep.equal([]);
  });

  it('is no primary where an abort has left it behind and the other one has gone on, while that answers', async () => {
    await pair.abort();
    await openFence(pair.primary.db, keys.fence, { epoch: 5, region: 'us-central1' }, LIMIT_MS);
    expect(await take()).to.match(/copy served last in epoch 1, primary in 5, and that answers/);
    await pair.lock('00112233445566778899aabbccddeeff', pair.primary);
    expect(await take(), 'it answers, though somebody has locked it for a while').to.match(/primary in 5, and that answers/);
    await pair.lock(null, pair.primary);
    pair.primary.silent = true;
    expect(await take(), 'the last resort, which the machine asks people for').to.equal(null);
    expect(steps).to.deep.equal([]);
  }).timeout(60_000);

  it('is no primary where it never was a copy, and was never served: there is nothing in it', async () => {
    pair = new MemoryPair();
    pair.primary.silent = true;
    expect(await take()).to.match(/copy is no copy, and was never served/);
  });

  it('is waited for where a switch is half done: another fdbdr may be at it', async () => {
    let looks = 0;
    await pair.lock('cd71b3b68605a60151cf040c9123bb4e', pair.primary);
    beforeLook = async () => {
      if (++looks === 3) await pair.switch();
    };
    expect(await take()).to.equal(null);
    expect(steps, 'it ended by itself').to.deep.equal([]);
    expect(looks).to.equal(3);
  });

  it('is not taken from whoever has locked it', async () => {
    await pair.lock('00112233445566778899aabbccddeeff');
    expect(await take()).to.match(/is locked under 0011.*not fdbdr's/);
    expect(steps).to.deep.equal([]);
  });
});
