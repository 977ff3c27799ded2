/** Which of these words was probably meant: the same but for its case, or the nearest by edits. Enough to find a typo, too little to guess. */
export function nearest(word: string, among: readonly string[]): string | undefined {
  const same = among.find((one) => one.toLowerCase() === word.toLowerCase());
  const [closest] = among.filter((one) => isNear(one, word)).toSorted((a, b) => distance(a, word) - distance(b, word));
  return same ?? closest;
}

/** At most two edits, and at most half of the word. */
const isNear = (a: string, b: string): boolean => distance(a, b) <= Math.min(2, Math.floor(a.length / 2));

function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replace));
    }
    row = next;
  }
  return row[b.length] ?? Number.POSITIVE_INFINITY;
}
