import { MemoryFoundationdb } from './memory-foundationdb.ts';
import { transact } from '../foundationdb/transaction.ts';
import { LOCK_AWARE, SPECIAL_KEY_SPACE_ENABLE_WRITES } from '../foundationdb/option-codes.ts';

const AGENT = '\xff\x02/db-backup-agent/';
const LOCKED = Buffer.from('\xff\xff/management/db_locked', 'latin1');
/** With a zero byte, which FoundationDB writes as two in a tuple. */
export const COPY_UID = '5a000f1e88d1a6b0c1e2f30415263748';

/** What fdbdr does to two clusters in memory, step by step as a test wants it. */
export class MemoryPair {
  readonly primary = new MemoryFoundationdb();
  readonly copy = new MemoryFoundationdb();

  /** Locks the copy, as `fdbdr start` does, in this state by fdbdr's word. */
  async begin(state = 'is differential'): Promise<void> {
    // Both halves in little-endian order.
    const uid = Buffer.from(COPY_UID, 'hex').swap64();
    const escaped = uid.toString('latin1').replaceAll('\x00', '\x00\xff');
    await this.#write({
      [`${AGENT}\x01tagname\x00\x01default\x00`]: uid,
      [`${AGENT}\x01state\x00\x01${escaped}\x00\x01state_status\x00`]: Buffer.from(state),
    });
    await this.lock(COPY_UID);
  }

  async lock(uid: string | null): Promise<void> {
    await transact(
      this.copy.db,
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

  /** What the agents do: all of the primary, as it is now. */
  async ship(): Promise<void> {
    const { primary } = this;
    const keys = primary.keysAt('', '\xff', primary.version);
    await this.#write(Object.fromEntries(keys.map((key) => [key, primary.valueAt(key, primary.version) as Buffer])));
  }

  async #write(rows: Readonly<Record<string, Buffer>>): Promise<void> {
    await transact(
      this.copy.db,
      (transaction) => {
        transaction.setOption(LOCK_AWARE);
        for (const [key, value] of Object.entries(rows)) transaction.set(Buffer.from(key, 'latin1'), value);
        return Promise.resolve({ commit: true, value: null });
      },
      { timeoutMs: 10_000 },
    );
  }
}
