import type { ResultDocument, ResultRecovery } from './result-shape.ts';

/** 2.41 s, 87 ms, 3 min 5 s: three digits that mean something, the unit always said. */
export function duration(ms: number): string {
  const sign = ms < 0 ? '−' : '';
  const size = Math.abs(ms);
  if (size < 0.5) return '0 ms';
  if (size < 999.5) return `${sign}${Math.round(size)} ms`;
  if (size < 99_995) return `${sign}${trimmed(size / 1000, size < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(size / 1000);
  return `${sign}${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Both bounds in one unit: `2.41–2.46 s`. */
export function span(lowerMs: number, upperMs: number): string {
  if (Math.abs(upperMs - lowerMs) < 0.5) return duration(upperMs);
  if (upperMs < 999.5) return `${Math.round(lowerMs)}–${Math.round(upperMs)} ms`;
  if (upperMs < 99_995) {
    const digits = upperMs < 9_995 || upperMs - lowerMs < 100 ? 2 : 1;
    return `${(lowerMs / 1000).toFixed(digits)}–${(upperMs / 1000).toFixed(digits)} s`;
  }
  return `${duration(lowerMs)} – ${duration(upperMs)}`;
}

export function recoveryText(recovery: ResultRecovery): string {
  switch (recovery.state) {
    case 'no-outage':
      return 'no outage';
    case 'recovered':
      return span(recovery.lowerMs, recovery.upperMs);
    case 'censored':
      return `> ${duration(recovery.lowerMs)}`;
    case 'not-measured':
      return 'not measured';
  }
}

/** How many acknowledged writes are gone, those of a bulk load among them; null: no copy could be read. */
export function lostCount({ writes }: Pick<ResultDocument, 'writes'>): number | null {
  return writes.readBackRegion === null ? null : writes.lost.length + writes.lostOfBulk;
}

/** 532 B, 4.1 kB, 12.4 MB: powers of ten. */
export function bytes(count: number): string {
  if (count < 1000) return `${Math.round(count)} B`;
  return count < 1e6 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

/** 12 345 with thin spaces; for people. */
export function whole(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits);
}
