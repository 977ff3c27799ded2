import { COPY_STATES, type CopyState } from '../foundationdb/pair-records.ts';
import type { PairSeen, PairSide } from '../foundationdb/pair-side.ts';
import { LOCK_AWARE, SPECIAL_KEY_SPACE_ENABLE_WRITES } from '../foundationdb/option-codes.ts';
import { parseStatus } from '../foundationdb/status-json.ts';
import { transact } from '../foundationdb/transaction.ts';
import { MemoryFoundationdb } from './memory-foundationdb.ts';

const AGENT = '\xff\x02/db-backup-agent/';
const LOCKED = Buffer.from('\xff\xff/management/db_locked', 'latin1');
/** With a zero byte, which FoundationDB writes as two in a tuple. */
export const COPY_UID = '5a000f1e88d1a6b0c1e2f30415263748';
const OTHER_UID = 'cd71b3b68605a60151cf040c9123bb4e';

/** What fdbdr does to two clusters in memory, step by step as a test wants it. */
export class MemoryPair {
  readonly primary = new MemoryFoundationdb();
  readonly copy = new MemoryFoundationdb();
  /** From the copy to the primary, which a switch needs. */
  agentsBack = true;
  #state: CopyState | null = null;

  /** Locks the copy, as `fdbdr start` does, in this state by fdbdr's word. */
  async begin(state: CopyState = 'complete'): Promise<void> {
    await this.#say(state);
    await this.lock(COPY_UID);
  }

  async #say(state: CopyState): Promise<void> {
    this.#state = state;
    // Both halves in little-endian order.
    const uid = Buffer.from(COPY_UID, 'hex').swap64();
    const escaped = uid.toString('latin1').replaceAll('\x00', '\x00\xff');
    const [said] = Object.entries(COPY_STATES).find(([, means]) => means === state) ?? [state];
    await write(this.copy, {
      [`${AGENT}\x01tagname\x00\x01default\x00`]: uid,
      [`${AGENT}\x01state\x00\x01${escaped}\x00\x01state_status\x00`]: Buffer.from(said),
    });
  }

  async lock(uid: string | null, store: MemoryFoundationdb = this.copy): Promise<void> {
    await transact(
      store.db,
      (transaction) => {
        transaction.setOption(SPECIAL_KEY_SPACE_ENABLE_WRITES);
        transaction.setOption(LOCK_AWARE);
        if (uid === null) transaction.clear(LOCKED);
        else transaction.set(LOCKED, uid);
        return Promise.resolve({ commit: true, value: null });
      },
      { timeoutMs: 10_000 },
    );
  }

  /** Past its lock, as fdbdr writes. */
  async put(store: MemoryFoundationdb, rows: Readonly<Record<string, Buffer>>): Promise<void> {
    await write(store, rows);
  }

  /** What the agents do: all of the primary, as it is now. */
  async ship(): Promise<void> {
    const { primary } = this;
    const keys = primary.keysAt('', '\xff', primary.version);
    await write(this.copy, Object.fromEntries(keys.map((key) => [key, primary.valueAt(key, primary.version) as Buffer])));
  }

  async switch(): Promise<void> {
    await this.lock(OTHER_UID, this.primary);
    await this.ship();
    await this.#say('stopped');
    await this.lock(null);
  }

  async abort(): Promise<void> {
    await this.#say('aborted');
    await this.lock(null);
  }

  /** From the copy's side, with agents both ways. */
  look({ alone = false } = {}): PairSeen {
    const own = this.#side('copy', this.copy, { uid: COPY_UID, state: this.#state });
    const other = this.#side('primary', this.primary, { uid: OTHER_UID, state: this.primary.lockedBy === null ? null : 'complete' });
    return {
      own,
      other: alone ? { name: 'primary', status: null, record: null } : other,
      lag: { seconds: 0.1, paused: false, askedMs: 0 },
    };
  }

  #side(name: string, { lockedBy }: MemoryFoundationdb, { uid, state }: { uid: string; state: CopyState | null }): PairSide {
    const instances = this.agentsBack ? { agent: {} } : {};
    const layer = { instances, tags: { default: { mutation_stream_id: name === 'copy' ? COPY_UID : OTHER_UID } } };
    const both = { instances: { agent: {} }, tags: { default: { mutation_stream_id: COPY_UID } } };
    const status = parseStatus(
      JSON.stringify({
        client: { database_status: { available: true } },
        cluster: {
          processes: { [name]: {} },
          recovery_state: { name: 'fully_recovered' },
          database_lock_state: lockedBy === null ? { locked: false } : { locked: true, lock_uid: lockedBy },
          layers: name === 'copy' ? { dr_backup: layer, dr_backup_dest: both } : { dr_backup: both, dr_backup_dest: layer },
        },
      }),
    );
    return { name, status, record: { uid, state, lock: lockedBy, isEmpty: false, lagSeen: null } };
  }
}

async function write(store: MemoryFoundationdb, rows: Readonly<Record<string, Buffer>>): Promise<void> {
  await transact(
    store.db,
    (transaction) => {
      transaction.setOption(LOCK_AWARE);
      for (const [key, value] of Object.entries(rows)) transaction.set(Buffer.from(key, 'latin1'), value);
      return Promise.resolve({ commit: true, value: null });
    },
    { timeoutMs: 10_000 },
  );
}
