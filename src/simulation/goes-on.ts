import type { DatabaseNode } from '../server/node.ts';
import type { Clients } from './clients.ts';
import type { Fault } from './fault.ts';
import { whyNotSettled } from './settled.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

const LOOK_MS = 50;
/** The promises, and the handover back to the arbiter's lease, are watched for so long after it is back. */
const AFTERWARDS_MS = 1500;

/**
 * A whole system of which only the arbiter fails goes on serving, by the standbys' direct leases, however long that lasts. Whole is one that has served since the last other fault was over: a disk that was slow
 * is slow for what it had begun until then, and observers may rightly confirm such a primary down before the arbiter's silence keeps them from it.
 */
export class GoesOn {
  readonly #world: World;
  readonly #clients: Clients;
  #arbiterFaults = 0;
  #otherFaults = 0;
  #otherOverAtMs = -1;
  #watched: { readonly node: DatabaseNode; untilMs: number } | null = null;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
  }

  begins(fault: Fault): void {
    if (!isOfArbiter(fault)) {
      this.#otherFaults++;
      this.#watched = null;
      return;
    }
    this.#arbiterFaults++;
    if (this.#watched !== null) this.#watched.untilMs = Infinity;
    else if (this.#otherFaults === 0 && whyNotSettled(this.#world, this.#clients, this.#otherOverAtMs) === null) this.#watch();
  }

  ends(fault: Fault): void {
    if (!isOfArbiter(fault)) {
      this.#otherFaults--;
      this.#otherOverAtMs = this.#world.time.nowMs;
      return;
    }
    this.#arbiterFaults--;
    if (this.#watched !== null && this.#arbiterFaults === 0) this.#watched.untilMs = this.#world.time.nowMs + AFTERWARDS_MS;
  }

  #watch(): void {
    const { time, databases, etcd } = this.#world;
    const node = databases.get(etcd.records.lease?.value.holder ?? '')?.node;
    if (node === undefined) return;
    const watched = { node, untilMs: Infinity };
    this.#watched = watched;
    const look = (): void => {
      if (this.#watched !== watched) return;
      if (time.nowMs > watched.untilMs) this.#watched = null;
      else {
        this.#world.judge.watch(() => expectToServe(node));
        time.after(LOOK_MS, null, look);
      }
    };
    time.after(LOOK_MS, null, look);
  }
}

function expectToServe(node: DatabaseNode): void {
  if (!node.writable) throw new Violation('goes-on-without-the-arbiter', 'the primary stopped although every standby answers it');
}

function isOfArbiter({ kind }: Fault): boolean {
  return kind === 'arbiter-members-down' || kind === 'no-arbiter' || kind === 'arbiter-answers-lost';
}
