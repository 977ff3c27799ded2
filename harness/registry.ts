import { backupMatches } from './check/backup-matches.ts';
import { backupOrders } from './check/backup-orders.ts';
import { backupOverlap } from './check/backup-overlap.ts';
import { brownOut } from './check/brown-out.ts';
import { backupsAwaited } from './check/backups-awaited.ts';
import { backupAge, restoreTime } from './check/backup-targets.ts';
import { bulkLoad } from './check/bulk-load.ts';
import type { Check } from './check/check.ts';
import { cleanedUp } from './check/cleaned-up.ts';
import { damageDone } from './check/damage-done.ts';
import { deletionDone } from './check/deletion-done.ts';
import { engineClaims } from './check/engine-claims.ts';
import { enoughTraffic } from './check/enough-traffic.ts';
import { expectedFailover } from './check/expected-failover.ts';
import { faultEffective } from './check/fault-effective.ts';
import { faultHealed } from './check/fault-healed.ts';
import { freshReads } from './check/fresh-reads.ts';
import { linearizable } from './check/linearizable.ts';
import { lostWrites, recoveryPoint } from './check/lost-writes.ts';
import { methodFollowed } from './check/method-followed.ts';
import { noHoles } from './check/no-holes.ts';
import { noOutage, outageSeen } from './check/outage.ts';
import { noResurrection } from './check/no-resurrection.ts';
import { operatorOrders } from './check/operator-orders.ts';
import { programsLasted } from './check/programs-lasted.ts';
import { recordInOrder } from './check/record-in-order.ts';
import { recoveryTime } from './check/recovery-time.ts';
import { replicasConverged } from './check/replicas-converged.ts';
import { runComplete } from './check/run-complete.ts';
import { servedAtEnd } from './check/served-at-end.ts';
import { sessionGuarantees } from './check/session-guarantees.ts';
import { singlePrimary } from './check/single-primary.ts';
import { stayedBack } from './check/stayed-back.ts';
import { steadyBefore } from './check/steady-before.ts';
import { targetsPresent } from './check/targets-present.ts';
import { wholeRecord } from './check/whole-record.ts';
import { timeOffset } from './fault/kinds/time-chaos.ts';
import { writePause } from './check/write-pause.ts';
import type { FaultKind } from './fault/fault.ts';
import { networkLoss } from './fault/kinds/network-loss.ts';
import { networkPartition } from './fault/kinds/network-partition.ts';
import { physicalMachineProcess } from './fault/kinds/physical-machine-chaos.ts';
import { stressCpu } from './fault/kinds/stress-chaos.ts';
import { podChaosKinds } from './fault/kinds/pod-chaos.ts';

/** The one list of checks, in the order in which a report tells of them. Adding one: its file, this line, a history that it fails. */
export const CHECKS: readonly Check[] = [
  runComplete,
  recordInOrder,
  methodFollowed,
  targetsPresent,
  steadyBefore,
  enoughTraffic,
  wholeRecord,
  faultEffective,
  faultHealed,
  damageDone,
  deletionDone,
  backupOverlap,
  outageSeen,
  recoveryTime,
  writePause,
  stayedBack,
  servedAtEnd,
  noOutage,
  brownOut,
  operatorOrders,
  backupOrders,
  backupsAwaited,
  backupMatches,
  backupAge,
  restoreTime,
  bulkLoad,
  expectedFailover,
  lostWrites,
  recoveryPoint,
  noHoles,
  noResurrection,
  singlePrimary,
  freshReads,
  linearizable,
  sessionGuarantees,
  replicasConverged,
  programsLasted,
  engineClaims,
  cleanedUp,
];

/** The one list of fault kinds. Adding one: a file in fault/kinds/ and its name here. */
export const faultKinds: readonly FaultKind[] = [
  ...podChaosKinds,
  networkPartition,
  networkLoss,
  physicalMachineProcess,
  stressCpu,
  timeOffset,
];

/** Kinds that only clusters have, given to them as they are written; nobody sees their effect. Adding one: a line in fault/opaque/opaque-kinds.ts. */
export { opaqueKinds } from './fault/opaque/opaque-kinds.ts';
