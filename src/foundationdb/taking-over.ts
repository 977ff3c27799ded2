import type { Arbiter } from '../arbiter/arbiter.ts';
import { answerWithin } from '../platform/abort.ts';
import type { PromoteRequest } from '../server/control-messages.ts';
import { act, lookAt, lookAtPair } from './pair.ts';
import type { PairHome } from './pair-home.ts';
import { takeOver, type Hindered, type PairTools, type TakeOver, type TookOver } from './take-over.ts';

type Options = Pick<TakeOver, 'home' | 'own' | 'keys' | 'clock' | 'log'> & { readonly arbiter: Arbiter; readonly region: string };

interface UnderWay {
  readonly epoch: number;
  readonly done: Promise<TookOver>;
}

/** What is in the way of a promotion; `moving`: nothing yet, it goes on. */
export type InTheWay = Hindered | { readonly kind: 'moving'; readonly message: string };

/** One take-over at a time, which takes longer than whoever orders it waits: it goes on, and the next who asks for the same epoch gets its end. The owner calls `stop`. */
export class TakingOver {
  readonly #options: Options;
  readonly #stopped = new AbortController();
  #underWay: UnderWay | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Null: the cluster is the primary of its pair. */
  async within({ epoch, runId }: PromoteRequest, timeoutMs: number): Promise<InTheWay | null> {
    const { clock, home } = this.#options;
    const name = home.members.own.name;
    const current = (this.#underWay ??= { epoch, done: this.#begin(epoch, runId) });
    if (current.epoch !== epoch) {
      // It asks before each step whether it is wanted, and ends by itself.
      void current.done.then(() => this.#forget(current));
      return { kind: 'moving', message: `what epoch ${current.epoch} has begun at ${name} is being ended` };
    }
    const ended = await answerWithin(current.done, timeoutMs, clock);
    if (ended === undefined) return { kind: 'moving', message: `${name} is being made the primary of its pair` };
    this.#forget(current);
    return ended;
  }

  #forget(one: UnderWay): void {
    if (this.#underWay === one) this.#underWay = null;
  }

  async #begin(epoch: number, runId: string): Promise<TookOver> {
    const { arbiter, region } = this.#options;
    const { signal } = this.#stopped;
    try {
      const journal = (await arbiter.read(signal)).failover?.value;
      const run = journal?.runId === runId ? journal : null;
      const planned = run !== null && run.course !== 'urgent';
      const mayLose = run !== null && run.acceptedLossSeconds !== null;
      const isWanted = async (): Promise<boolean> => {
        const { lease, failover } = (await arbiter.read(signal).catch(() => null)) ?? {};
        const isPending = lease?.value.epoch === epoch && lease.value.holder === null && lease.value.incarnation === runId;
        // Another region of the same cluster may be asked after this one did not answer.
        return isPending && failover?.value.to === region;
      };
      return await takeOver({ ...this.#options, tools: toolsOf(this.#options.home), epoch, runId, planned, mayLose, isWanted }, signal);
    } catch (error) {
      return { kind: 'unavailable', message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** What has begun in the clusters goes on by whoever is promoted next. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    await this.#underWay?.done;
  }
}

function toolsOf({ members }: PairHome): PairTools {
  return {
    look: (signal) => lookAtPair(members, signal),
    lookAlone: async (signal) => ({
      own: await lookAt(members.own, signal),
      other: { name: members.other.name, status: null, record: null },
      lag: null,
    }),
    act: (step, signal) => act(members, step, signal),
  };
}
