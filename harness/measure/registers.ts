/** Whose register a key is (`reg/<vantage>/<n>`), null for any other key. Only its owner writes it, and nobody deletes it. */
export function registerOwner(key: string): string | null {
  return /^reg\/(.+)\/\d+$/.exec(key)?.[1] ?? null;
}
