import type { Arbiter } from '../arbiter/arbiter.ts';
import { answerWithin, NO_LONGER_NEEDED } from '../platform/abort.ts';
import type { PromoteRequest } from '../server/control-messages.ts';
import { act, lookAt, lookAtPair } from './pair.ts';
import type { PairHome } from './pair-home.ts';
import { takeOver, type Hindered, type PairTools, type TakeOver, type TookOver } from './take-over.ts';

type Options = Pick<TakeOver, 'home' | 'own' | 'keys' | 'clock' | 'log'> & {
  readonly arbiter: Arbiter;
  readonly region: string;
  /** Left out: those of FoundationDB. */
  readonly tools?: PairTools;
};

/** Between two looks at whether it is this region that is to take over still. */
const WANTED_EVERY_MS = 1000;

type Order = Pick<PromoteRequest, 'epoch' | 'runId'>;

interface UnderWay {
  readonly epoch: number;
  readonly obsolete: AbortController;
  readonly done: Promise<TookOver>;
}

/** What is in the way of a promotion; `moving`: nothing yet, it goes on. */
export type InTheWay = Hindered | { readonly kind: 'moving'; readonly message: string };

/**
 * One take-over at a time, which takes longer than whoever orders it waits: it goes on, and the next who asks for the same epoch gets its end. One that is obsolete is ended as soon as that is known: what it waits for
 * (minutes) would keep the next one waiting, while nobody serves. A step of fdbdr that has begun comes to its end all the same: what half a switch leaves takes longer. The owner calls `stop`.
 */
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
    this.passedBy(epoch);
    const current = (this.#underWay ??= this.#begin(epoch, runId));
    if (current.epoch !== epoch) {
      await answerWithin(current.done, timeoutMs, clock);
      return { kind: 'moving', message: `what epoch ${current.epoch} has begun at ${name} is being ended` };
    }
    const ended = await answerWithin(current.done, timeoutMs, clock);
    if (ended === undefined) return { kind: 'moving', message: `${name} is being made the primary of its pair` };
    this.#forget(current);
    return ended;
  }

  /** An epoch is fenced, or to be served here: what was begun for a lower one is of no use any more. */
  passedBy(epoch: number): void {
    const current = this.#underWay;
    if (current === null || current.epoch >= epoch) return;
    current.obsolete.abort(new Error(`epoch ${epoch} is under way by now`));
    void current.done.then(() => this.#forget(current));
  }

  #forget(one: UnderWay): void {
    if (this.#underWay === one) this.#underWay = null;
  }

  #begin(epoch: number, runId: string): UnderWay {
    const obsolete = new AbortController();
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, obsolete.signal]);
    void this.#watch({ epoch, runId }, obsolete, AbortSignal.any([signal, over.signal]));
    const done = this.#takeOver({ epoch, runId }, signal)
      .catch((error: unknown) => ({ kind: 'unavailable' as const, message: error instanceof Error ? error.message : String(error) }))
      .finally(() => over.abort(NO_LONGER_NEEDED));
    return { epoch, obsolete, done };
  }

  async #takeOver({ epoch, runId }: Order, signal: AbortSignal): Promise<TookOver> {
    const { arbiter, home, tools = toolsOf(home) } = this.#options;
    const journal = (await arbiter.read(signal)).failover?.value;
    const run = journal?.runId === runId ? journal : null;
    const planned = run !== null && run.course !== 'urgent';
    const mayLose = run !== null && run.acceptedLossSeconds !== null;
    const isWanted = async (): Promise<boolean> => (await this.#isWanted({ epoch, runId }, signal)) === true;
    const act: PairTools['act'] = (step) => tools.act(step, this.#stopped.signal);
    return await takeOver({ ...this.#options, tools: { ...tools, act }, epoch, runId, planned, mayLose, isWanted }, signal);
  }

  async #watch(order: Order, obsolete: AbortController, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(WANTED_EVERY_MS, signal).catch(() => undefined);
      if ((await this.#isWanted(order, signal)) === false) obsolete.abort(new Error('another region is to take over by now'));
    }
  }

  /** Null: the arbiter does not answer. */
  async #isWanted({ epoch, runId }: Order, signal: AbortSignal): Promise<boolean | null> {
    const { arbiter, region } = this.#options;
    const snapshot = await arbiter.read(signal).catch(() => null);
    if (snapshot === null) return null;
    const { lease, failover } = snapshot;
    const isPending = lease?.value.epoch === epoch && lease.value.holder === null && lease.value.incarnation === runId;
    // Another region of the same cluster may be asked after this one did not answer.
    return isPending && failover?.value.to === region;
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
