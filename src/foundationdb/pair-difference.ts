import type { Row } from '../database/remote-snapshot.ts';
import type { Place } from './key-space.ts';
import { readPastLock } from './lock-held.ts';
import { readSlice, type SliceRules } from './slices.ts';

const SLICE_BYTES = 1024 * 1024;
/** Each slice as it is when it is read: nobody writes to the one that was left behind, and what the other one has is told as of then. */
const RULES: SliceRules = { prepare: readPastLock, confirm: () => Promise.resolve(), keptFor: null, tooOld: null };

/** A key of a client that is not the same in two clusters; null: it is not there. */
export interface Differing {
  readonly key: string;
  readonly value: string | null;
  readonly other: string | null;
}

/**
 * What two clusters do not have in common, in the order of keys, of any size: after an abort everything that one of them acknowledged and the other never got, and what the other has written since. Which of two
 * values is the later one nothing in them tells. The engine's own keys, which begin with a dot, are left out. Reads past a lock. @throws EngineError database-unavailable
 */
export async function* differences(own: Place, other: Place, signal: AbortSignal, sliceBytes = SLICE_BYTES): AsyncGenerator<Differing> {
  const [mine, others] = [rowsOf(own, sliceBytes, signal), rowsOf(other, sliceBytes, signal)];
  let [row, further] = [await next(mine), await next(others)];
  while (row !== null || further !== null) {
    const order = row === null ? 1 : further === null ? -1 : Buffer.compare(row[0], further[0]);
    const found = { key: textOf((order > 0 ? further : row)?.[0]) ?? '', value: order > 0 ? null : textOf(row?.[1]) };
    const differing = { ...found, other: order < 0 ? null : textOf(further?.[1]) };
    // Of bytes: what is no text reads alike and is not the same.
    const same = order === 0 && row !== null && further !== null && Buffer.compare(row[1], further[1]) === 0;
    if (!same && !differing.key.startsWith('.')) yield differing;
    if (order <= 0) row = await next(mine);
    if (order >= 0) further = await next(others);
  }
}

async function* rowsOf(place: Place, bytes: number, signal: AbortSignal): AsyncGenerator<Row> {
  for (let from: Uint8Array | null = Buffer.alloc(0); from !== null;) {
    const slice: Awaited<ReturnType<typeof readSlice>> = await readSlice(place, RULES, { from, to: null, bytes }, signal);
    yield* slice.rows;
    from = slice.next;
  }
}

async function next(rows: AsyncGenerator<Row>): Promise<Row | null> {
  const { done, value } = await rows.next();
  return done === true ? null : value;
}

const textOf = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : Buffer.from(bytes).toString('utf8'));
