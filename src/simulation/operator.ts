import type { ControllerStatus } from '../health/controller-status.ts';
import type { Fault } from './fault.ts';
import { REGIONS } from './simulated-config.ts';
import type { World } from './world.ts';

const TRIES = 10;
const PAUSE_MS = 300;
const TIMEOUT_MS = 1000;

/** An operator asks every controller; the leader follows. */
export function giveOrder(world: World, { order, target, acceptSeconds }: Extract<Fault, { kind: 'order' }>): void {
  if (order === 'failback') operate(world, '/v1/failback', {});
  else if (order === 'forced') operate(world, '/v1/failover', { target, force: true, acceptDataLossSeconds: acceptSeconds ?? 'any' });
  else operate(world, `/v1/${order}`, { target });
}

/** An operator finds a run that waits until somebody accepts what may be lost, and types just what is said; not where nobody ordered the run and the old primary is there with all that it had. */
export async function approveAsTold(world: World): Promise<void> {
  const { http } = world;
  if (nothingNeedsToBeLost(world)) return;
  const client = http.client({ region: 'outside', program: 'client' }, 'operator', null);
  const ask = async (region: string): Promise<void> => {
    const controller = `https://controller.${region}`;
    const reply = await client.call(`${controller}/v1/status`, { timeoutMs: TIMEOUT_MS });
    if (reply.kind !== 'reply') return;
    const { leads, run, awaiting } = JSON.parse(reply.body.toString()) as ControllerStatus;
    if (!leads || run === undefined || awaiting?.blocker !== 'loss') return;
    const body = JSON.stringify({ acceptDataLossSeconds: awaiting.estimatedLossSeconds ?? 'any' });
    await client.call(`${controller}/v1/approve`, { method: 'POST', body, timeoutMs: TIMEOUT_MS });
  };
  await Promise.all(REGIONS.map(ask));
}

/** The engine serves from the old primary then, once that has confirmed its fence. */
function nothingNeedsToBeLost({ etcd, databases }: World): boolean {
  const run = etcd.records.failover?.value;
  if (run?.tier !== 'automatic') return false;
  const old = databases.get(run.from);
  return old !== undefined && !old.process.isDead && old.database.state().log.epoch === run.epoch - 1;
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
