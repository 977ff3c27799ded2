import type { Fault } from './fault.ts';

/**
 * The fewest of these faults (in their order) with which `fails` still does, by delta debugging. At most `budget` runs.
 */
export async function shrink(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
  budget: number,
): Promise<readonly Fault[]> {
  let left = budget;
  const stillFails = async (candidate: readonly Fault[]): Promise<boolean> => left-- > 0 && (await fails(candidate));
  let current = faults;
  for (let parts = 2; current.length > 0 && left > 0;) {
    const size = Math.ceil(current.length / parts);
    let smaller: readonly Fault[] | null = null;
    for (let from = 0; from < current.length && smaller === null; from += size) {
      const without = [...current.slice(0, from), ...current.slice(from + size)];
      if (await stillFails(without)) smaller = without;
    }
    if (smaller !== null) {
      current = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) break;
    else parts = Math.min(current.length, parts * 2);
  }
  return current;
}
