/** What a run's events say of backups. Sizes, times and contents are the harness's own; `claimed` is what the engine says, for show. */
export interface BackupAccount {
  readonly made: readonly BackupMade[];
  readonly restores: readonly Restore[];
  readonly checks: readonly BackupCheck[];
  /**
   * At the fault at which it was oldest: the newest backup that lay in the store when it took effect and that a restored copy proved, and how old the state was by then that the copy is of, as the ledger has it: at most, and at least. null: none at one of them, or no fault.
   */
  readonly recoveryPoint: { readonly ageMs: number; readonly atLeastMs: number; readonly backupId: string; readonly fault: string } | null;
  readonly bulk: readonly BulkAccount[];
}

export interface BackupMade {
  readonly name: string | null;
  readonly id: string | null;
  readonly pod: string;
  readonly givenMs: number;
  readonly endedMs: number;
  readonly exitCode: number | null;
  /** Of the objects that came into the store meanwhile. */
  readonly storedBytes: number;
  readonly objects: number;
  /** Keys and values of the copy that was restored from it; null: none was. */
  readonly logicalBytes: number | null;
  readonly line: number;
}

export interface Restore {
  readonly name: string;
  readonly args: readonly string[];
  readonly live: boolean;
  readonly elapsedMs: number;
  readonly exitCode: number | null;
  /** null: nothing was restored, it is read with its region, or it could not be read (`unread`). */
  readonly copy: CopyAccount | null;
  /** Whether anything says how new the copy had to be. */
  readonly bounded: boolean;
  /** What was acknowledged before is in it; null: nothing says so. */
  readonly hasBeforeMs: number | null;
  readonly unread: string | null;
  /** Of the backup that it came from; null: not known from the store. */
  readonly backupId: string | null;
  readonly line: number;
  readonly copyLine: number | null;
}

export interface BackupCheck {
  readonly command: 'verify' | 'drill';
  readonly backupId: string | null;
  readonly elapsedMs: number;
  readonly exitCode: number | null;
  readonly endedMs: number;
}

export interface BulkAccount {
  readonly name: string;
  readonly iterations: number;
  /** Requests that were really sent: an iteration whose script broke before counts as one all the same. */
  readonly requests: number;
  readonly acknowledged: number;
  /** Whether it is known which. */
  readonly known: boolean;
  /** Entries of it in the copy of the region that serves after the run: of those that were acknowledged, where these are known, else of all. */
  readonly kept: number;
  /** When k6 was started, and when it had ended; when in between it began to send nobody knows. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly dropped: number;
  readonly failedShare: number;
  readonly perSecond: number;
  readonly latencyMs: { readonly median: number; readonly p95: number; readonly max: number } | null;
  /** null: it was killed, or never said. */
  readonly exitCode: number | null;
  /** Names of thresholds that were crossed. */
  readonly crossed: readonly string[];
  readonly line: number;
}

/** A restored copy, held against the ledger (copies.ts). */
export interface CopyAccount {
  /** The instants that explain the copy; null: none does. */
  readonly stateMs: { readonly fromMs: number; readonly toMs: number } | null;
  /** What contradicts what, in words; empty where the copy is a state of the ledger within what was asked for. */
  readonly problems: readonly string[];
  /** Lines of the operations that prove it. */
  readonly lines: readonly number[];
  /** Of the ledger's clients, and of the bulk load; the engine's own do not count. */
  readonly entries: number;
  readonly bulkEntries: number;
  /** So many it must have, whatever k6 did not tell. */
  readonly bulkAtLeast: number;
  readonly bytes: number;
}
