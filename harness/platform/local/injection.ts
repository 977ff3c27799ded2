import { HarnessError } from '../errors.ts';
import type { Injection, Primitive } from '../platform.ts';
import { moveClock } from './fake-clock.ts';
import { Freezer } from './freezer.ts';
import { cutCommand, healCommand, type Cut } from './cuts.ts';
import type { Nft } from './nft.ts';
import type { Supervisor } from './supervisor.ts';
import type { Topology } from './topology.ts';

export interface Hands {
  readonly topology: Topology;
  readonly nft: Nft;
  supervisor(pod: string): Supervisor;
  nowMs(): number;
}

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
    if (failed !== undefined) {
      await this.heal();
      throw new HarnessError('lab-failed', `the fault ${this.#name} could not be injected and was taken back`, failed.reason);
    }
    return { requestedMs, acknowledgedMs: this.#hands.nowMs() };
  }

  async heal(): Promise<{ readonly requestedMs: number; readonly acknowledgedMs: number }> {
    const requestedMs = this.#hands.nowMs();
    for (const primitive of this.#primitives) {
      if (primitive.act === 'pod-hold') for (const pod of primitive.pods) this.#hands.supervisor(pod).release(this.#name);
    }
    for (const primitive of this.#primitives) {
      if (primitive.act === 'move-clock') await Promise.all(this.#moveClocks({ ...primitive, offsetMs: 0 }));
    }
    for (const freezer of this.#freezers.splice(0)) freezer.thaw();
    if (this.#hasCuts) {
      await this.#hands.nft.execute(healCommand(this.#name));
      this.#hasCuts = false;
    }
    return { requestedMs, acknowledgedMs: this.#hands.nowMs() };
  }

  async #cut(): Promise<void> {
    const cuts = this.#primitives.filter((primitive): primitive is Cut => primitive.act === 'cut' || primitive.act === 'cut-external');
    if (cuts.length === 0 || this.#hasCuts) return;
    await this.#hands.nft.execute(cutCommand(this.#name, this.#hands.topology, cuts));
    this.#hasCuts = true;
  }

  #moveClocks({ pods, offsetMs }: Extract<Primitive, { act: 'move-clock' }>): readonly Promise<void>[] {
    return pods.map((pod) => moveClock(this.#hands.supervisor(pod).place.root, offsetMs));
  }

  #kill(primitive: Primitive): readonly Promise<void>[] {
    const supervisor = (pod: string): Supervisor => this.#hands.supervisor(pod);
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
        return [];
    }
  }
}
