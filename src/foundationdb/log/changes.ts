import type { Change } from '../../backup/format/change-segment.ts';
import { decodeFence, type Fence } from '../fence.ts';
import { afterPrefix, type KeySpace } from '../key-space.ts';
import type { Mutation } from './log-file.ts';

/** `MutationRef::Type`. All others read what is there, so that a log of them says nothing without it. */
const SET = 0;
const CLEAR_RANGE = 1;
const NOTHING = new Uint8Array();

export interface Read {
  /** In their order, of versions before `brokenAt` where that is not null. */
  readonly changes: readonly Change[];
  /** From this version on the log leads nowhere, and why. */
  readonly broken: { readonly at: number; readonly why: string } | null;
}

/**
 * What a log says of a key space: clients' keys, and by the fence in it who served. It ends where somebody else than our gateways wrote what cannot be followed, and where a restore began a new
 * history. @param epoch that was served before the first of them
 */
export function changesOf(mutations: readonly Mutation[], keys: KeySpace, epoch: number): Read {
  const changes: Change[] = [];
  let serving = epoch;
  for (const mutation of mutations) {
    const { version } = mutation;
    const found = changeOf(mutation, keys, serving);
    if (typeof found === 'string')
      return { changes: changes.filter((change) => change.version < version), broken: { at: version, why: found } };
    if (found === null) continue;
    serving = found.epoch;
    changes.push(found);
  }
  return { changes, broken: null };
}

/** What a log says of clients' keys, whoever served: to be held against what was read of the same versions before. */
export function dataChangesOf(mutations: readonly Mutation[], keys: KeySpace): readonly Change[] {
  return mutations.flatMap((mutation) => {
    const found = mutation.key.equals(keys.fence) ? null : changeOf(mutation, keys, 0);
    return typeof found === 'string' || found === null ? [] : [found];
  });
}

/** Null: nothing that anybody restores; a text: why it cannot be followed. */
function changeOf(mutation: Mutation, keys: KeySpace, epoch: number): Change | string | null {
  const { version, type, key, value } = mutation;
  if (type !== SET && type !== CLEAR_RANGE) return `somebody wrote by an atomic operation (kind ${type})`;
  if (key.equals(keys.fence)) return type === SET ? fenceChange(mutation, epoch) : 'the fence was taken away: the key space was emptied';
  if (!key.subarray(0, keys.data.length).equals(keys.data)) return null;
  const own = key.subarray(keys.data.length);
  if (type === SET) return { version, epoch, op: 'put', key: own, value };
  if (value.equals(Buffer.concat([key, Buffer.of(0)]))) return { version, epoch, op: 'delete', key: own, value: NOTHING };
  const isToTheEnd = Buffer.compare(value, afterPrefix(keys.data)) >= 0;
  return { version, epoch, op: 'clear', key: own, value: isToTheEnd ? NOTHING : value.subarray(keys.data.length) };
}

function fenceChange({ version, value }: Mutation, epoch: number): Change | string | null {
  const fence = fenceIn(value);
  if (fence === null) return 'somebody wrote another fence than ours';
  const { servedEpoch, restored } = fence;
  if (restored) return 'a backup was restored into the key space';
  if (servedEpoch < epoch) return `the fence is of epoch ${servedEpoch}, after ${epoch}`;
  return servedEpoch === epoch ? null : { version, epoch: servedEpoch, op: 'noop', key: NOTHING, value: NOTHING };
}

function fenceIn(value: Buffer): Fence | null {
  try {
    return decodeFence(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
