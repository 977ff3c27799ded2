import type { ClockReading, PodProcess, ReachabilityCell } from '../../history/event.ts';
import type { LinkWatch, PodProgram, Primitive } from '../platform.ts';

/**
 * What the harness has within the system, beside its API: sockets between its pods, its process table, programs of its own. Independent of
 * whoever injects.
 */
export interface Inside {
  supports(primitive: Primitive): true | string;
  start(originNs: bigint, signal: AbortSignal): Promise<void>;
  reachability(pods: readonly string[], signal: AbortSignal): Promise<readonly ReachabilityCell[]>;
  watchLinks(pairs: readonly { readonly from: string; readonly to: string }[], periodMs: number, onlyAfter?: 'onlyAfter'): LinkWatch;
  processes(pods: readonly string[]): Promise<readonly PodProcess[]>;
  clocks(pods: readonly string[], nowMs: () => number): Promise<readonly ClockReading[]>;
  resolve(hostName: string, signal: AbortSignal): Promise<readonly string[]>;
  runInPod(pod: string, program: string, args: readonly string[]): PodProgram;
  /** Ends what it started; returns what could not be ended. */
  close(): Promise<readonly string[]>;
}
