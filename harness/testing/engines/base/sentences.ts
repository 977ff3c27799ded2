import type { Entry } from './log-file.ts';

export interface Write {
  readonly op: 'put' | 'delete';
  readonly key: string;
  readonly value: string;
}
/** Where a write stands in the log. */
export interface Place {
  readonly epoch: number;
  readonly index: number;
}
/** undefined: not acknowledged, and it is not known whether it will be applied. */
export type Acknowledged = Place | undefined;

/**
 * The sentences of the contract that a known-bad engine may break. Each is a function that the base calls at one place;
 * `CORRECT` keeps them all, and a known-bad engine is `CORRECT` with one sentence replaced.
 */
export interface Sentences {
  /** A write is acknowledged when it is durable under the replication mode (`commit` resolves then). `next` is the place that it will have. */
  readonly acknowledge: (write: Write, commit: () => Promise<Acknowledged>, next: Place) => Promise<Acknowledged>;
  /** A holder whose lease is over acknowledges nothing (null). `alone` would write to the own log only. */
  readonly fenced: (alone: () => Promise<Place>) => Promise<Place | null>;
  /** What has been applied to the key space stays until it is overwritten or deleted. Called after each entry, in log order. */
  readonly keep: (applied: Entry, committed: Map<string, string>) => void;
  /** A read gives the newest acknowledged value. */
  readonly read: (key: string, committed: ReadonlyMap<string, string>) => string | undefined;
  /** The service name follows the primary (`publish` does it). */
  readonly route: (why: 'start' | 'failover', publish: () => Promise<void>) => Promise<void>;
}

export const CORRECT: Sentences = {
  acknowledge: (_write, commit) => commit(),
  fenced: () => Promise.resolve(null),
  keep: () => undefined,
  read: (key, committed) => committed.get(key),
  route: (_why, publish) => publish(),
};
