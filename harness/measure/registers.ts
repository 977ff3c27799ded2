/** Whose register a key is (`reg/<vantage>/<n>`), null for any other key. Only its owner writes it, and nobody deletes it. */
export function registerOwner(key: string): string | null {
  return /^reg\/(.+)\/\d+$/.exec(key)?.[1] ?? null;
}

/** Keys that begin with a dot are the engine's own (ARCHITECTURE §3): its canary writes change all the time and are nobody's data. */
export function isEngineKey(key: string): boolean {
  return key.startsWith('.');
}
