import { DATABASE_ITSELF } from '../../history/event.ts';
import type { ResultDocument } from '../result-shape.ts';

/** All regions of a run in one order, so that a region has the same colour in every chart. */
export function regionsOf(result: ResultDocument): readonly string[] {
  const named = [...result.lag, ...result.reigns, ...result.replicas].map((one) => one.region);
  return [...new Set(named)].filter((region) => region !== DATABASE_ITSELF).sort();
}

export function regionClass(result: ResultDocument, region: string): string {
  return `region-${Math.max(0, regionsOf(result).indexOf(region)) % 4}`;
}
