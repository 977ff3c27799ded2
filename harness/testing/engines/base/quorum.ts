import type { Vote } from './observer.ts';

/**
 * Is the primary down? A majority of the configured observers must suspect it, one of them outside its region and one outside both its
 * region and that of a possible successor; an observer that has lately seen a commit vetoes.
 */
export function confirmsDown(votes: readonly Vote[], regions: readonly string[], primary: string, freshCommitMs: number): boolean {
  const suspecting = votes.filter((v) => v.verdict === 'suspect' && v.primary === primary);
  const veto = votes.some((v) => v.verdict === 'ok' && v.commitAgeMs !== null && v.commitAgeMs <= freshCommitMs);
  const outside = new Set(suspecting.map((v) => v.region).filter((region) => region !== primary));
  const targets = regions.filter((region) => region !== primary);
  const outsideBoth = targets.some((target) => [...outside].some((region) => region !== target));
  return !veto && suspecting.length * 2 > regions.length && outside.size > 0 && outsideBoth;
}
