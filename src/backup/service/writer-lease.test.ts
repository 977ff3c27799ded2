import { expect } from 'chai';
import { NO_RECORDS, type Arbiter, type BackupLease, type CasResult, type Held } from '../../arbiter/arbiter.ts';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import { acquireWriterLease, type HeldWriterLease } from './writer-lease.ts';

const TIMING = { renewMs: 1000, takeoverMs: 4000 };
const never = new AbortController().signal;

/** One record in memory, and a clock that a sleeper moves on. */
class Room {
  backup: Held<BackupLease> | null = null;
  answers: 'ok' | 'unknown' | 'throws' = 'ok';
  nowMs = 0;
  readonly clock: Clock = {
    monotonicMs: () => this.nowMs,
    wall: () => new Date(this.nowMs),
    sleep: async (ms, signal) => {
      await new Promise(setImmediate);
      signal?.throwIfAborted();
      this.nowMs += ms;
    },
  };
  readonly arbiter = {
    read: () => Promise.resolve({ ...NO_RECORDS, backup: this.backup }),
    cas: (_record: string, expected: number | null, value: BackupLease): Promise<CasResult<BackupLease>> => {
      if (this.answers === 'throws') return Promise.reject(new EngineError('arbiter-unavailable', 'no'));
      if (this.answers === 'unknown') return Promise.resolve({ ok: false, reason: 'unknown' });
      if ((this.backup?.revision ?? null) !== expected) return Promise.resolve({ ok: false, reason: 'conflict', current: this.backup });
      this.backup = { value, revision: (expected ?? 0) + 1 };
      return Promise.resolve({ ok: true, revision: this.backup.revision });
    },
  } as unknown as Arbiter;

  async acquired(highestEpoch = 0n): Promise<HeldWriterLease> {
    const options = { arbiter: this.arbiter, region: 'us-east1', clock: this.clock, timing: TIMING };
    const result = await acquireWriterLease({ ...options, highestEpoch: () => Promise.resolve(highestEpoch) }, never);
    if (result.kind !== 'held') throw new Error(result.kind);
    return result.lease;
  }
}

async function untilLost({ lost }: HeldWriterLease): Promise<string> {
  for (let n = 0; n < 1000 && !lost.aborted; n++) await new Promise(setImmediate);
  return lost.aborted ? (lost.reason as Error).message : 'still held';
}

describe('the right to write backups', () => {
  it('goes on above what the repository has, where the arbiter knows nothing or less', async () => {
    const room = new Room();
    const first = await room.acquired(7n);
    expect(first.epoch).to.equal('8');
    await first.release();
    const second = await room.acquired(7n);
    expect(second.epoch).to.equal('9');
    await second.release();
    const third = await room.acquired(20n);
    expect(third.epoch).to.equal('21');
    await third.release();
  });

  for (const answers of ['unknown', 'throws'] as const)
    it(`is lost when nobody has confirmed it for the takeover time (${answers})`, async () => {
      const room = new Room();
      const lease = await room.acquired();
      room.answers = answers;
      expect(await untilLost(lease)).to.match(/4000 ms/);
      expect(await lease.check().catch((error: EngineError) => error.code)).to.equal('lease-lost');
      await lease.release();
    });

  it('outlives an arbiter that fails for a while', async () => {
    const room = new Room();
    const lease = await room.acquired();
    room.answers = 'throws';
    for (const since = room.nowMs; room.nowMs < since + 2000;) await new Promise(setImmediate);
    room.answers = 'ok';
    for (const since = room.nowMs; room.nowMs < since + 20_000;) await new Promise(setImmediate);
    expect(lease.lost.aborted).to.equal(false);
    await lease.check();
    await lease.release();
    expect(room.backup?.value.holder).to.equal(null);
  });
});
