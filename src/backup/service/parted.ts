import type { DataReader } from '../../database/data-reader.ts';
import { epochAt, isLonger } from '../../replication/epochs.ts';
import { hasTail } from '../log/log-tail.ts';
import type { Anchor } from '../log/shipper.ts';

/**
 * Whether a backup that ends there is of a history that this database has left: it was restored to before it, a failover left its last writes behind, or it began anew. No log leads on from such a backup, so it covers nothing of what
 * is written now. A copy that is only behind says nothing.
 */
export function hasParted(reader: Pick<DataReader, 'pin'>, backup: Anchor): boolean {
  const data = reader.pin();
  try {
    const { end, epochs } = data.identity;
    if (!isLonger(end, backup)) return false;
    if (epochAt(epochs, end.index, backup.index) !== backup.epoch) return true;
    return backup.tail != null && hasTail(data, backup.index, backup.tail) === false;
  } finally {
    data.release();
  }
}
