import { EngineError } from '../../platform/errors.ts';
import { isLonger, type LogEnd } from '../../replication/epochs.ts';
import { logEndOf } from '../format/manifest.ts';
import { highestLeaseEpoch, trustedOf, type BackupEntry } from '../repository/catalog.ts';

interface Writer {
  readonly epoch: string;
  readonly holder: string;
}

/** A backup under a lower epoch than one before would be quarantined as it is made. @throws EngineError lease-lost */
export function refuseReplaced(entries: readonly BackupEntry[], { epoch, holder }: Writer): void {
  const highest = highestLeaseEpoch(entries);
  if (BigInt(epoch) < highest)
    throw new EngineError(
      'lease-lost',
      `the writer ${holder} has lease epoch ${epoch}, there is a backup of epoch ${highest}: it was replaced, or its arbiter has forgotten; ask for the right to write anew`,
    );
}

/**
 * A backup of a copy that lacks what one before has would be the latest, and be told as fresh: of a standby that is cut off, of a database that has ended beside a service that goes on, or of a primary whose
 * last writes a failover has left behind. @throws EngineError backup-failed
 */
export function refuseBehind(entries: readonly BackupEntry[], end: LogEnd): void {
  const ahead = trustedOf(entries).find((manifest) => isLonger(logEndOf(manifest), end));
  if (ahead === undefined) return;
  const { index, epoch } = logEndOf(ahead);
  throw new EngineError(
    'backup-failed',
    `the database here ends at version ${end.index} of epoch ${end.epoch}, before what backup ${ahead.backupId} has (version ${index} of epoch ${epoch}): it is behind; back up where the service is (of another system: under another backup.cluster.id)`,
  );
}
