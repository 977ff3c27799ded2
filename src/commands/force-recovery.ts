import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { forceRecovery, lookWhetherToForce, managedBy, waitUntilMayForce, type ForcedRecovery } from '../foundationdb/forced-recovery.ts';
import { NO_STATUS } from '../foundationdb/status-json.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { Controllers } from './controllers.ts';
import { managedWith, needFoundationdb, NOBODY_LEADS, resume, whatIsUnderWay, whoCommits } from './managed-foundationdb.ts';
import { needRegion, tellSteps, type Shown, type Tell } from './ordering.ts';
import { EXIT } from './world.ts';

/** Whoever gives it has consented to any loss. */
export interface ForceOrder {
  readonly target: string;
  readonly giveUp: readonly string[];
  readonly patienceMs: number;
  readonly fdbcli: string;
  readonly dryRun: boolean;
  readonly by: string;
}

/** A pause that nobody ends: whoever gave the order may be gone. */
const PAUSE_MS = 60 * 60_000;

/**
 * Lets FoundationDB go on in one region alone, with the loss of what that had not got. Under a pause, which is the journal of it: who, what for, and how it ended stand in the arbiter and in the
 * controllers' logs, and nobody fails over while the database is cut to size. After it failovers begin by themselves again, and the service follows the database.
 */
export async function orderForcedRecovery(loaded: LoadedConfig, order: ForceOrder, world: Shown): Promise<number> {
  const foundationdb = checked(loaded, order);
  const tell = tellSteps(world);
  // A data centre that is no region, of coordinators alone, is given up by its own name.
  const dcOf = (region: string): string => foundationdb.data_centers[region] ?? region;
  const cli = await managedWith(order.fdbcli, foundationdb, loaded.folder, world.signal);
  const controllers = new Controllers(loaded, world.signal);
  const recovery: ForcedRecovery = {
    cluster: managedBy(cli),
    clock: systemClock,
    forcing: { dataCenter: dcOf(order.target), givenUp: order.giveUp.map(dcOf) },
    servedBy: () => whoCommits(controllers),
  };
  try {
    const why = pausedFor(order);
    const refused = await whyNotNow(controllers, why);
    if (refused !== null) tell('refused', refused);
    if (order.dryRun) return Math.max(await rehearse(recovery, order, tell, world.signal), refused === null ? EXIT.ok : EXIT.failed);
    if (refused !== null) return EXIT.failed;
    const paused = await controllers.change('/v1/pause', { by: order.by, why, forMs: PAUSE_MS, yields: true });
    if (paused.kind !== 'ok') {
      const whatNow =
        paused.kind === 'refused'
          ? ''
          : '. Whether failovers are paused is not known: coditect-dr status tells, and coditect-dr resume ends it';
      tell(paused.kind, `${paused.why}; nothing was forced${whatNow}`);
      return paused.kind === 'refused' ? EXIT.failed : EXIT.undecided;
    }
    tell('paused', 'no failover begins by itself meanwhile');
    return await underPause({ loaded, order, recovery, tell }, world.signal);
  } finally {
    controllers.close();
  }
}

const pausedFor = ({ target }: ForceOrder): string => `FoundationDB is to go on in ${target} alone, whatever is lost`;

interface Work {
  readonly loaded: LoadedConfig;
  readonly order: ForceOrder;
  readonly recovery: ForcedRecovery;
  readonly tell: Tell;
}

/** Ends the pause, but where it is not known how it ended. */
async function underPause({ loaded, order, recovery, tell }: Work, signal: AbortSignal): Promise<number> {
  const { target, patienceMs } = order;
  const end = async (step: string, text: string, code: number): Promise<number> => {
    tell(step, text);
    await resume(loaded, { by: order.by, pausedFor: pausedFor(order), why: `FoundationDB into ${target}: ${step}: ${text}` }, tell);
    return code;
  };
  try {
    tell('waiting', `until FoundationDB has been out for ${patienceMs / 1000} s without a break: it fails over by itself where it can`);
    const why = await waitUntilMayForce(recovery, patienceMs, signal);
    if (why !== null) return await end('refused', why, EXIT.failed);
  } catch (error) {
    if (!signal.aborted) throw error;
    return await end('interrupted', 'nothing was forced', EXIT.interrupted);
  }
  tell('forcing', `FoundationDB into ${target}`);
  const forced = await forceRecovery(recovery, signal);
  if (forced.kind === 'not-done') return await end('refused', forced.why, EXIT.failed);
  if (forced.kind === 'done')
    return await end(
      'done',
      `FoundationDB goes on in ${target} alone. What others had acknowledged and it had not got is lost, and nobody knows how much. A region is added again as deploy/foundationdb/README.md says`,
      EXIT.ok,
    );
  tell('undecided', `${forced.why}. Look at the cluster; the same command may be given again. Failovers stay paused: coditect-dr resume`);
  return signal.aborted ? EXIT.interrupted : EXIT.undecided;
}

/** What the machine has against it; null: nothing. A pause is for whoever made it to end, but for that of an order like this one which did not come to its end. */
async function whyNotNow(controllers: Controllers, ours: string): Promise<string | null> {
  const leader = (await controllers.leader())?.answer;
  if (leader === undefined) return NOBODY_LEADS;
  if (leader.state === 'Normal') return `the observers see commits in ${leader.primary ?? 'the primary'}: nothing is out`;
  const underWay = whatIsUnderWay(leader);
  if (underWay !== null) return underWay;
  if (leader.paused !== undefined && leader.paused.why !== ours)
    return `${leader.paused.by} has paused failovers (${leader.paused.why}): coditect-dr resume, when that is over`;
  return null;
}

const SEEN = {
  may: 'it could be forced now',
  serves: 'it serves: there is nothing to force',
  'no-answer': NO_STATUS,
} as const;

/** `--dry-run`: one look, and what would be done. */
async function rehearse(recovery: ForcedRecovery, { target, patienceMs }: ForceOrder, tell: Tell, signal: AbortSignal): Promise<number> {
  const found = await lookWhetherToForce(recovery, signal);
  tell(found.kind, found.kind === 'not' ? found.why : SEEN[found.kind]);
  tell(
    'would',
    `pause failovers, see FoundationDB out for ${patienceMs / 1000} s, run force_recovery_with_data_loss ${recovery.forcing.dataCenter}, read back, resume`,
  );
  tell('would lose', `what ${target} has not got yet, and everything that only other regions had, those that are away among them`);
  return found.kind === 'may' ? EXIT.ok : EXIT.failed;
}

/** The database of an order that makes sense. Throws EngineError `bad-request` of one that does not. */
function checked({ config }: LoadedConfig, { target, giveUp }: ForceOrder): FoundationdbConfig {
  const database = needFoundationdb(config);
  needRegion(config, '--target', target);
  if (giveUp.includes(target)) throw new EngineError('bad-request', `--give-up: ${target} is to go on`);
  return database;
}
