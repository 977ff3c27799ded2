import type { Arbiter, CasResult, Held, History, Maintenance, RecordName, Records, Snapshot } from '../arbiter/arbiter.ts';
import { EngineError } from '../platform/errors.ts';
import type { Log } from '../telemetry/log.ts';
import { acknowledge } from './history.ts';
import { inForce } from './maintenance.ts';

export interface DeskOptions {
  readonly arbiter: Arbiter;
  readonly log: Log;
  readonly records: () => Snapshot;
  readonly wallMs: () => number;
  readonly onRecord: <K extends 'maintenance' | 'history'>(name: K, held: Held<Records[K]>) => void;
}

/** How often a change is tried where somebody else changed the record meanwhile, or the arbiter gave no answer. */
const TRIES = 5;

export interface PauseRequest {
  readonly by: string;
  readonly why: string;
  /** Null: until somebody resumes. */
  readonly forMs: number | null;
  /** Not over a pause in force for another reason: that one is somebody's to end, and would be ended with this one. */
  readonly yields?: boolean;
  /** But over this one, as it is: of an order that was killed. */
  readonly over?: PauseSeen | undefined;
}

/** A pause as somebody saw it. */
interface PauseSeen {
  readonly why: string;
  /** Where it is left out, whenever it was renewed. */
  readonly since?: string | undefined;
}

interface ResumeRequest {
  readonly by: string;
  readonly why: string;
  /** Only this pause is ended; left out: whichever there is. */
  readonly of?: PauseSeen | undefined;
}

/** What operators write into the arbiter besides orders. In force once the leader sees it; any controller can do it. Throws `arbiter-unavailable`. */
export class Desk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Null when it yields to a pause of somebody else. */
  async pause({ by, why, forMs, yields, over }: PauseRequest, signal: AbortSignal): Promise<Maintenance | null> {
    const nowMs = this.#options.wallMs();
    const until = forMs === null ? null : new Date(nowMs + forMs).toISOString();
    const paused = { paused: true, by, why, since: new Date(nowMs).toISOString(), until };
    const next = (before: Maintenance | null): Maintenance | null => {
      const held = inForce(before, nowMs);
      return yields === true && held !== null && held.why !== why && !isOne(over, held)
        ? null
        : { ...paused, seq: (before?.seq ?? -1) + 1 };
    };
    const written = await this.#change('maintenance', next, signal);
    if (written !== null) this.#options.log.info('paused', { by, why, until });
    return written;
  }

  /** Null when nothing was paused, or another pause is there than it is to end. */
  async resume({ by, why, of }: ResumeRequest, signal: AbortSignal): Promise<Maintenance | null> {
    const since = new Date(this.#options.wallMs()).toISOString();
    const next = (before: Maintenance | null): Maintenance | null =>
      before === null || !before.paused || (of !== undefined && !isOne(of, before))
        ? null
        : { paused: false, by, why, since, until: null, seq: before.seq + 1 };
    const written = await this.#change('maintenance', next, signal);
    if (written !== null) this.#options.log.info('resumed', { by, why });
    return written;
  }

  /** The history with the last automatic failover acknowledged; null when there is none to acknowledge. */
  async acknowledge(by: string, signal: AbortSignal): Promise<History | null> {
    const at = new Date(this.#options.wallMs()).toISOString();
    const written = await this.#change('history', (before) => acknowledge(before, by, at), signal);
    if (written !== null) this.#options.log.info('acknowledged', { by });
    return written;
  }

  async #change<K extends 'maintenance' | 'history'>(
    name: K,
    next: (before: Records[K] | null) => Records[K] | null,
    signal: AbortSignal,
  ): Promise<Records[K] | null> {
    const { arbiter, records, onRecord } = this.#options;
    let held = records()[name] as Held<Records[K]> | null;
    for (let tries = 0; tries < TRIES; tries++) {
      const value = next(held?.value ?? null);
      if (value === null) return null;
      const result = await decided(arbiter, { name, expected: held?.revision ?? null, value }, signal);
      if (result.ok) {
        onRecord(name, { value, revision: result.revision });
        return value;
      }
      if (result.reason === 'unknown') break;
      held = result.current;
    }
    throw new EngineError(
      'arbiter-unavailable',
      `the arbiter did not take the change of ${name}; look at coditect-dr status before you ask again`,
    );
  }
}

function isOne(seen: PauseSeen | undefined, { why, since }: Maintenance): boolean {
  return seen !== undefined && seen.why === why && (seen.since === undefined || seen.since === since);
}

interface Change<K extends RecordName> {
  readonly name: K;
  readonly expected: number | null;
  readonly value: Records[K];
}

/** Asked again with the same arguments until it is decided: it may have been carried out. */
async function decided<K extends RecordName>(
  arbiter: Arbiter,
  { name, expected, value }: Change<K>,
  signal: AbortSignal,
): Promise<CasResult<Records[K]>> {
  let result = await arbiter.cas(name, expected, value, signal);
  for (let tries = 0; tries < TRIES && !result.ok && result.reason === 'unknown' && !signal.aborted; tries++)
    result = await arbiter.cas(name, expected, value, signal);
  return result;
}
