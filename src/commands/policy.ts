import { PRESETS } from '../config/policy.ts';
import { expectedRecovery, type Expected } from '../failover/expected-recovery.ts';
import { EXIT, type World } from './world.ts';

export interface PolicyOptions {
  readonly preset: 'lab' | 'production';
  readonly ttlSeconds: number;
  readonly json: boolean;
}

const ROWS = {
  suspected: 'suspected',
  decided: 'decided',
  decidedAnew: 'decided, its leader lost as well',
  fenced: 'old lease over',
  nameForgotten: 'name forgotten by resolvers',
  service: 'service (without round trips)',
} as const;

/** Shows a preset's numbers and what they alone make of a lost region. */
export function showPolicy({ preset, ttlSeconds, json }: PolicyOptions, world: World): number {
  const policy = PRESETS[preset];
  const expected = expectedRecovery(policy, ttlSeconds);
  if (json) {
    world.out(`${JSON.stringify({ preset, ttlSeconds, policy, expected })}\n`);
    return EXIT.ok;
  }
  const seconds = (ms: number): string => (ms / 1000).toFixed(1).padStart(6);
  const line = (what: string, { earliestMs, meanMs, latestMs }: Expected): string =>
    `  ${what.padEnd(32)} ${seconds(earliestMs)} ${seconds(meanMs)} ${seconds(latestMs)}\n`;
  world.out(`policy ${preset}, time to live of the name ${ttlSeconds} s\n\n`);
  for (const [name, value] of Object.entries(policy)) world.out(`  ${name.padEnd(30)} ${String(value)}\n`);
  world.out(`\na region is lost: seconds until     earliest   mean  latest\n`);
  for (const [key, what] of Object.entries(ROWS)) world.out(line(what, expected[key as keyof typeof ROWS]));
  return EXIT.ok;
}
