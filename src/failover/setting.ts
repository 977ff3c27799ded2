import type { EngineConfig } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import type { SeenStatus, Setting } from './state.ts';

/** Whether a database answered lately. */
export function isFresh(seen: SeenStatus | undefined, nowMs: number, policy: Policy): boolean {
  return seen !== undefined && nowMs - seen.askedAtMs <= policy.suspectAfterMs;
}

/** What the failover machine needs of the configuration. */
export function settingOf(config: EngineConfig, incarnation: string): Setting {
  const others = Object.keys(config.regions).filter(
    (region) => region !== config.primary_region && !config.standby_regions.includes(region),
  );
  const capacity = (region: string): number => config.regions[region]?.capacity ?? 100;
  const neededCapacity = (capacity(config.primary_region) * config.policy.minCapacityPercent) / 100;
  const regions = [config.primary_region, ...config.standby_regions, ...others];
  return {
    policy: config.policy,
    region: config.region,
    incarnation,
    regions,
    primaryRegion: config.primary_region,
    promotable: regions.filter((region) => capacity(region) >= neededCapacity),
    replication: config.replication,
    rpoMs: config.rpo_seconds * 1000,
    vetoProgram: config.hooks?.before_failover !== undefined,
  };
}
