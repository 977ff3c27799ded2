const SUFFIXES = ['', '-again', '-a-third-time'] as const;

/** For mocha: of up to three game days. */
export const THREE_DAYS_MS = 300_000;

/**
 * Plays a game day until one says something, at most three. On a busy machine one may have nothing to say (its service was not steady, a client was kept from sending), or end before its fault: it proves nothing
 * for a test. `attempt` gets what is added to the names of its files, and answers a string, the reason, where its run said nothing.
 */
export async function untilOneSays<T extends object>(attempt: (again: string) => Promise<T | string>): Promise<T> {
  const reasons: string[] = [];
  for (const again of SUFFIXES) {
    const said = await attempt(again);
    if (typeof said !== 'string') return said;
    reasons.push(said);
  }
  throw new Error(`${SUFFIXES.length} runs said nothing: ${reasons.join('\n')}`);
}
