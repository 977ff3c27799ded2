import { setPriority } from 'node:os';

/** Above all programs of the system that is measured, below what the kernel itself needs. */
const NICE = -10;

/**
 * Whoever measures runs before what it measures, where it may (root, or a pod with the right): clients and system share the processors of one machine here, and a client that waits for one tells of the machine, not of
 * the service. It takes nothing that counts: a client needs a few per cent of a processor. Elsewhere nothing changes: then it returns
 * false, and the record says so, as it says how late each operation was.
 */
export function beScheduledFirst(): boolean {
  try {
    setPriority(NICE);
    return true;
  } catch {
    return false; // not allowed
  }
}
