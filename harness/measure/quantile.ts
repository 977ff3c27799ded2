/** The smallest value that is not below this share of them (nearest rank: no value is invented). NaN when there are none. Values ascending. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}
