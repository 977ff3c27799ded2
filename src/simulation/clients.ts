import { Random } from './random.ts';
import { REGIONS } from './simulated-config.ts';
import type { World } from './world.ts';

const CLIENTS = 2;
const KEYS = 4;
const PAUSE_MS = 120;
const TIMEOUT_MS = 1500;

/** They write values of their own and read, where the name points to or anywhere, as if their resolvers were stale. */
export class Clients {
  /** Epochs under which a write was acknowledged, with when that last was. */
  readonly servedAtMs = new Map<number, number>();
  readonly #world: World;
  readonly #random: Random;
  #values = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = new Random(world.options.seed, 'clients');
  }

  start(): void {
    for (let i = 0; i < CLIENTS; i++) void this.#go(i);
  }

  async #go(client: number): Promise<void> {
    const { http, time, dns } = this.#world;
    const random = this.#random;
    // One is outside, the other beside a database: it goes on reaching it where that is cut off.
    const home = client === 0 ? 'outside' : random.pick(REGIONS);
    const caller = http.client({ region: home, program: 'client' }, 'api', null);
    for (;;) {
      await new Promise<void>((resolve) => time.after(random.between(0.5, 1.5) * PAUSE_MS, null, resolve));
      const named = random.chance(0.6) ? dns.route?.region : undefined;
      const region = named ?? (home !== 'outside' && random.chance(0.7) ? home : random.pick(REGIONS));
      const url = `https://api.${region}/v1/kv/key-${random.whole(1, KEYS)}`;
      if (random.chance(0.3)) {
        await caller.call(url, { timeoutMs: TIMEOUT_MS });
        continue;
      }
      const body = `value-${client}-${++this.#values}`;
      const reply = await caller.call(url, { method: 'PUT', body, timeoutMs: TIMEOUT_MS });
      if (reply.kind !== 'reply' || reply.status !== 200) continue;
      this.servedAtMs.set((JSON.parse(reply.body.toString()) as { epoch: number }).epoch, time.nowMs);
    }
  }
}
