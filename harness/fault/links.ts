import type { Link } from '../history/event.ts';

/** `a>b/4`: one direction between two pods in one family. */
export const linkKey = (from: string, to: string, family: 4 | 6): string => `${from}>${to}/${family}`;

export const keysOf = (links: readonly Link[]): ReadonlySet<string> =>
  new Set(links.flatMap((link) => link.families.map((family) => linkKey(link.from, link.to, family))));

/**
 * Which of the cut links to watch all the time: at most `most`, spread evenly over them, both directions of a pair where both are cut.
 * Watching all would load the machine that is being measured.
 */
export function linksToWatch(cut: readonly Link[], most = 8): readonly { readonly from: string; readonly to: string }[] {
  const isCut = new Set(cut.map((link) => `${link.from}>${link.to}`));
  // A pair that is cut both ways is counted once and watched both ways.
  const pairs = cut.filter((link) => link.from < link.to || !isCut.has(`${link.to}>${link.from}`));
  if (most < 1) return [];
  const perPair = pairs.length * 2 > cut.length ? 1 : 2;
  const count = Math.min(pairs.length, Math.max(1, Math.floor(most / perPair)));
  const spread = Array.from({ length: count }, (_, index) => pairs[Math.floor((index * pairs.length) / count)]).filter(
    (one) => one !== undefined,
  );
  return spread.flatMap(({ from, to }) => [{ from, to }, ...(isCut.has(`${to}>${from}`) ? [{ from: to, to: from }] : [])]).slice(0, most);
}
