import type { Held, Maintenance } from '../arbiter/arbiter.ts';

/** The pause in force at this wall time, or null. */
export function pauseInForce(maintenance: Held<Maintenance> | null, wallMs: number): Maintenance | null {
  return inForce(maintenance?.value ?? null, wallMs);
}

export function inForce(record: Maintenance | null, wallMs: number): Maintenance | null {
  if (record === null || !record.paused) return null;
  return record.until !== null && Date.parse(record.until) <= wallMs ? null : record;
}

/** For people: "paused by anna (upgrade of the switches) until 2026-…". */
export function describePause({ by, why, until }: Maintenance): string {
  return `paused by ${by}${why === '' ? '' : ` (${why})`}${until === null ? '' : ` until ${until}`}`;
}
