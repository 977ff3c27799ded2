import type { LoadedConfig } from '../config/load.ts';
import { openArbiter, openDns } from '../adapters.ts';
import { systemClock } from '../platform/clock.ts';
import { HttpsClient } from '../platform/https-client.ts';
import { startHttpsServer } from '../platform/https-server.ts';
import { loadCredentials } from '../platform/tls.ts';
import { ControllerMetrics } from '../telemetry/controller-metrics.ts';
import { openLog } from '../telemetry/log.ts';
import { Controller } from './controller.ts';
import { controllerRoutes } from './routes.ts';

/** How long running requests may take to end when the program stops. */
const GRACE_MS = 500;

/** What runs beside a controller for as long as it does, and fails with it. */
export type Beside = (controller: Pick<Controller, 'status'>, signal: AbortSignal) => Promise<void>;

/** The `controller` program: runs until `signal` aborts, then ends cleanly. Throws EngineError where it cannot start. */
export async function startController({ config, folder }: LoadedConfig, signal: AbortSignal, beside?: Beside): Promise<void> {
  const clock = systemClock;
  const log = openLog({ component: 'controller', region: config.region, clock });
  const credentials = loadCredentials(config.tls, folder);
  const adapters = { config, folder, credentials, clock };
  const dns = await openDns(adapters);
  const arbiter = await openArbiter(adapters);
  const client = new HttpsClient(credentials);
  const metrics = new ControllerMetrics();
  const controller = new Controller({ config, clock, log, arbiter, dns, client, metrics });
  const server = await startHttpsServer({
    ...config.listen,
    credentials,
    routes: controllerRoutes(controller, metrics),
    onError: (error, request) => log.error('request_failed', { ...request, error }, request.correlationId),
  });
  log.info('started', { port: server.port });
  const failing = new AbortController();
  const until = AbortSignal.any([signal, failing.signal]);
  const running = controller.run(until);
  try {
    await Promise.all([running, beside?.(controller, until)]);
  } finally {
    // Whichever part failed, the others end with it; a leader hands over before what it needs for that is closed.
    failing.abort();
    await running.catch(() => undefined); // Promise.all rejects with it
    await server.close(GRACE_MS);
    client.close();
    await Promise.all([arbiter.close(), dns.close()]);
    log.info('stopped');
  }
}
