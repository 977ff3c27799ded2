import { resolve } from 'node:path';
import type { Arbiter } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { whenAborted } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { HttpsClient } from '../platform/https-client.ts';
import { startHttpsServer } from '../platform/https-server.ts';
import { makeFolders } from '../platform/make-folder.ts';
import type { Credentials } from '../platform/tls.ts';
import { describeError, type Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { exportTail } from '../replication/divergence.ts';
import { controlRoutes } from './control-routes.ts';
import { lockFolder } from './folder-lock.ts';
import { kvLinkRoute } from './kv-link.ts';
import { kvRoutes, writeLimitMs } from './kv.ts';
import { restoredEnd } from './restored.ts';
import { databaseSamples } from './metrics.ts';
import { DatabaseNode } from './node.ts';
import { readRoutes } from './read-routes.ts';
import { timed } from './timed.ts';
import { keepLogShort } from './trim.ts';

export interface DatabaseProgram {
  readonly config: EngineConfig;
  /** Folder of the configuration file. */
  readonly folder: string;
  readonly credentials: Credentials;
  readonly arbiter: Arbiter;
  readonly openDatabase: (folder: string) => Database;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Runs `coditect-dr database` until the signal aborts, then ends gracefully: no new requests, writes under way get their answer. Rejects with
 * `bad-config` (no data folder, address taken, folder in use) or `database-broken` (the disk failed; the process must end). The caller closes the arbiter.
 */
export async function runDatabase(program: DatabaseProgram, signal: AbortSignal): Promise<void> {
  const { config, credentials, arbiter, clock, log } = program;
  if (config.data === undefined) throw new EngineError('bad-config', 'data.path is needed by the database program');
  const dataFolder = resolve(program.folder, config.data.path);
  makeFolders(dataFolder);
  await using resources = new AsyncDisposableStack();
  const lock = await lockFolder(dataFolder);
  resources.defer(() => lock.release());
  const database = program.openDatabase(resolve(dataFolder, 'db'));
  resources.defer(() => database.close());
  const client = new HttpsClient(credentials);
  resources.defer(() => client.close());

  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const node = new DatabaseNode({
    config,
    database,
    restored: restoredEnd(dataFolder),
    exportTail: (afterIndex) => exportTail(database, afterIndex, dataFolder),
    arbiter,
    client,
    clock,
    log,
    onBroken: (error) => broken.reject(error as Error),
  });
  const metrics = new Metrics(config.region, () => databaseSamples(node, database, clock));
  const kv = kvRoutes({ node, database, policy: config.policy, region: config.region }).map((route) => timed(route, metrics, clock));
  const routes = [
    ...kv,
    kvLinkRoute(kv, signal),
    ...controlRoutes({ node, database, region: config.region }),
    ...readRoutes({ node, database, config, dataFolder, clock, metrics: () => metrics.text() }),
  ];
  const { host, port } = config.listen;
  const server = await startHttpsServer({
    host,
    port,
    credentials,
    routes,
    onError: (error, request) => {
      log.error('request_failed', { ...request, error: describeError(error) }, request.correlationId);
      if (error instanceof EngineError && error.code === 'database-broken') broken.reject(error);
    },
  });
  const state = database.state();
  log.info('started', {
    port: server.port,
    incarnation: node.incarnation,
    last_index: state.log.index,
    last_epoch: state.log.epoch,
    sealed_epoch: state.sealedEpoch,
  });
  const ending = new AbortController();
  const working = Promise.all([node.run(ending.signal), keepLogShort(database, config.policy, clock, ending.signal)]);
  try {
    await Promise.race([whenAborted(signal), broken.promise, working]);
  } finally {
    await server.close(signal.aborted ? writeLimitMs(config.policy) : 0);
    ending.abort(new EngineError('timeout', 'stopping'));
    await working.catch(() => undefined);
    log.info('stopped', {});
  }
}
