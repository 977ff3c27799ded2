import { readByFdbcli, type FdbcliResult } from './fdbcli.ts';
import { decodeFence } from './fence.ts';
import { LOOK_MS, type Member, type Pair } from './pair.ts';
import { printable, unprintable } from './pair-records.ts';

/**
 * Why `own` is not to be erased; null: it may be. Whoever has served in the later epoch has what the other one has not, and is not the one to go, whatever a configuration says of who is used: one that was not changed
 * after an abort names the wrong one.
 */
export async function whyNotErased(
  { own, other }: Pick<Pair, 'own' | 'other'>,
  fence: Buffer,
  signal: AbortSignal,
): Promise<FdbcliResult | null> {
  const [mine, further] = await Promise.all([servedEpochOf(own, fence, signal), servedEpochOf(other, fence, signal)]);
  if (mine === 0) return null;
  const silent = mine === null ? own.name : further === null ? other.name : null;
  if (mine === null || further === null) return { kind: 'unknown', said: `${silent} does not tell in which epoch it served last` };
  if (mine <= further) return null;
  const served = `${own.name} served last in epoch ${mine}, ${other.name} in epoch ${further}`;
  return { kind: 'refused', said: `${served}: ${own.name} has what ${other.name} has not. Is ${other.name} the one to be erased?` };
}

/** Read past its lock; 0: never. Null: it does not tell. */
async function servedEpochOf({ cli }: Member, fence: Buffer, signal: AbortSignal): Promise<number | null> {
  const read = `option on READ_LOCK_AWARE; get "${printable(fence.toString('latin1'))}"`;
  const output = await readByFdbcli(cli, read, LOOK_MS, signal);
  if (output === null) return null;
  if (/': not found$/m.test(output)) return 0;
  const value = /' is `(.*)'$/m.exec(output)?.[1];
  try {
    return value === undefined ? null : decodeFence(unprintable(value)).servedEpoch;
  } catch {
    // Not one of ours.
    return null;
  }
}
