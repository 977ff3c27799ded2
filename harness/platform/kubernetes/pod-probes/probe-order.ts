import type { Family } from '../../local/reach/protocol.ts';

/** Which version of the words below both sides speak: the program is in an image, and that may be of another day. */
export const PROBE_VERSION = 1;

/** A pod that has a probe, or gets one, by its number in the run. */
export interface Peer {
  readonly number: number;
  readonly addresses: Partial<Readonly<Record<Family, string>>>;
}

/** What a probe is told, as its only argument. */
export interface ProbeOrder {
  readonly version: number;
  /** Of this run: datagrams of another are none of its business. */
  readonly session: number;
  readonly me: number;
  /** UDP, of every probe. */
  readonly port: number;
  readonly periodMs: number;
  /** It ends by itself after so long: nobody can take an ephemeral container away. */
  readonly forMs: number;
  /** Everybody, whoever is told included. */
  readonly peers: readonly Peer[];
  /** It only tells the others to end. */
  readonly end?: true;
}

/** One round of datagrams, one to each address of each peer: its number, and the probe's clock before the first system call and after the last. */
export type Tick = readonly [seq: number, beforeMs: number, afterMs: number];
/** What came in from a peer since the last line: its rounds `first` to `last`, all of them. */
export type Arrived = readonly [peer: number, family: Family, first: number, last: number];

/**
 * What a probe writes, a JSON object a line, numbered from 0 without a gap; times are its own monotonic clock. What had come in by `atMs` is in this line or one before it.
 */
export type ProbeLine =
  | { readonly line: 0; readonly version: number; readonly session: number; readonly me: number; readonly atMs: number }
  | { readonly line: number; readonly atMs: number; readonly ticks: readonly Tick[]; readonly arrived: readonly Arrived[] }
  | { readonly line: number; readonly ended: string };

/** The number of no round: whoever gets it ends. */
export const END_SEQ = 0xffffffff;

/** One direction between two peers, as a datagram carries it: whoever got the address of another pod must not take what was meant for that one. */
export const linkNumber = (from: number, to: number): number => from * 0x10000 + to;
export const endsOf = (link: number): { readonly from: number; readonly to: number } => ({ from: link >>> 16, to: link & 0xffff });
