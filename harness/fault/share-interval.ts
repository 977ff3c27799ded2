/**
 * The interval in which the share lies of which `count` of `of` were seen, by Wilson's score; z: how many standard deviations wide on either side. Right also for small numbers and for
 * none or all of them. Nothing seen: [0, 1]. Pure.
 */
export function shareInterval(count: number, of: number, z: number): readonly [number, number] {
  if (of === 0) return [0, 1];
  const share = count / of;
  const scale = 1 + (z * z) / of;
  const middle = (share + (z * z) / (2 * of)) / scale;
  const half = (z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))) / scale;
  return [count === 0 ? 0 : Math.max(0, middle - half), count === of ? 1 : Math.min(1, middle + half)];
}
