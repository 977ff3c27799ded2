import type { LoadedConfig } from '../config/load.ts';
import type { FdbcliResult } from '../foundationdb/fdbcli.ts';
import { act, lookAtPair, noteSeen, provesWritable, type Pair } from '../foundationdb/pair.ts';
import { changePair, type PairChanged } from '../foundationdb/pair-change.ts';
import { keySpaceOf } from '../foundationdb/key-space.ts';
import { lossAtMost, planPairChange, type PairChange, type PairStep } from '../foundationdb/pair-plan.ts';
import { whyNotErased } from '../foundationdb/served-last.ts';
import { systemClock } from '../platform/clock.ts';
import { changeUnderPause, rehearseChange } from './change-under-pause.ts';
import { Controllers } from './controllers.ts';
import { needFoundationdb, whoCommits } from './managed-foundationdb.ts';
import { Order } from './order.ts';
import { tellSteps, type Shown, type Tell } from './ordering.ts';
import { pairOf, servedCluster, type PairPrograms } from './pair-members.ts';
import { tellEnd, tellPlan } from './planned-order.ts';
import { EXIT } from './world.ts';

export interface PairOrder {
  readonly kind: PairChange['kind'];
  /** Which is to become the copy (start), or to take over. */
  readonly cluster: string;
  readonly programs: PairPrograms;
  /** `start`: whose data may go, typed. */
  readonly erase: string | null;
  /** `abort`: what may be lost. */
  readonly acceptLossSeconds: number | 'any';
  readonly patienceMs: number;
  readonly outageMs: number;
  readonly dryRun: boolean;
  readonly by: string;
}

/**
 * Makes one of two clusters the copy of the other, lets the copy take over, or go on alone. How far a change has come stands in the clusters; each step is made under a pause, which is the journal of it. The gateways
 * use the cluster that their configuration names, before and after.
 */
export async function orderPairChange(loaded: LoadedConfig, order: PairOrder, world: Shown): Promise<number> {
  const tell = tellSteps(world);
  const pair = await pairOf(loaded, order.cluster, order.programs, world.signal);
  const change = changeOf(loaded, order);
  const controllers = new Controllers(loaded, world.signal);
  try {
    const senseless = whyNotOurs(loaded, order) ?? whySenseless(order, await servedCluster(loaded, controllers));
    if (senseless !== null) {
      tell('refused', senseless);
      return EXIT.failed;
    }
    if (order.dryRun) return await rehearse({ loaded, pair, controllers, tell }, change, world.signal);
    const work: Work = { loaded, order, pausing: new Order(), pair, controllers, tell };
    const changed = await changePair(
      {
        change,
        clock: systemClock,
        patienceMs: order.patienceMs,
        outageMs: order.outageMs,
        status: (signal) => lookAtPair(pair, signal),
        act: (step, signal) => actUnderPause(work, step, signal),
        inWords: (step) => inWords(step, pair),
        onWait: (why) => tell('waiting', why),
      },
      world.signal,
    );
    return await ended(changed, work, world.signal);
  } finally {
    controllers.close();
  }
}

/** Where the service moves with the pair, both are moved by the one order, under the machine's guards; a copy is made by this command all the same, since it destroys data. */
function whyNotOurs({ config }: LoadedConfig, { kind, cluster, dryRun }: PairOrder): string | null {
  const { pair_homes: homes } = needFoundationdb(config);
  if (homes === undefined || kind === 'start' || dryRun) return null;
  const target = Object.keys(homes).find((region) => homes[region] === cluster);
  return kind === 'switch'
    ? `the service moves with this pair (database.pair_homes): coditect-dr switchover --target=${target} moves both, and loses nothing`
    : `the service moves with this pair (database.pair_homes): coditect-dr failover --target=${target} --force --accept-data-loss=SECONDS moves both`;
}

function whySenseless({ kind, cluster, erase }: PairOrder, served: string | null): string | null {
  if (kind !== 'start') return null;
  if (served === null) return `no region says that it serves, or two do: whether ${cluster} is the primary is not known`;
  if (cluster === served)
    return `${cluster} is what the gateways use: it cannot become the copy, before the service is on the other cluster`;
  return erase === null || erase === cluster ? null : `--erase names ${erase}, and ${cluster} is what would be erased`;
}

function changeOf({ config }: LoadedConfig, { kind, erase, acceptLossSeconds }: PairOrder): PairChange {
  if (kind === 'start') return { kind, erase: erase !== null };
  if (kind === 'switch') return { kind, maxLagSeconds: config.rpo_seconds };
  return { kind, acceptLossSeconds, wallMs: systemClock.wall().getTime() };
}

async function rehearse(
  { loaded, pair, controllers, tell }: Pick<Work, 'loaded' | 'pair' | 'controllers' | 'tell'>,
  change: PairChange,
  signal: AbortSignal,
): Promise<number> {
  const seen = await lookAtPair(pair, signal);
  const plan = planPairChange(change, seen);
  const once = plan.once === 'outage' ? `, once ${pair.other.name} has been out long enough` : '';
  const mayBegin = async (step: PairStep): Promise<boolean> => {
    const inTheWay = await whyNotNow({ loaded, pair, controllers }, change.kind, step, signal);
    if (inTheWay !== null) tell('refused', inTheWay.said);
    return (await rehearseChange(loaded, tell, signal)) && inTheWay === null;
  };
  const code = await tellPlan(plan, { inWords: (step) => inWords(step, pair) + once, mayBegin }, tell);
  if (plan.kind === 'do' && plan.step.kind === 'erase') tell('loses', whatIsErased(pair));
  if (change.kind === 'abort') {
    const most = lossAtMost(seen, change.wallMs);
    tell('would lose', most === null ? 'nobody knows how much' : `at most ${most.toFixed(1)} s of writes`);
  }
  return code;
}

/** What only the other regions and the clusters' data tell; null: nothing is in the way. */
async function whyNotNow(
  { loaded: { config }, pair, controllers }: Pick<Work, 'loaded' | 'pair' | 'controllers'>,
  kind: PairChange['kind'],
  step: PairStep,
  signal: AbortSignal,
): Promise<FdbcliResult | null> {
  if (step.kind === 'erase') return await whyNotErased(pair, keySpaceOf(needFoundationdb(config).prefix).fence, signal);
  const region = kind === 'abort' ? await whoCommits(controllers) : null;
  if (region === null) return null;
  const said = `${pair.other.name} still commits for ${region}: two clusters would take writes. Cut that off first, or let it be`;
  return { kind: 'refused', said };
}

interface Work {
  readonly loaded: LoadedConfig;
  readonly order: PairOrder;
  readonly pausing: Order;
  readonly pair: Pair;
  readonly controllers: Controllers;
  readonly tell: Tell;
}

async function actUnderPause(
  { loaded, order, pausing, pair, controllers, tell }: Work,
  step: PairStep,
  signal: AbortSignal,
): Promise<FdbcliResult> {
  const what = inWords(step, pair);
  const why = `FoundationDB: pair ${order.kind} ${order.cluster}: ${what}`;
  const change = async (): Promise<FdbcliResult> => {
    if (order.kind === 'start') {
      // Asked again: it may have waited until a failover was over, and what was the copy's place then serves.
      const served = await servedCluster(loaded, controllers);
      const senseless = whySenseless(order, served);
      if (senseless !== null) return { kind: served === null ? 'unknown' : 'refused', said: senseless };
    }
    const inTheWay = await whyNotNow({ loaded, pair, controllers }, order.kind, step, signal);
    if (inTheWay !== null) return inTheWay;
    if (step.kind === 'erase') tell('loses', whatIsErased(pair));
    return await act(pair, step, signal);
  };
  const work = { loaded, by: order.by, cli: pair.own.cli, controllers, tell, order: pausing };
  return await changeUnderPause(work, { what, why, change }, signal);
}

async function ended(changed: PairChanged, { order, pair, tell }: Work, signal: AbortSignal): Promise<number> {
  const { own, other } = pair;
  if (changed.kind !== 'done') return tellEnd(changed, tell);
  if (order.kind === 'start') {
    await noteSeen(own, await lookAtPair(pair, signal), signal);
  } else if (changed.acted) {
    const proof = await provesWritable(own, signal);
    if (proof.kind !== 'done') {
      tell('undecided', `${own.name} is not locked, and takes no write: ${proof.said}`);
      return EXIT.undecided;
    }
    tell('verified', `${own.name} takes writes`);
  }
  tellEnd(changed, tell);
  if (changed.acted && order.kind !== 'start')
    tell(
      'now',
      `the gateways use the cluster of their configuration: give them ${own.cli.clusterFile} as database.cluster_file, and start them again`,
    );
  if (changed.acted && order.kind === 'abort')
    tell(
      'beware',
      `unless somebody has locked ${other.name}, it takes writes of whoever still uses it when it comes back: keep its servers away from clients until pair start ${other.name} --erase=${other.name}`,
    );
  return EXIT.ok;
}

/** How much that is nobody has counted: whoever ended the copy was told at most how many seconds. */
function whatIsErased({ own, other }: Pair): string {
  const save = `coditect-dr pair difference ${own.name} --out=FILE saves it before`;
  return `all data of ${own.name}; what was acknowledged there and never came to ${other.name} (a copy that was ended leaves such; coditect-dr history tells what loss was accepted) is nowhere else: ${save}`;
}

function inWords(step: PairStep, { own, other }: Pair): string {
  switch (step.kind) {
    case 'erase':
      return `all data of ${own.name} erased`;
    case 'start':
      return `fdbdr start from ${other.name} to ${own.name}, which is locked from then on`;
    case 'switch':
      return `fdbdr switch from ${other.name} to ${own.name}${step.again ? ', which was begun and not ended' : ''}`;
    case 'abort':
      return `fdbdr abort of the copy in ${own.name} alone, which is unlocked then`;
    case 'unlock':
      return step.side === 'own'
        ? `${own.name} unlocked, which an interrupted command of fdbdr has left locked`
        : `${other.name} unlocked: a switch was interrupted where fdbdr cannot go on, nobody has written since, and ${other.name} goes on`;
  }
}
