import type { Change } from '../backup/format/change-segment.ts';

/** What a database over the network was captured to have changed in versions `begin` to `end`, both included. */
export interface Captured {
  readonly begin: number;
  readonly end: number;
  /** What was handed out before, of versions up to the one that was asked for: records alone, without epochs (0). Where it is not the same, the database has gone back. */
  readonly again: readonly Change[];
  /** All changes after the version that was asked for. */
  readonly changes: readonly Change[];
  /** When `end` was over, or later. */
  readonly wallMs: number;
}

export type CaptureStep =
  /** Nothing more is complete yet. */
  | { readonly kind: 'waiting' }
  /** Begins right after the version that was asked for, or before. Where `broken` is not null, nothing leads on from its end. */
  | { readonly kind: 'captured'; readonly captured: Captured; readonly broken: string | null }
  /** What was asked for was never captured, or is gone: nothing leads on. */
  | { readonly kind: 'lost'; readonly why: string };

/** The changes of a database over the network, captured by its own means into a place of this machine, to be stored elsewhere. One program at a time. The owner calls `close`. */
export interface ChangeLog {
  /** A version from which on all is captured, and the epoch that is served at it; a text: why there is none yet. */
  begin(signal: AbortSignal): Promise<{ readonly version: number; readonly epoch: number } | string>;
  /** The changes after a version. @param epoch that was served at it */
  after(version: number, epoch: number, signal: AbortSignal): Promise<CaptureStep>;
  /** What the last step gave, up to its end, is stored and was read back: it is deleted here. */
  done(): Promise<void>;
  /** The capture goes on in the database. Says how that is ended, if at all. */
  close(): Promise<string | null>;
}
