import type { Database } from 'foundationdb';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { conditionOf, NOTHING_KNOWN, viewOf, type ClusterView } from './cluster-view.ts';
import { coordinatorsOf, placementProblems } from './coordinators.ts';
import { noteLag, type Lag } from './lag.ts';
import { seeLock } from './lock-held.ts';
import { lockText, type Asker, type SeenLock } from './lock-told.ts';
import { parseStatus, STATUS_KEY } from './status-json.ts';
import { transact } from './transaction.ts';

/** Roles that are out of reach are asked in vain for about four seconds (measured: 3.5 to 4.3 s with a data centre away, 27 ms when all is well). */
const STATUS_TIMEOUT_MS = 8000;
const LOCK_TIMEOUT_MS = 1000;
/** A status older than so many periods, and the time that the next one may take, says nothing of now. */
const PERIODS_THAT_COUNT = 3;

export interface MonitorOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Data centres that the cluster is to have. */
  readonly dataCenters: readonly string[];
  readonly periodMs: number;
  /** To whom a lock is told. */
  readonly asker: Asker;
}

export interface Seen {
  readonly view: ClusterView;
  readonly lag: Lag | null;
  /** When it was asked for; null: never answered. */
  readonly askedAtMs: number | null;
  /**
   * When each data centre that is to be there was first seen without a single process, and has been ever since. One that was never there is not away: its name may be wrong in the
   * configuration, and nothing is to move for that.
   */
  readonly awaySinceMs: ReadonlyMap<string, number>;
  /** What is known of a lock that is on the database; null: there is none, or nothing is known. */
  readonly lock: SeenLock | null;
  /** Why the coordinators would not survive the loss of a data centre; as last seen with all of them there, since otherwise nobody knows where those of the others are. Null: not known. */
  readonly misplaced: readonly string[] | null;
}

/** Whether what was seen says something of now. While a data centre is away each answer takes seconds, and is the newest one until the next has come. */
export function isRecent({ askedAtMs }: Seen, nowMs: number, periodMs: number): boolean {
  return askedAtMs !== null && nowMs - askedAtMs <= PERIODS_THAT_COUNT * periodMs + STATUS_TIMEOUT_MS;
}

/** Looks at the cluster's status again and again; `run` once, it ends when the signal aborts. A look costs the cluster some milliseconds of CPU for each process. */
export class ClusterMonitor {
  readonly #options: MonitorOptions;
  #seen: Seen = { view: NOTHING_KNOWN, lag: null, askedAtMs: null, awaySinceMs: new Map(), lock: null, misplaced: null };
  readonly #everThere = new Set<string>();
  #said = '';

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  get seen(): Seen {
    return this.#seen;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, periodMs } = this.#options;
    while (!signal.aborted) {
      await this.#look(signal);
      await clock.sleep(periodMs, signal).catch(() => undefined);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { db, clock, log } = this.#options;
    const askedAtMs = clock.monotonicMs();
    const outcome = await transact(
      db,
      async (transaction) => ({ commit: false, value: await transaction.get(STATUS_KEY), unversioned: true }),
      { timeoutMs: STATUS_TIMEOUT_MS, signal },
    );
    const status = outcome.kind === 'done' && outcome.value !== undefined ? parseStatus(outcome.value.toString('utf8')) : null;
    // What was seen before stays, and grows old.
    if (status === null) return;
    const view = viewOf(status);
    const lag = noteLag(this.#seen.lag, { generation: view.generation, seconds: view.lagSeconds, atMs: askedAtMs });
    for (const dc of view.dataCenters?.keys() ?? []) this.#everThere.add(dc);
    const dataCenters = this.#options.dataCenters.filter((dc) => this.#everThere.has(dc));
    const awaySinceMs = noteAway(this.#seen.awaySinceMs, view, { dataCenters, atMs: askedAtMs });
    const allThere = this.#options.dataCenters.every((dc) => view.dataCenters?.has(dc) === true);
    const coordinators = allThere ? coordinatorsOf(status) : null;
    const misplaced = coordinators === null ? this.#seen.misplaced : placementProblems(coordinators);
    if (misplaced !== null && misplaced.length > 0 && misplaced.join() !== this.#seen.misplaced?.join())
      log.warn('coordinators_misplaced', { why: misplaced });
    const lock = view.locked === true ? await seeLock(db, LOCK_TIMEOUT_MS).catch(() => null) : null;
    this.#seen = { view, lag, askedAtMs, awaySinceMs, lock, misplaced };
    this.#tell(this.#seen);
  }

  #tell({ view, lock }: Seen): void {
    const { log, dataCenters, asker } = this.#options;
    const condition = conditionOf(view, dataCenters);
    const details = {
      condition: condition.kind,
      why: condition.kind === 'healthy' ? [] : condition.why,
      primary_dc: view.primaryDc,
      generation: view.generation,
      recovery: view.recoveryState,
    };
    const said = JSON.stringify(details);
    if (said !== this.#said) log.info('cluster_condition', lock === null ? details : { ...details, lock: lockText(lock, asker) });
    this.#said = said;
  }
}

/** A view that names no process at all tells nothing, and changes nothing. */
export function noteAway(
  before: Seen['awaySinceMs'],
  { dataCenters: found }: ClusterView,
  { dataCenters, atMs }: { readonly dataCenters: readonly string[]; readonly atMs: number },
): Seen['awaySinceMs'] {
  if (found === null) return before;
  return new Map(dataCenters.filter((dc) => !found.has(dc)).map((dc) => [dc, before.get(dc) ?? atMs]));
}
