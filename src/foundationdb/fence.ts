import type { Database, Transaction } from 'foundationdb';
import { parseJson } from '../platform/https-client.ts';
import { transact, type Decision, type Outcome } from './transaction.ts';

/**
 * The fence within the database: every write of a gateway reads this record in its own transaction and is refused under another epoch. Whoever raises the epoch conflicts with all
 * writes that are under way, so that none of a lower epoch can be committed any more, wherever the gateway is that sent it and whatever it believes.
 */
export interface Fence {
  /** Nothing is committed under any other epoch. */
  readonly epoch: number;
  /** The last epoch that served, and who did; 0 and empty: nobody ever. */
  readonly servedEpoch: number;
  readonly servedBy: string;
  /** Whoever serves keeps what its writes replace while a copy is made (kept.ts). */
  readonly keeps: boolean;
  readonly copy: CopyMark | null;
  /** The data is that of a backup, and nobody has served it yet. */
  readonly restored: boolean;
  /** The version at which the record was last changed. */
  readonly version: number;
}

/** A copy that is being made: of the state at the version at which the mark came in. Later than `untilVersion` nothing is kept for it. */
export interface CopyMark {
  readonly id: string;
  readonly untilVersion: number;
}

export const NO_FENCE: Fence = { epoch: 0, servedEpoch: 0, servedBy: '', keeps: false, copy: null, restored: false, version: 0 };

const STAMP_BYTES = 10;
/** A fence may have to wait for a recovery of FoundationDB; whoever asked for it asks again. */
export const FENCE_TIMEOUT_MS = 2000;

/** The fence of the key space. Decides in the caller's transaction: reading it makes the transaction conflict with every change of it. */
export async function readFence(transaction: Transaction, key: Buffer): Promise<Fence> {
  return decodeFence((await transaction.get(key)) ?? null);
}

/** Throws RangeError for a value that no version of this program has written. */
export function decodeFence(value: Buffer | null): Fence {
  if (value === null) return NO_FENCE;
  const { epoch, servedEpoch, servedBy, keeps, copy, restored } = (parseJson(value.subarray(STAMP_BYTES)) ?? {}) as Partial<Fence>;
  if (typeof epoch !== 'number' || typeof servedEpoch !== 'number' || typeof servedBy !== 'string')
    throw new RangeError('the fence of this key space is not one of ours: is database.prefix right?');
  // The first eight bytes of a versionstamp are the version of the commit.
  const version = Number(value.readBigUInt64BE(0));
  return { epoch, servedEpoch, servedBy, keeps: keeps === true, copy: copy ?? null, restored: restored === true, version };
}

export type FenceChange = { readonly kind: 'set' | 'was-set' | 'passed'; readonly fence: Fence };

/** Nothing is committed under epochs below from now on. `passed`: a higher one is set already. May be repeated. */
export function raiseFence(db: Database, key: Buffer, epoch: number, timeoutMs: number): Promise<Outcome<FenceChange>> {
  return changeFence(db, key, timeoutMs, (fence) => {
    if (fence.epoch > epoch) return 'passed';
    return fence.epoch === epoch ? 'was-set' : { ...fence, epoch };
  });
}

/** `region` serves under `epoch` from now on. `passed`: a higher one is set. May be repeated. */
export function openFence(
  db: Database,
  key: Buffer,
  serves: { epoch: number; region: string },
  timeoutMs: number,
): Promise<Outcome<FenceChange>> {
  const { epoch, region } = serves;
  return changeFence(db, key, timeoutMs, (fence) => {
    if (fence.epoch > epoch) return 'passed';
    const done = fence.epoch === epoch && fence.servedEpoch === epoch && fence.servedBy === region;
    return done ? 'was-set' : { ...fence, epoch, servedEpoch: epoch, servedBy: region, keeps: true, restored: false };
  });
}

type Decided = Fence | 'was-set' | 'passed';

/** Changes the record as `decide` says; all writes that are under way conflict with it. `decide` may be asked several times, and may write more in the same transaction; `prepare` sets options at the beginning of each try. */
export async function changeFence(
  db: Database,
  key: Buffer,
  timeoutMs: number,
  decide: (fence: Fence, transaction: Transaction) => Decided | Promise<Decided>,
  prepare: (transaction: Transaction) => void = () => undefined,
): Promise<Outcome<FenceChange>> {
  const work = async (transaction: Transaction): Promise<Decision<FenceChange>> => {
    prepare(transaction);
    const fence = await readFence(transaction, key);
    const next = await decide(fence, transaction);
    if (typeof next === 'string') return { commit: false, value: { kind: next, fence } };
    const { version: _version, ...stored } = next;
    transaction.setVersionstampPrefixedValue(key, Buffer.from(JSON.stringify(stored)));
    return { commit: true, value: { kind: 'set', fence: next } };
  };
  const outcome = await transact(db, work, { timeoutMs });
  if (outcome.kind !== 'done' || outcome.value.kind !== 'set') return outcome;
  return { ...outcome, value: { kind: 'set', fence: { ...outcome.value.fence, version: outcome.version } } };
}
