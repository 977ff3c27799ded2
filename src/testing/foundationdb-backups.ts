import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Transaction } from 'foundationdb';
import type { Manifest } from '../backup/format/manifest.ts';
import { remoteSource } from '../backup/pipeline/remote-source.ts';
import type { LogToApply } from '../backup/log/log-to-apply.ts';
import { restoreRemote } from '../backup/restore/restore-remote.ts';
import { runCli } from '../cli.ts';
import { EXIT } from '../commands/world.ts';
import type { RemoteDatabase } from '../database/remote-snapshot.ts';
import type { RemoteTarget } from '../database/remote-target.ts';
import { readAll, type Authority } from '../foundationdb/data.ts';
import { openFence } from '../foundationdb/fence.ts';
import { dataKey, keySpaceOf, type KeySpace, type Place } from '../foundationdb/key-space.ts';
import { foundationdbToRead, type RemoteOptions } from '../foundationdb/remote-database.ts';
import { transact, type Outcome } from '../foundationdb/transaction.ts';
import { systemClock } from '../platform/clock.ts';
import { foundationdbCommandConfig } from './backup-command-config.ts';
import type { BackupLab } from './backup-lab.ts';
import type { FoundationdbPlace } from './foundationdb-config.ts';

/** What tests of backups of FoundationDB do again and again: a key space that is full and served, a backup into a lab's repository, a restore, what is there. */

const LIMIT_MS = 10_000;
const ROWS_AT_ONCE = 500;
/** So that even little data is read in several parts, side by side. */
const PART_BYTES = 1024 * 1024;
const never = new AbortController().signal;

export function done<T>(outcome: Outcome<T>): T {
  if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

export const nameOf = (n: number): string => `account/${String(n).padStart(6, '0')}`;

export interface Filled {
  readonly keys: KeySpace;
  readonly content: Map<string, string>;
}

export async function fill(
  db: Database,
  prefix: string,
  { records, by }: { readonly records: number; readonly by: Authority },
): Promise<Filled> {
  const keys = keySpaceOf(prefix);
  const content = new Map(Array.from({ length: records }, (_, n) => [nameOf(n), `${n} ${'x'.repeat((n * 7) % 3000)}`]));
  const rows = [...content];
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
    await write(db, (transaction) => {
      for (const [key, value] of rows.slice(from, from + ROWS_AT_ONCE)) transaction.set(dataKey(keys, key), Buffer.from(value));
    });
  done(await openFence(db, keys.fence, by, LIMIT_MS));
  return { keys, content };
}

export async function write(db: Database, work: (transaction: Transaction) => void): Promise<void> {
  const change = (transaction: Transaction): Promise<{ commit: true; value: null }> => {
    work(transaction);
    return Promise.resolve({ commit: true, value: null });
  };
  done(await transact(db, change, { timeoutMs: LIMIT_MS }));
}

export async function readNow<T>(db: Database, read: (transaction: Transaction) => Promise<T>): Promise<T> {
  return done(await transact(db, async (transaction) => ({ commit: false, value: await read(transaction) }), { timeoutMs: LIMIT_MS }));
}

/** Does not close the client, which all tests share. */
export function reading(options: Omit<RemoteOptions, 'clock'>): RemoteDatabase {
  return { ...foundationdbToRead({ ...options, clock: systemClock }), close: () => undefined };
}

/** Calls `between` after the first slice was read, before any other is. */
export function withPause(database: RemoteDatabase, between: () => Promise<void>): RemoteDatabase {
  return {
    ...database,
    snapshot: async (signal) => {
      const snapshot = await database.snapshot(signal);
      let gate: Promise<void> | null = null;
      return {
        ...snapshot,
        slice: async (...bounds) => {
          if (gate !== null) {
            await gate;
            return await snapshot.slice(...bounds);
          }
          const opened = Promise.withResolvers<void>();
          gate = opened.promise;
          try {
            const slice = await snapshot.slice(...bounds);
            await between();
            return slice;
          } finally {
            opened.resolve();
          }
        },
      };
    },
  };
}

export async function backUp(lab: BackupLab, database: RemoteDatabase): Promise<Manifest> {
  const { keys } = await lab.repository();
  const open = (): Promise<RemoteDatabase> => Promise.resolve(database);
  const source = remoteSource({ open, kind: 'foundationdb', chunkKey: keys.chunk, partBytes: PART_BYTES });
  return (await lab.backup({ source })).manifest;
}

/** The repository is said to know epochs up to 9. */
export async function restoreInto(lab: BackupLab, manifest: Manifest, target: RemoteTarget, log: LogToApply | null = null): Promise<void> {
  const options = { log, repository: await lab.repository(), manifest, target, workers: 1, highestEpoch: () => Promise.resolve(9) };
  await restoreRemote({ ...options, clock: systemClock, onProgress: () => undefined }, never);
}

export async function contentIn(place: Place): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { key, value } of (await readAll(place, LIMIT_MS)).rows) content.set(key, value);
  return content;
}

/** A target that is written as `put` does it. */
export function withPut(target: RemoteTarget, put: RemoteTarget['put']): RemoteTarget {
  return { ...target, put };
}

interface Commands extends FoundationdbPlace {
  readonly folder: string;
}

/** Runs `coditect-dr backup …` on that cluster, under a prefix, and gives what it says. @throws where it ends with another code than 0 */
export function backupCommands({ folder, clusterFile, library }: Commands): (words: readonly string[], prefix: string) => Promise<string> {
  mkdirSync(join(folder, 'data'), { recursive: true });
  const config = join(folder, 'config.yaml');
  return async (words, prefix) => {
    writeFileSync(config, JSON.stringify(foundationdbCommandConfig('x', { clusterFile, prefix, library })));
    let said = '';
    const out = (text: string): void => void (said += text);
    const code = await runCli(['backup', ...words, '--config', config], { environment: {}, signal: never, out, err: out });
    if (code !== EXIT.ok) throw new Error(`backup ${words.join(' ')} ended with ${code}: ${said}`);
    return said;
  };
}
