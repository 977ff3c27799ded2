import type { SeenStatus } from './state.ts';

/**
 * Since when each standby is seen in sync with this primary without a break. One sample of the primary that is missing for too long, or that says otherwise, ends it: a
 * failback relies on it.
 */
export interface InSync {
  readonly primary: string | null;
  readonly sinceMs: ReadonlyMap<string, number>;
}

export const NOBODY_IN_SYNC: InSync = { primary: null, sinceMs: new Map() };

/** With the last status of the primary taken in; `freshMs`: how old it may be. */
export function watchInSync(
  before: InSync,
  primary: string | null,
  seen: SeenStatus | undefined,
  now: { readonly ms: number; readonly freshMs: number },
): InSync {
  if (primary === null || seen === undefined || now.ms - seen.askedAtMs > now.freshMs || seen.status.role !== 'primary')
    return before.primary === primary && before.sinceMs.size === 0 ? before : { primary, sinceMs: new Map() };
  const known = before.primary === primary ? before.sinceMs : new Map<string, number>();
  const inSync = Object.entries(seen.status.standbys).filter(([, standby]) => standby.inSync);
  const same = before.primary === primary && inSync.length === known.size && inSync.every(([region]) => known.has(region));
  if (same) return before;
  return { primary, sinceMs: new Map(inSync.map(([region]) => [region, known.get(region) ?? seen.askedAtMs])) };
}
