import type { BackupConfig } from '../../config/backup-config.ts';
import type { Clock } from '../../platform/clock.ts';
import { knownTime } from '../../platform/known-time.ts';
import type { Sample } from '../../telemetry/metrics.ts';
import { tailIn } from '../log/log-tail.ts';
import type { Anchor } from '../log/shipper.ts';
import { listBackups, trustedOf } from '../repository/catalog.ts';
import { readRecords, textOf, type StoredRecord } from '../repository/records.ts';
import type { Repository } from '../repository/repository.ts';
import { readShreds } from '../repository/shred.ts';
import { readHolds } from '../retention/holds.ts';
import { readMarks } from '../retention/marks.ts';
import { retainedOf } from '../retention/retained.ts';
import type { StoreView } from './schedule.ts';

/** What the service knows of the backups, whoever made them, and what it did itself. Ages go on while the store cannot be reached. */
export class BackupState {
  readonly #clock: Clock;
  #seen: Seen | null = null;
  #failures = 0;
  #last: { readonly bytes: number; readonly uploadedBytes: number; readonly durationMs: number } | null = null;
  #logAtMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Looks at all backups and what was signed about them; returns what decides about the next work.
   * @param hasParted whether a backup that ends there is of a history that is over
   */
  async look(
    repository: Repository,
    { cluster, verify_level: level }: LookedFor,
    signal: AbortSignal,
    hasParted: (backup: Anchor) => boolean = () => false,
  ): Promise<StoreView> {
    const entries = await listBackups(repository, cluster.id, signal);
    const records = await readRecords(repository, 'verify/', signal);
    const trusted = trustedOf(entries);
    const of = (backupId: string): readonly StoredRecord[] => records.filter(({ document }) => document['backupId'] === backupId);
    const ids = new Set(entries.map(({ backupId }) => backupId));
    const tombstones = await readRecords(repository, 'tomb/', signal);
    const held = new Set((await readHolds(repository, signal)).keys());
    const marked = new Set(tombstones.map(({ document }) => textOf(document, 'backupId')));
    const destroyedKeys = await readShreds(repository, signal);
    const nowMs = this.#clock.wall().getTime();
    const retained = retainedOf(entries, { records, tombstones: marked, held, destroyedKeys, nowMs });
    const verified = retained.findLast((backup) => backup.verified && backup.problem === null);
    this.#seen = {
      newestMs: createdMs(trusted.at(-1)),
      verifiedMs: verified?.createdMs ?? null,
      trusted: trusted.length,
      untrusted: entries.length - trusted.length,
      damaged: retained.filter(({ damaged }) => damaged).length,
      held: [...held].filter((id) => ids.has(id)).length,
      tombstones: [...marked].filter((id) => ids.has(id)).length,
      marked: (await readMarks(repository, signal)).reduce((sum, { objects }) => sum + objects.length, 0),
    };
    const newest = trusted.findLast(({ kid }) => kid === repository.keys.kid);
    return {
      // Of an epoch key that is over there is none that counts: a new epoch begins with a backup. So does a new history.
      newestAtMs: newest !== undefined && hasParted(tailIn(newest)) ? null : createdMs(newest),
      newestId: trusted.at(-1)?.backupId ?? null,
      verification: lastVerification(
        trusted.flatMap(({ backupId }) => of(backupId)),
        level,
        nowMs,
      ),
    };
  }

  completed(bytes: number, uploadedBytes: number, durationMs: number): void {
    this.#last = { bytes, uploadedBytes, durationMs };
  }

  failed(): void {
    this.#failures++;
  }

  /** All that was committed here at that time (monotonic) is in the repository. */
  logIsThere(atMs: number): void {
    this.#logAtMs = atMs;
  }

  samples(): readonly Sample[] {
    const seen = this.#seen;
    const nowMs = this.#clock.wall().getTime();
    const ageSeconds = (atMs: number | null | undefined): number => {
      const knownMs = knownTime(atMs ?? null, nowMs);
      return knownMs === null ? Number.POSITIVE_INFINITY : Math.max(0, (nowMs - knownMs) / 1000);
    };
    const gauge = (name: string, help: string, value: number): Sample => ({
      name: `coditect_dr_backup_${name}`,
      help,
      kind: 'gauge',
      value,
    });
    return [
      gauge(
        'age_seconds',
        'Age of the newest backup that is to be trusted, whoever made it; +Inf: none is known',
        ageSeconds(seen?.newestMs),
      ),
      gauge(
        'verified_age_seconds',
        'Age of the newest backup that was read as a whole and found sound; +Inf: none is known',
        ageSeconds(seen?.verifiedMs),
      ),
      {
        name: 'coditect_dr_backup_failures_total',
        help: 'Backups that this service began and did not bring to an end, since it started',
        kind: 'counter',
        value: this.#failures,
      },
      ...(this.#last === null
        ? []
        : [
            gauge('last_duration_seconds', 'Time that the last backup of this service took', this.#last.durationMs / 1000),
            gauge('last_bytes', 'Size of what the last backup of this service covers', this.#last.bytes),
            gauge('last_uploaded_bytes', 'Bytes that the last backup of this service stored', this.#last.uploadedBytes),
          ]),
      ...(this.#logAtMs === null
        ? []
        : [
            gauge(
              'log_age_seconds',
              'Since the log here was in the repository up to its end',
              (this.#clock.monotonicMs() - this.#logAtMs) / 1000,
            ),
          ]),
      ...(seen === null
        ? []
        : [
            gauge('trusted', 'Backups that are to be trusted', seen.trusted),
            gauge('untrusted', 'Backups that do not open or are quarantined', seen.untrusted),
            gauge(
              'damaged',
              'Backups that do not open, or were found damaged and not verified as thoroughly and found sound since',
              seen.damaged,
            ),
            gauge('held', 'Backups that are held', seen.held),
            gauge('tombstones', 'Backups that prune has marked and will delete after the grace', seen.tombstones),
            gauge('marked_objects', 'Objects that prune has marked and will delete after the grace', seen.marked),
          ]),
    ];
  }
}

interface Seen {
  readonly newestMs: number | null;
  readonly verifiedMs: number | null;
  readonly trusted: number;
  readonly untrusted: number;
  readonly damaged: number;
  readonly held: number;
  readonly tombstones: number;
  readonly marked: number;
}

type LookedFor = Pick<BackupConfig, 'cluster' | 'verify_level'>;

/** Newest of those that are at least as thorough, as far as their times can be. */
function lastVerification(records: readonly StoredRecord[], level: number, nowMs: number): StoreView['verification'] {
  const [last] = records
    .filter(({ document }) => Number(document['level']) >= level)
    .map(({ document }) => ({
      backupId: textOf(document, 'backupId'),
      atMs: Date.parse(textOf(document, 'at')),
      ok: document['ok'] === true,
    }))
    .filter(({ atMs }) => knownTime(atMs, nowMs) !== null)
    .toSorted((a, b) => b.atMs - a.atMs);
  return last ?? null;
}

function createdMs(manifest: { readonly created: string } | undefined): number | null {
  return manifest === undefined ? null : Date.parse(manifest.created);
}
