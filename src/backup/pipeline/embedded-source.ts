import { newestIdentity, type DataReader } from '../../database/data-reader.ts';
import { openLmdbReader } from '../../database/lmdb-reader.ts';
import type { LogEnd } from '../../replication/epochs.ts';
import { hasTail, tailIn, tailOf, type LogTail } from '../log/log-tail.ts';
import { changedKeys, piecesOf, wholeScan, type Piece } from './plan.ts';
import type { BackupSource, PinnedSource } from './source.ts';

/** The LMDB folder of a database, beside which the backup runs: each thread pins a read transaction of its own. */
export function embeddedSource(folder: string): BackupSource {
  return {
    open: async () => {
      const reader = await openLmdbReader(folder);
      return {
        newest: () => Promise.resolve(newestIdentity(reader).end),
        workerFolder: folder,
        pin: async (pool, signal) => {
          const identity = await pool.rendezvous(signal);
          return {
            identity,
            tail: ownTail(reader, identity.end),
            database: { kind: 'embedded', version: '1' },
            totalBytes: reader.size().bytes,
            piecesSince: (before) => piecesSince(reader, before, identity.end),
            wholeScan: (workers) => wholeScan(reader, workers),
          };
        },
        close: () => reader.close(),
      };
    },
  };
}

/** Entries are never changed: a newer pin has those of the state that was read, as far as they are not trimmed. */
function ownTail(reader: DataReader, { index }: LogEnd): LogTail | null {
  const data = reader.pin();
  try {
    return data.identity.end.index < index ? null : tailOf(data, index);
  } finally {
    data.release();
  }
}

/** What the log says has to be read again. */
function piecesSince(
  reader: DataReader,
  { parent, before, known }: Parameters<PinnedSource['piecesSince']>[0],
  read: LogEnd,
): readonly Piece[] | null {
  if (parent === null || before === null) return null;
  // At least as new as what the workers see: a few more keys may be read again, none is missed.
  const data = reader.pin();
  try {
    const { tail, ...since } = tailIn(parent);
    const changed = tail === null || hasTail(data, since.index, tail) !== true ? null : changedKeys(data, since, read);
    return changed === null ? null : piecesOf(before.files, changed, ({ id }) => known.table.find(id) !== null);
  } finally {
    data.release();
  }
}
