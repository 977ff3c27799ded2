import type { EngineConfig } from './config.ts';

export interface MisplacedSetting {
  readonly path: readonly string[];
  readonly text: string;
}

const PROGRAMS = ['api', 'database', 'controller'] as const;

/** Programs that two regions share: one copy of the data would be counted as two, one observer would vote twice. */
export function sharedPrograms({ regions }: Pick<EngineConfig, 'regions'>): readonly MisplacedSetting[] {
  const found: MisplacedSetting[] = [];
  for (const program of PROGRAMS) {
    const regionOf = new Map<string, string>();
    for (const [region, programs] of Object.entries(regions)) {
      const origins = new Set([programs[program]].flat().map((url) => new URL(url).origin));
      const other = [...origins].map((origin) => regionOf.get(origin)).find((taken) => taken !== undefined);
      if (other !== undefined)
        found.push({ path: ['regions', region, program], text: `is that of ${other} as well; each region has its own` });
      for (const origin of origins) regionOf.set(origin, region);
    }
  }
  return found;
}

/** A server takes changes for names of its zone only, and says so when there is a failover. */
export function misplacedName({ dns }: Pick<EngineConfig, 'dns'>): readonly MisplacedSetting[] {
  if (dns.kind !== 'rfc2136') return [];
  const [name, zone] = [dns.name.toLowerCase(), dns.zone.toLowerCase()];
  if (name === zone || zone === '.' || name.endsWith(`.${zone}`)) return [];
  return [{ path: ['dns', 'name'], text: `${dns.name} is not in the zone ${dns.zone}: no failover could change it` }];
}
