import { readFileSync } from 'node:fs';
import type { LoadedConfig } from '../config/load.ts';
import { statusByFdbcli } from '../foundationdb/fdbcli.ts';
import { followPlan } from '../foundationdb/follow-plan.ts';
import { parseLayout, THREE_DATA_CENTERS, type Layout } from '../foundationdb/layout.ts';
import { planSetUp, type SetUp, type SetUpStep } from '../foundationdb/set-up-plan.ts';
import { makeStep } from '../foundationdb/set-up-step.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { changeAndWait, changeUnderPause, rehearseChange } from './change-under-pause.ts';
import { Controllers } from './controllers.ts';
import { managedWith, needFoundationdb } from './managed-foundationdb.ts';
import { Order } from './order.ts';
import { tellSteps, type Shown } from './ordering.ts';
import { regionStepInWords, tellEnd, tellPlan } from './planned-order.ts';

export interface SetUpOrder {
  /** `three_datacenter`, or a file. */
  readonly layout: string;
  readonly isNew: boolean;
  /** No engine of this system runs yet: there is nobody to be kept from failing over. */
  readonly withoutPause: boolean;
  readonly patienceMs: number;
  readonly fdbcli: string;
  readonly dryRun: boolean;
  readonly by: string;
}

/** Of a cluster without a database: 15 s (measured). */
const STATUS_MS = 30_000;

/**
 * Brings the FoundationDB cluster of this configuration into a layout: makes the database where there is none, places coordinators so that they survive the loss of any region, configures, and waits until all copies are there.
 * Idempotent: whoever was interrupted gives the same command again; where all is as it should be nothing is changed.
 */
export async function setUpFoundationdb(loaded: LoadedConfig, order: SetUpOrder, world: Shown): Promise<number> {
  const foundationdb = needFoundationdb(loaded.config);
  // It would wait for servers of the other cluster in this one.
  if (foundationdb.pair_homes !== undefined)
    throw new EngineError(
      'bad-request',
      'a layout is of one cluster for all regions, and here each has its own of a pair (database.pair_homes): configure each by itself (fdbcli), then coditect-dr pair start makes the one a copy of the other',
    );
  const layout = readLayout(order.layout);
  const tell = tellSteps(world);
  const cli = await managedWith(order.fdbcli, foundationdb, loaded.folder, world.signal);
  const setUp: SetUp = { layout, dataCenters: Object.values(foundationdb.data_centers), isNew: order.isNew };
  const status = (signal: AbortSignal) => statusByFdbcli(cli, STATUS_MS, signal);
  if (order.dryRun) {
    const mayBegin = async (step: SetUpStep) => isWithoutPause(order, step) || (await rehearseChange(loaded, tell, world.signal));
    return await tellPlan(planSetUp(await status(world.signal), setUp), { inWords: (step) => inWords(step, layout), mayBegin }, tell);
  }
  const controllers = new Controllers(loaded, world.signal);
  try {
    const work = { loaded, by: order.by, cli, controllers, tell, order: new Order() };
    const act = async (step: SetUpStep, signal: AbortSignal) => {
      const what = inWords(step, layout);
      const change = { what, why: `FoundationDB: set-up ${what}`, change: () => makeStep(cli, layout, step, signal) };
      return isWithoutPause(order, step) ? await changeAndWait(work, change, signal) : await changeUnderPause(work, change, signal);
    };
    const followed = await followPlan(
      {
        plan: (seen) => planSetUp(seen, setUp),
        clock: systemClock,
        patienceMs: order.patienceMs,
        status,
        act,
        inWords: (step) => inWords(step, layout),
        onWait: (why) => tell('waiting', why),
      },
      world.signal,
    );
    return tellEnd(followed, tell);
  } finally {
    controllers.close();
  }
}

/** Of a database that is only now made nobody can be failing over. */
const isWithoutPause = ({ withoutPause }: SetUpOrder, { kind }: SetUpStep): boolean => withoutPause || kind === 'create';

function readLayout(named: string): Layout {
  if (named === THREE_DATA_CENTERS) return { kind: THREE_DATA_CENTERS };
  let text: string;
  try {
    text = readFileSync(named, 'utf8');
  } catch (cause) {
    throw new EngineError(
      'bad-config',
      `${named}: cannot be read; a layout is ${THREE_DATA_CENTERS}, or a file such as deploy/foundationdb/regions.json`,
      cause,
    );
  }
  return parseLayout(text, named);
}

function inWords(step: SetUpStep, layout: Layout): string {
  switch (step.kind) {
    case 'create':
      return `a new database, ${layout.kind === 'regions' ? `${layout.redundancy} in two regions` : layout.kind}`;
    case 'coordinators':
      return `coordinators ${step.addresses.join(' ')}${step.addresses.length < step.before ? `, fewer than the ${step.before} that are there` : ''}`;
    case 'redundancy':
      return `redundancy ${step.mode}`;
    case 'regions':
      return `two regions, all but ${step.first} below zero`;
    case 'usable-regions':
    case 'priorities':
      return regionStepInWords(step);
  }
}
