import { journalIsOpen, type Held, type Lease, type Replication, type Snapshot } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { DatabaseState } from '../database/database.ts';
import { mayReacquire } from '../failover/fencing.ts';
import type { LogEnd } from '../replication/epochs.ts';
import type { RuleValues } from '../replication/replication-rule.ts';
import type { PromoteRequest } from './control-messages.ts';
import type { RestoredEnd } from './restored.ts';

/** What a database is, in whose hands it is decided whether it takes the lease by itself. */
export interface Claimant {
  readonly region: string;
  readonly incarnation: string;
  readonly primaryRegion: string;
  /** Every other region of the configuration. */
  readonly others: readonly string[];
  readonly mode: 'sync' | 'async';
  readonly end: LogEnd;
  readonly sealedEpoch: number;
  /** Where this database was restored to, if it was. */
  readonly restored: RestoredEnd | null;
}

export function claimantOf(
  config: EngineConfig,
  { incarnation, state, restored }: { readonly incarnation: string; readonly state: DatabaseState; readonly restored: RestoredEnd | null },
): Claimant {
  const { region, primary_region: primaryRegion, replication: mode } = config;
  return { region, incarnation, primaryRegion, others: othersOf(config), mode, end: state.log, sealedEpoch: state.sealedEpoch, restored };
}

/** Every other region: whoever could be promoted. */
export function othersOf({ region, regions }: Pick<EngineConfig, 'region' | 'regions'>): readonly string[] {
  return Object.keys(regions).filter((other) => other !== region);
}

export interface Acquiring {
  readonly epoch: number;
  /** Revision of the lease that is replaced. */
  readonly expected: number | null;
  readonly rule: RuleValues;
  /** The commit rule that an earlier epoch left. */
  readonly before: Held<Replication> | null;
  readonly how: 'bootstrap' | 'restored' | 'reacquired' | 'promoted';
  /** How long the lease that is replaced lasts, by its own word: so long the process before this one may have promised its holder not to be promoted. */
  readonly waitMs: number;
}

export type Claim =
  | { readonly kind: 'acquire'; readonly acquiring: Acquiring }
  /** The lease is not this region's to take: it follows. `why` where one would have thought that it is. */
  | { readonly kind: 'follow'; readonly why: string | null }
  /** Its own promotion, whose answer was lost: the controller that leads it asks again. */
  | { readonly kind: 'wait' }
  /** The arbiter knows nothing, this disk does. */
  | { readonly kind: 'refuse'; readonly why: string };

/** What a database that holds no lease does about it, by what the arbiter says. */
export function decideClaim(snapshot: Snapshot, self: Claimant): Claim {
  const { lease, replication: before } = snapshot;
  const rule = ruleFor(snapshot, self);
  const acquire = (epoch: number, how: Acquiring['how']): Claim => ({
    kind: 'acquire',
    acquiring: { epoch, expected: lease?.revision ?? null, rule, before, how, waitMs: waitMsOf(lease) },
  });
  const { end, restored, sealedEpoch } = self;
  if (lease === null) {
    if (self.region !== self.primaryRegion) return { kind: 'follow', why: null };
    if (end.index === 0 && sealedEpoch <= 1) return acquire(1, 'bootstrap');
    const begunAnew = restored !== null && restored.epoch === end.epoch && restored.index === end.index;
    return begunAnew
      ? acquire(Math.max(sealedEpoch, end.epoch, restored.highestEpoch) + 1, 'restored')
      : { kind: 'refuse', why: 'the arbiter holds no lease, but this database has data; refusing to begin anew' };
  }
  if (end.epoch > lease.value.epoch) return { kind: 'refuse', why: setBack(end, lease.value.epoch) };
  const journal = snapshot.failover?.value ?? null;
  if (lease.value.incarnation === self.incarnation && journalIsOpen(journal)) return { kind: 'wait' };
  const reacquisition = mayReacquire(self.region, lease.value, journal);
  if (!reacquisition.may) return { kind: 'follow', why: null };
  // Every holder seals its epoch on its disk before it takes it: this is an empty or an older disk under the holder's name.
  if (sealedEpoch < lease.value.epoch) return { kind: 'follow', why: 'this disk never held that epoch' };
  return acquire(reacquisition.epoch, 'reacquired');
}

/** What a controller's promotion to this epoch takes, or why there is nothing to take. */
export function decidePromotion(
  { lease, replication }: Snapshot,
  { epoch, mode, set, w }: PromoteRequest,
  { region, incarnation, end, sealedEpoch }: Pick<Claimant, 'region' | 'incarnation' | 'end' | 'sealedEpoch'>,
): Acquiring | string {
  // Ours already where an earlier try was stored though its answer was lost.
  const ours = lease?.value.holder === region && lease.value.incarnation === incarnation;
  if (lease === null || lease.value.epoch !== epoch || (lease.value.holder !== null && !ours)) {
    const found = lease === null ? 'there is no lease' : `epoch ${lease.value.epoch} of ${lease.value.holder ?? 'nobody yet'}`;
    return `the lease is not pending in epoch ${epoch}: ${found}`;
  }
  if (end.epoch >= epoch) return setBack(end, epoch - 1);
  // Whoever is promoted was sealed or fenced for just this epoch, and chosen by the log that it had then. Between the two people may be asked, for hours.
  if (sealedEpoch < epoch)
    return `this disk was never sealed for epoch ${epoch}: it was emptied, or is an older one, since its log was judged`;
  const rule = { mode, set: set.filter((other) => other !== region), w };
  return { epoch, expected: lease.revision, rule, before: replication, how: 'promoted', waitMs: waitMsOf(lease) };
}

function waitMsOf(lease: Held<Lease> | null): number {
  return lease?.value.times?.successorWaitsMs ?? 0;
}

/** Whoever wrote in an epoch had taken it at the arbiter. One that knows nothing of it would give it to a second writer, and then nothing tells their logs apart. */
function setBack({ epoch }: LogEnd, known: number): string {
  return `the log here has entries of epoch ${epoch}, the arbiter is at ${known}: it was set back to an older state; refusing to use an epoch twice`;
}

/** The commit rule for an epoch that this region takes by itself: the members of before, without itself. */
function ruleFor({ replication }: Snapshot, { mode, others }: Claimant): RuleValues {
  const before = mode === 'sync' ? replication?.value.set : undefined;
  return { mode, set: (before ?? others).filter((region) => others.includes(region)), w: 1 };
}
