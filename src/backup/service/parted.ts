import { newestIdentity, type DataReader } from '../../database/data-reader.ts';
import { epochAt, isLonger, type LogEnd } from '../../replication/epochs.ts';

/**
 * Whether a backup that ends there is of a history that this database has left: it was restored to before it, or a failover left its last writes behind. No log leads on from such a backup, so it covers nothing of what
 * is written now. A copy that is only behind says nothing.
 */
export function hasParted(reader: DataReader, backup: LogEnd): boolean {
  const { end, epochs } = newestIdentity(reader);
  return isLonger(end, backup) && epochAt(epochs, end.index, backup.index) !== backup.epoch;
}
