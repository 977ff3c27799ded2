import { REGIONS } from './simulated-config.ts';
import type { World } from './world.ts';

const TRIES = 10;
const PAUSE_MS = 300;
const TIMEOUT_MS = 1000;

/** An operator asks every controller; the leader follows. */
export function giveOrder(world: World, order: 'switchover' | 'failback' | 'failover' | 'forced', target: string): void {
  if (order === 'failback') operate(world, '/v1/failback', {});
  else if (order === 'forced') operate(world, '/v1/failover', { target, force: true, acceptDataLossSeconds: 'any' });
  else operate(world, `/v1/${order}`, { target });
}

/** The same request to every controller, until each has answered once. */
export function operate({ http, time }: World, path: string, body: unknown): void {
  const client = http.client({ region: 'outside', program: 'client' }, 'operator', null);
  const request = { method: 'POST', body: JSON.stringify(body), timeoutMs: TIMEOUT_MS } as const;
  const ask = async (region: string): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const reply = await client.call(`https://controller.${region}${path}`, request);
      if (reply.kind === 'reply') return;
      await new Promise<void>((resolve) => time.after(PAUSE_MS, null, resolve));
    }
  };
  for (const region of REGIONS) void ask(region);
}
