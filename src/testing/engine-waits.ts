import { systemClock } from '../platform/clock.ts';
import type { EngineCluster } from './engine-cluster.ts';
import { REGIONS } from './test-config.ts';

const LOOK_EVERY_MS = 200;

/** What the controller that leads says of itself; null: none leads. */
export async function leaderOf(engine: EngineCluster): Promise<Readonly<Record<string, unknown>> | null> {
  const all = await Promise.all(REGIONS.map((region) => engine.ask('controller', region, '/v1/status')));
  const said = all.map((answer) => answer?.json as Readonly<Record<string, unknown>> | undefined);
  return said.find((one) => one?.['leads'] === true) ?? null;
}

/** For waits on real servers, of which a look may fail; told with what the engine logged where it does not hold in time. */
export async function untilHolds(engine: EngineCluster, what: string, holds: () => Promise<boolean>, limitMs: number): Promise<void> {
  for (const end = systemClock.monotonicMs() + limitMs; systemClock.monotonicMs() < end; await systemClock.sleep(LOOK_EVERY_MS))
    if (await holds().catch(() => false)) return;
  throw new Error(`not seen in time: ${what}\n${engine.transcript()}`);
}
