import { expect } from 'chai';
import { NO_RECORDS, type Arbiter, type Leader } from '../arbiter/arbiter.ts';
import { PRESETS } from '../config/policy.ts';
import { voteLifeMs, type ReceivedVote } from '../health/vote.ts';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { nothingKnown, takeRecord } from './knowledge.ts';
import { Leadership, type Surroundings } from './leader-loop.ts';

const policy = PRESETS.lab;
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

describe('a leader that ends', () => {
  /** Whom it names where asking the others, of whom one answers at once, takes it so long. */
  async function named(asksForMs: number): Promise<readonly Leader[]> {
    const clock = new SteppedClock();
    const written: Leader[] = [];
    const arbiter: Arbiter = {
      read: () => Promise.resolve(NO_RECORDS),
      cas: (_record, _expected, value) => {
        written.push(value as Leader);
        return Promise.resolve({ ok: true, revision: 2 });
      },
      watch: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const leadership = new Leadership({ region: 'a', incarnation: 'i', policy, clock, arbiter, log });
    const knowledge = takeRecord(nothingKnown(0), 'leader', { value: { region: 'a', incarnation: 'i', seq: 1 }, revision: 1 }, 0);
    const votes = new Map<string, ReceivedVote>();
    const surroundings: Surroundings = { primary: 'c', idle: true, serving: () => true, votes: () => votes, onRecord: () => undefined };
    const ask = async (): Promise<void> => {
      const sentAtMs = clock.monotonicMs();
      const vote = {
        region: 'b',
        incarnation: 'j',
        seq: 1,
        primary: 'c',
        epoch: 1,
        verdict: 'healthy',
        suspectForMs: 0,
        commitAgeMs: 0,
      } as const;
      votes.set('b', { vote, sentAtMs, receivedAtMs: sentAtMs });
      await clock.until(sentAtMs + asksForMs);
    };
    await leadership.stop(
      () => knowledge,
      () => surroundings,
      ask,
    );
    return written;
  }

  it('names who has answered, also where it waited for others as long as it waits for anybody', async () => {
    const asked = voteLifeMs(policy) - policy.probePeriodMs;
    expect(await named(asked)).to.deep.equal([{ region: 'b', incarnation: 'j', seq: 0 }]);
  });

  it('names nobody where it stood still since then: who answered may have ended as well (found by the simulator, seed 20525)', async () => {
    expect(await named(voteLifeMs(policy) + 1)).to.deep.equal([]);
  });
});
