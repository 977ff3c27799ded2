/**
 * What the kernel of the machine that the harness runs on has counted since it started, once a second: evidence beside the verdict, never judged by.
 * All of it only rises.
 */
export interface MachineCounted {
  readonly kind: 'machine';
  /** Time of all processors together. */
  readonly processorsMs: number;
  readonly idleMs: number;
  /** Given to other machines by the host. */
  readonly stolenMs: number;
  /** While at least one program was ready and had no processor. Absent where the kernel keeps no such account. */
  readonly waitedMs?: number;
  /** How long each of the threads that the kernel hands late packets to, one for a processor, was ready and had none. Absent where they cannot be seen. */
  readonly networkWaitsMs?: readonly number[];
}
