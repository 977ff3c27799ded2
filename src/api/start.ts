import type { LoadedConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import { loadCredentials } from '../platform/tls.ts';
import { openLog } from '../telemetry/log.ts';
import { runApi } from './program.ts';

/** `coditect-dr api`: puts the program together and runs it until the signal aborts. */
export async function startApi({ config, folder }: LoadedConfig, signal: AbortSignal): Promise<void> {
  const log = openLog({ component: 'api', region: config.region, clock: systemClock });
  await runApi({ config, credentials: loadCredentials(config.tls, folder), clock: systemClock, log }, signal);
}
