import { abortable } from '../abortable.ts';
import { HarnessError } from '../errors.ts';
import type { Injection, Primitive } from '../platform.ts';
import { moveClock } from './fake-clock.ts';
import { Freezer, type FreezablePod } from './freezer.ts';
import { cutCommand, healCommand, isCut } from './cuts.ts';
import type { Nft } from './nft.ts';
import type { Supervisor } from './supervisor.ts';
import type { Topology } from './topology.ts';

/** How long taking back what could only be half injected may take. */
const TAKE_BACK_MS = 5000;

export interface Hands {
  readonly topology: Topology;
  readonly nft: Pick<Nft, 'execute'>;
  supervisor(pod: string): HandledPod;
  nowMs(): number;
}

/** What a fault does to a pod. */
export type HandledPod = FreezablePod &
  Pick<Supervisor, 'killPod' | 'killContainer' | 'hold' | 'release'> & { readonly place: { readonly root: string } };

/** One fault's acts on the lab: all cuts in one transaction, processes killed at the same time. `name` must be unique in the lab. */
export class LocalInjection implements Injection {
  readonly #name: string;
  readonly #primitives: readonly Primitive[];
  readonly #hands: Hands;
  #hasCuts = false;
  readonly #freezers: Freezer[] = [];

  constructor(name: string, primitives: readonly Primitive[], hands: Hands) {
    this.#name = name;
    this.#primitives = primitives;
    this.#hands = hands;
  }

  async apply(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }> {
    signal.throwIfAborted();
    const requestedMs = this.#hands.nowMs();
    const acts = [this.#cut(), ...this.#primitives.flatMap((primitive) => this.#kill(primitive))];
    const failed = (await Promise.allSettled(acts)).find((act) => act.status === 'rejected');
    if (failed !== undefined) throw await this.#takenBack(failed.reason);
    return { requestedMs, acknowledgedMs: this.#hands.nowMs() };
  }

  /** Throws HarnessError `lab-failed` that tells every act that failed, or was not done when the signal aborted; all were tried. */
  async heal(signal: AbortSignal): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }> {
    const requestedMs = this.#hands.nowMs();
    const thawed = this.#freezers.splice(0).map(async (freezer) => freezer.thaw()); // first: it takes no time, and its timers end
    const acts = [...thawed, ...this.#primitives.flatMap((primitive) => this.#undo(primitive)), this.#uncut()];
    const results = await Promise.allSettled(acts.map((act) => abortable(act, signal)));
    const reasons = results.flatMap((act) => (act.status === 'rejected' ? [act.reason as unknown] : []));
    if (reasons.length > 0) {
      const what = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; ');
      throw new HarnessError('lab-failed', `the fault ${this.#name} was not wholly taken back: ${what}`, new AggregateError(reasons));
    }
    return { requestedMs, acknowledgedMs: this.#hands.nowMs() };
  }

  async #takenBack(reason: unknown): Promise<HarnessError> {
    const told = `the fault ${this.#name} could not be injected and was`;
    try {
      await this.heal(AbortSignal.timeout(TAKE_BACK_MS)); // also when the run was aborted
    } catch (left) {
      const causes = new AggregateError([reason, left]);
      return new HarnessError(
        'lab-failed',
        `${told} not wholly taken back (${left instanceof Error ? left.message : String(left)})`,
        causes,
      );
    }
    return new HarnessError('lab-failed', `${told} taken back`, reason);
  }

  #undo(primitive: Primitive): readonly Promise<void>[] {
    switch (primitive.act) {
      case 'pod-hold':
        return primitive.pods.map(async (pod) => this.#hands.supervisor(pod).release(this.#name));
      case 'move-clock':
        return this.#moveClocks({ ...primitive, offsetMs: 0 });
      case 'cut':
      case 'cut-external':
      case 'lose':
      case 'freeze':
      case 'pod-kill':
      case 'container-kill':
        return []; // all cuts and all freezers together, and the supervisor
    }
  }

  async #uncut(): Promise<void> {
    if (!this.#hasCuts) return;
    await this.#hands.nft.execute(healCommand(this.#name));
    this.#hasCuts = false;
  }

  async #cut(): Promise<void> {
    const cuts = this.#primitives.filter(isCut);
    if (cuts.length === 0 || this.#hasCuts) return;
    await this.#hands.nft.execute(cutCommand(this.#name, this.#hands.topology, cuts));
    this.#hasCuts = true;
  }

  #moveClocks({ pods, offsetMs }: Extract<Primitive, { act: 'move-clock' }>): readonly Promise<void>[] {
    return pods.map(async (pod) => moveClock(this.#hands.supervisor(pod).place.root, offsetMs));
  }

  #kill(primitive: Primitive): readonly Promise<void>[] {
    const supervisor = (pod: string): HandledPod => this.#hands.supervisor(pod);
    switch (primitive.act) {
      case 'pod-kill':
        return primitive.pods.map((pod) => supervisor(pod).killPod(primitive.graceMs));
      case 'pod-hold':
        return primitive.pods.map((pod) => supervisor(pod).hold(this.#name));
      case 'container-kill':
        return primitive.pods.map((pod) => supervisor(pod).killContainer());
      case 'freeze': {
        const freezer = new Freezer(primitive, primitive.pods.map(supervisor));
        this.#freezers.push(freezer);
        freezer.start();
        return [];
      }
      case 'move-clock':
        return this.#moveClocks(primitive);
      case 'cut':
      case 'cut-external':
      case 'lose':
        return [];
    }
  }
}
