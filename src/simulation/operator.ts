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

/**
 * An operator finds what waits for people. A run of an asynchronous system until somebody accepts what may be lost: types just what is said; not where nobody ordered the run and the old primary is there with all that it had. And where none begins though the primary's
 * disk was emptied, and it does not come back with anything: orders what a pause or the block period keeps controllers from. In a synchronous system nothing may be lost by it: all others are there.
 */
export async function attend(world: World): Promise<void> {
  const { http } = world;
  const client = http.client({ region: 'outside', program: 'client' }, 'operator', null);
  const ask = async (region: string): Promise<void> => {
    const controller = `https://controller.${region}`;
    const reply = await client.call(`${controller}/v1/status`, { timeoutMs: TIMEOUT_MS });
    if (reply.kind !== 'reply') return;
    const status = JSON.parse(reply.body.toString()) as ControllerStatus;
    const answer = status.leads ? answerTo(status, world) : null;
    if (answer === null) return;
    const request = { method: 'POST', body: JSON.stringify(answer.body), timeoutMs: TIMEOUT_MS } as const;
    await client.call(`${controller}${answer.path}`, request);
  };
  await Promise.all(REGIONS.map(ask));
}

function answerTo({ run, awaiting, primary }: ControllerStatus, world: World): { readonly path: string; readonly body: unknown } | null {
  const isNoneNeeded = !hasLostItsLog(world) && (run === undefined || nothingNeedsToBeLost(world));
  if (awaiting === undefined || isNoneNeeded) return null;
  if (awaiting.blocker === 'loss') {
    if (world.options.mode === 'sync' && world.judge.ledger.mode === 'sync') world.judge.allIsThere = true;
    return { path: '/v1/approve', body: { acceptDataLossSeconds: awaiting.estimatedLossSeconds ?? 'any' } };
  }
  const mayOrder = run === undefined && (awaiting.blocker === 'flapping' || awaiting.blocker === 'paused');
  const target = REGIONS.find((region) => region !== primary);
  const forced = world.options.mode === 'sync' ? {} : { force: true, acceptDataLossSeconds: 'any' };
  return mayOrder ? { path: '/v1/failover', body: { target, ...forced } } : null;
}

/** The engine serves from the old primary then, once that has confirmed its fence. */
function nothingNeedsToBeLost({ etcd, databases }: World): boolean {
  const run = etcd.records.failover?.value;
  if (run?.tier !== 'automatic') return false;
  const old = databases.get(run.from);
  return old !== undefined && !old.process.isDead && old.database.state().log.epoch === run.epoch - 1;
}

/** The holder of the lease is there, and has nothing of its epoch. */
function hasLostItsLog({ etcd, databases }: World): boolean {
  const lease = etcd.records.lease?.value;
  const holder = databases.get(lease?.holder ?? '');
  return holder !== undefined && !holder.process.isDead && holder.database.state().sealedEpoch < lease!.epoch;
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
