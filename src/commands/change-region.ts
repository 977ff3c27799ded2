import type { LoadedConfig } from '../config/load.ts';
import { statusByFdbcli } from '../foundationdb/fdbcli.ts';
import { changeRegion } from '../foundationdb/region-change.ts';
import { planRegionChange, type RegionChange } from '../foundationdb/region-plan.ts';
import { configure } from '../foundationdb/region-step.ts';
import { systemClock } from '../platform/clock.ts';
import { Controllers } from './controllers.ts';
import { changeUnderPause, rehearseChange } from './change-under-pause.ts';
import { managedWith, needFoundationdb } from './managed-foundationdb.ts';
import { Order } from './order.ts';
import { needRegion, tellSteps, type Shown } from './ordering.ts';
import { regionStepInWords, tellEnd, tellPlan } from './planned-order.ts';

export interface RegionOrder {
  readonly kind: RegionChange['kind'];
  readonly region: string;
  readonly acceptLoss: boolean;
  readonly patienceMs: number;
  readonly fdbcli: string;
  readonly dryRun: boolean;
  readonly by: string;
}

const STATUS_MS = 20_000;

const STEPS: Readonly<Record<RegionChange['kind'], string>> = {
  add: 'its priority below zero, usable_regions=2, wait until it has all the data, its priority to 0',
  prefer: 'the two priorities swapped; FoundationDB goes over by itself, commits stand still for 1 to 2 s',
  drop: 'its priority below zero, usable_regions=1; from then on the database is lost with the other region',
};

/**
 * Adds one of FoundationDB's two regions again, makes it the one where the database is, or goes on without it. Each change of the configuration is made under a pause, which is the journal of it: who and what for
 * stand in the arbiter and in the controllers' logs, and nobody fails over while FoundationDB recovers from the change.
 */
export async function orderRegionChange(loaded: LoadedConfig, order: RegionOrder, world: Shown): Promise<number> {
  const foundationdb = needFoundationdb(loaded.config);
  needRegion(loaded.config, 'region', order.region);
  const tell = tellSteps(world);
  const cli = await managedWith(order.fdbcli, foundationdb, loaded.folder, world.signal);
  const change: RegionChange = {
    kind: order.kind,
    dataCenter: foundationdb.data_centers[order.region] ?? order.region,
    acceptLoss: order.acceptLoss,
  };
  const status = (signal: AbortSignal) => statusByFdbcli(cli, STATUS_MS, signal);
  if (order.dryRun) {
    const mayBegin = () => rehearseChange(loaded, tell, world.signal);
    const code = await tellPlan(planRegionChange(await status(world.signal), change), { inWords: regionStepInWords, mayBegin }, tell);
    tell('in all', STEPS[order.kind]);
    return code;
  }
  const controllers = new Controllers(loaded, world.signal);
  try {
    const paused = { loaded, by: order.by, cli, controllers, tell, order: new Order() };
    const changed = await changeRegion(
      {
        change,
        clock: systemClock,
        patienceMs: order.patienceMs,
        status,
        act: async (step, signal) => {
          const what = regionStepInWords(step);
          const why = `FoundationDB: ${order.kind} ${order.region}: ${what}`;
          return await changeUnderPause(paused, { what, why, change: () => configure(cli, step, signal) }, signal);
        },
        inWords: regionStepInWords,
        onWait: (why) => tell('waiting', why),
      },
      world.signal,
    );
    return tellEnd(changed, tell);
  } finally {
    controllers.close();
  }
}
