import { loadDatabaseOpener, openArbiter } from '../adapters.ts';
import type { LoadedConfig } from '../config/load.ts';
import { systemClock } from '../platform/clock.ts';
import { loadCredentials } from '../platform/tls.ts';
import { openLog } from '../telemetry/log.ts';

/** `coditect-dr database`: puts the program together and runs it until the signal aborts. */
export async function startDatabase({ config, folder }: LoadedConfig, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const credentials = loadCredentials(config.tls, folder);
  const log = openLog({ component: 'database', region: config.region, clock });
  const arbiter = await openArbiter({ config, folder, credentials, clock });
  const common = { config, folder, credentials, arbiter, clock, log };
  const { database } = config;
  try {
    if (database.kind === 'foundationdb')
      await (await import('../foundationdb/program.ts')).runGateway({ ...common, foundationdb: database }, signal);
    else await (await import('./program.ts')).runDatabase({ ...common, openDatabase: await loadDatabaseOpener() }, signal);
  } finally {
    await arbiter.close();
  }
}
