import type { DatabaseState, Entry } from '../database/database.ts';
import { epochAt, type EpochTable } from '../replication/epochs.ts';
import { Violation } from './violation.ts';

export interface Acknowledged {
  readonly atMs: number;
  readonly region: string;
  readonly epoch: number;
  readonly index: number;
  readonly key: string;
  readonly value: string;
}

export interface LogView {
  readonly lastIndex: number;
  readonly epochs: EpochTable;
}

/** What was acknowledged, committed, refused and removed anywhere, in the order in which it really happened; throws a Violation at what must not be. */
export class Ledger {
  acknowledgedWrites = 0;
  /** What is promised: in sync mode nothing acknowledged is lost. An operator who accepts a loss lifts that. */
  mode: 'sync' | 'async';
  /** But for those whose loss was accepted. */
  #acknowledged: Acknowledged[] = [];
  readonly #regionOfEpoch = new Map<number, string>();
  readonly #latest = new Map<string, Acknowledged>();
  #highestEpoch = 0;
  /** `epoch:index` → the entry that it is everywhere. */
  readonly #entries = new Map<string, Entry>();
  readonly #committed = new Map<number, Entry>();
  readonly #committedAt = new Map<string, number>();
  readonly #refused = new Set<string>();

  constructor(mode: 'sync' | 'async') {
    this.mode = mode;
  }

  acknowledge(write: Acknowledged, log: DatabaseState | undefined): void {
    const { region, epoch, index, key } = write;
    if (epoch < this.#highestEpoch) {
      const by = this.#regionOfEpoch.get(this.#highestEpoch) ?? '?';
      throw new Violation('one-serves', `${region} acknowledged under epoch ${epoch} after ${by} had under epoch ${this.#highestEpoch}`);
    }
    const before = this.#regionOfEpoch.get(epoch);
    if (before !== undefined && before !== region) {
      throw new Violation('one-region-per-epoch', `${region} acknowledged under epoch ${epoch}, as ${before} did`);
    }
    if (epoch > this.#highestEpoch && log !== undefined && this.mode === 'sync')
      this.takesOver(region, { lastIndex: log.log.index, epochs: log.epochs }, 0);
    this.#highestEpoch = epoch;
    this.#regionOfEpoch.set(epoch, region);
    this.acknowledgedWrites++;
    this.#acknowledged.push(write);
    const latest = this.#latest.get(key);
    if (latest === undefined || latest.index < index) this.#latest.set(key, write);
  }

  /** `applied: no` was answered. */
  refuse(key: string, value: string): void {
    // The engine writes the same canary again and again.
    if (key.startsWith('.')) return;
    if (this.#committedAt.has(value)) throw new Violation('refused-is-not-applied', `${value} was refused and is committed`);
    this.#refused.add(value);
  }

  /** A read was answered just now; undefined: there is no such key. */
  read(region: string, epoch: number, key: string, value: string | undefined): void {
    if (epoch < this.#highestEpoch) {
      throw new Violation(
        'one-serves',
        `${region} answered a read under epoch ${epoch} after an acknowledgement under ${this.#highestEpoch}`,
      );
    }
    if (this.mode === 'async') return;
    const latest = this.#latest.get(key);
    const index = value === undefined ? 0 : (this.#committedAt.get(value) ?? 0);
    if (latest !== undefined && index < latest.index) {
      throw new Violation(
        'reads-are-current',
        `${region} read ${key} = ${value ?? 'nothing'}, but ${latest.value} was acknowledged before`,
      );
    }
  }

  append(region: string, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const name = `${entry.epoch}:${entry.index}`;
      const known = this.#entries.get(name);
      if (known === undefined) this.#entries.set(name, entry);
      else if (known.value !== entry.value || known.key !== entry.key || known.op !== entry.op) {
        throw new Violation('one-writer-per-epoch', `entry ${name} is another on ${region} than elsewhere`);
      }
    }
  }

  commit(region: string, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (this.#refused.has(entry.value))
        throw new Violation('refused-is-not-applied', `${entry.value} was refused and is committed on ${region}`);
      const known = this.#committed.get(entry.index);
      if (known === undefined || this.mode === 'async') {
        this.#committed.set(entry.index, entry);
        if (entry.op === 'put') this.#committedAt.set(entry.value, entry.index);
      } else if (known.epoch !== entry.epoch) {
        throw new Violation(
          'commits-agree',
          `${region} committed ${entry.epoch}:${entry.index}, elsewhere ${known.epoch}:${known.index} is committed`,
        );
      }
    }
  }

  /** Entries leave a log; those that are nowhere committed must have been exported. */
  remove(region: string, entries: readonly Entry[], exported: readonly Entry[]): void {
    for (const entry of entries) {
      const kept = entry.op === 'noop' || this.#committed.get(entry.index)?.epoch === entry.epoch;
      if (!kept && !exported.some(({ epoch, index }) => epoch === entry.epoch && index === entry.index)) {
        throw new Violation('nothing-disappears', `${region} removed ${entry.epoch}:${entry.index}, which is in no file`);
      }
    }
  }

  /**
   * The region takes over: it must have whatever was acknowledged. Where a loss was accepted, what is missing must have been acknowledged within so long; it is gone then, and nobody misses it a second time.
   */
  takesOver(region: string, log: LogView, acceptedMs: number): void {
    const isHeld = ({ epoch, index }: Acknowledged): boolean => epochAt(log.epochs, log.lastIndex, index) === epoch;
    const lost = this.#acknowledged.filter((write) => !isHeld(write));
    const [first, last] = [lost[0], lost.at(-1)];
    if (first === undefined || last === undefined) return;
    if (acceptedMs === 0)
      throw new Violation('nothing-acknowledged-is-lost', `${region} takes over without ${last.value} (${last.epoch}:${last.index})`);
    const lostMs = last.atMs - first.atMs;
    if (lostMs > acceptedMs)
      throw new Violation(
        'loses-no-more-than-accepted',
        `${region} takes over without ${lost.length} writes of ${Math.round(lostMs)} ms, ${Math.round(acceptedMs)} ms may be lost`,
      );
    this.#acknowledged = this.#acknowledged.filter(isHeld);
  }
}
