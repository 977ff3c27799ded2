import type { LabDatabase } from '../scenario/scenario.ts';

/** A cluster of six servers is made, configured and copied first (41 s on an idle machine). */
const LIMITS_MS = { embedded: 60_000, foundationdb: 240_000 } as const;

/** How long a system that is started here may take until it serves. */
export function startLimitMs(database: LabDatabase | undefined): number {
  return LIMITS_MS[database ?? 'embedded'];
}
