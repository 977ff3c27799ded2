import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import type { ObjectStore } from '../objectstore/object-store.ts';
import { RECORD_NAMES, type Arbiter, type CasResult, type Held, type RecordName, type Records, type Snapshot } from './arbiter.ts';
import { decodeRecord, encodeRecord, refusedBy } from './record-text.ts';

export interface ObjectArbiterOptions {
  /** One that replaces under a condition. Each of its calls is bounded by its own limit. */
  readonly store: ObjectStore;
  /** Of the names of the objects, one a record; ends with `/`. */
  readonly prefix: string;
  /** Between two looks of a watch. */
  readonly pollMs: number;
  /** This process writes one object at most so often; a bucket refuses what comes faster. */
  readonly writesApartMs: number;
  readonly clock: Clock;
}

const MAX_BYTES = 1024 * 1024;
/** Looks at records that change all the time, until that is an error. */
const MAX_LOOKS = 5;
/** `<revision>\n<record>`. */
const BODY = /^([1-9]\d{0,14})\n(.*)$/s;

type Found = { readonly held: Held<Records[RecordName]>; readonly generation: string } | null;
type Look = { readonly [K in RecordName]: Found };

/**
 * The Arbiter on objects: one for each record, replaced at the generation that was read. A generation is only unique, it need not grow, so an object
 * carries a revision of its own, one more with each write. Nobody deletes the objects. A call takes at most three of the store's limits and, for a
 * write, the time that writes are apart; a snapshot that is overtaken by writes looks again.
 */
export function openObjectArbiter(options: ObjectArbiterOptions): Arbiter {
  if (!options.store.supports.conditionalReplace)
    throw new EngineError('bad-config', 'an arbiter needs a store that replaces objects under a condition');
  return new ObjectArbiter(options);
}

class ObjectArbiter implements Arbiter {
  readonly #options: ObjectArbiterOptions;
  readonly #closing = new AbortController();
  /** Which generation a revision has, as last seen. A wrong guess is refused by the store. */
  readonly #seen = new Map<RecordName, { readonly revision: number; readonly generation: string }>();
  /** When each record may be written next. */
  readonly #freeAtMs = new Map<RecordName, number>();

  constructor(options: ObjectArbiterOptions) {
    this.#options = options;
  }

  async read(signal?: AbortSignal): Promise<Snapshot> {
    return snapshotOf(await this.#settledLook(null, this.#bound(signal)));
  }

  async cas<K extends RecordName>(
    record: K,
    expected: number | null,
    value: Records[K],
    signal?: AbortSignal,
  ): Promise<CasResult<Records[K]>> {
    const text = encodeRecord(record, value);
    const bound = this.#bound(signal);
    try {
      const written = await this.#write(record, expected, text, bound);
      if (written !== null) return { ok: true, revision: written };
      const found = await this.#get(record, bound);
      if (found === null) return { ok: false, reason: 'conflict', current: null };
      return refusedBy(record, found.held as Held<Records[K]>, text);
    } catch (error) {
      if (error instanceof EngineError && error.code === 'internal') throw error;
      // Also where the bucket refused it (too fast, no right, no bucket): a reading says so, and later the same write may succeed.
      return { ok: false, reason: 'unknown' };
    }
  }

  async watch(onRecords: (snapshot: Snapshot) => void, signal: AbortSignal): Promise<void> {
    const { clock, pollMs } = this.#options;
    const bound = this.#bound(signal);
    let last: Look | null = null;
    let revision = -1;
    while (!bound.aborted) {
      try {
        last = await this.#settledLook(last, bound);
        const snapshot = snapshotOf(last);
        if (snapshot.revision > revision) {
          revision = snapshot.revision;
          onRecords(snapshot);
        }
      } catch (error) {
        if (!bound.aborted && !(error instanceof EngineError && error.code === 'arbiter-unavailable')) throw error;
      }
      await clock.sleep(pollMs, bound).catch(() => undefined);
    }
  }

  close(): Promise<void> {
    this.#closing.abort(new EngineError('arbiter-unavailable', 'closed'));
    return Promise.resolve();
  }

  #bound(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
  }

  /**
   * The records of one moment: two looks, one after the other, that find the same. Else a record read early and one read late could be shown together
   * that never were there together. What was known before counts as the first look.
   */
  async #settledLook(before: Look | null, signal: AbortSignal): Promise<Look> {
    try {
      let last = before ?? (await this.#look(signal));
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        const now = await this.#look(signal);
        if (RECORD_NAMES.every((name) => now[name]?.generation === last[name]?.generation)) return now;
        last = now;
      }
      throw new EngineError('arbiter-unavailable', `the records under ${this.#options.prefix} change all the time`);
    } catch (error) {
      if (error instanceof EngineError && ['internal', 'arbiter-unavailable'].includes(error.code)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new EngineError('arbiter-unavailable', `the arbiter's objects cannot be read: ${why}`, error);
    }
  }

  async #look(signal: AbortSignal): Promise<Look> {
    const found = await Promise.all(RECORD_NAMES.map(async (name) => [name, await this.#get(name, signal)] as const));
    return Object.fromEntries(found) as unknown as Look;
  }

  async #get(record: RecordName, signal: AbortSignal): Promise<Found> {
    const { store, prefix } = this.#options;
    const got = await store.get(prefix + record, { maxBytes: MAX_BYTES, signal });
    if (got.outcome === 'not-found') return null;
    const [, digits, text] = BODY.exec(got.body.toString('utf8')) ?? [];
    // What has no revision is no record of ours, and is told as such.
    const held = { revision: Number(digits), value: decodeRecord(record, digits === undefined ? '' : (text as string)) };
    this.#seen.set(record, { revision: held.revision, generation: got.generation });
    return { held, generation: got.generation };
  }

  /** The revision that was written, or null where the record is not at `expected`. */
  async #write(record: RecordName, expected: number | null, text: string, signal: AbortSignal): Promise<number | null> {
    const { store, prefix } = this.#options;
    const generation = expected === null ? null : await this.#generationAt(record, expected, signal);
    if (expected !== null && generation === null) return null;
    const revision = (expected ?? 0) + 1;
    const replace = generation === null ? {} : { replace: { generation } };
    const body = Buffer.from(`${revision}\n${text}`);
    const put = await this.#inTurn(record, signal, () => store.put(prefix + record, body, { ...replace, signal }));
    if (put.outcome !== 'stored') return null;
    this.#seen.set(record, { revision, generation: put.object.generation });
    return revision;
  }

  async #generationAt(record: RecordName, revision: number, signal: AbortSignal): Promise<string | null> {
    if (this.#seen.get(record)?.revision !== revision) await this.#get(record, signal);
    const seen = this.#seen.get(record);
    return seen?.revision === revision ? seen.generation : null;
  }

  /** Does it when this process may write the record again: counted from the answer, since who knows when the store did what it was asked for. */
  async #inTurn<T>(record: RecordName, signal: AbortSignal, write: () => Promise<T>): Promise<T> {
    const { clock, writesApartMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const atMs = Math.max(nowMs, this.#freeAtMs.get(record) ?? nowMs);
    this.#freeAtMs.set(record, atMs + writesApartMs);
    if (atMs > nowMs) await clock.sleep(atMs - nowMs, signal);
    try {
      return await write();
    } finally {
      this.#freeAtMs.set(record, Math.max(this.#freeAtMs.get(record) ?? 0, clock.monotonicMs() + writesApartMs));
    }
  }
}

/** The store's revision is how often it was written: no write leaves it as it was. */
function snapshotOf(look: Look): Snapshot {
  const revision = RECORD_NAMES.reduce((sum, name) => sum + (look[name]?.held.revision ?? 0), 0);
  const records = Object.fromEntries(RECORD_NAMES.map((name) => [name, look[name]?.held ?? null]));
  return { ...(records as unknown as Omit<Snapshot, 'revision'>), revision };
}
