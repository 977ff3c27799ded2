import { Option } from 'commander';
import type { World } from './commands/world.ts';

/** Who orders something, for the record. */
export function byOption(environment: World['environment']): Option {
  return new Option('--by <name>', 'who orders it, for the record').default(
    environment['USER'] ?? environment['LOGNAME'] ?? 'operator',
    'the user who is logged in',
  );
}
