import type { Database } from 'foundationdb';
import type { Arbiter } from '../arbiter/arbiter.ts';
import type { EngineConfig } from '../config/config.ts';
import type { FoundationdbConfig } from '../config/foundationdb-config.ts';
import { whenAborted } from '../platform/abort.ts';
import type { Clock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { startHttpsServer } from '../platform/https-server.ts';
import type { Credentials } from '../platform/tls.ts';
import { writeLimitMs } from '../server/kv.ts';
import { kvLinkRoute } from '../server/kv-link.ts';
import { timed } from '../server/timed.ts';
import { describeError, type Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { clientSettings, fdbcliFor, openCluster } from './client.ts';
import { ClusterMonitor } from './cluster-monitor.ts';
import { Gateway } from './gateway.ts';
import { keySpaceOf, type KeySpace } from './key-space.ts';
import { gatewaySamples } from './metrics.ts';
import { pairHomeOf, type OtherCluster } from './pair-home.ts';
import { needPairPrograms } from './pair-programs.ts';
import { PairWatch } from './pair-watch.ts';
import { gatewayRoutes } from './routes.ts';

/** Often enough to see a region come back, seldom enough to cost the cluster nothing: a status takes it about 20 ms of CPU. */
const STATUS_PERIOD_MS = 1000;

export interface GatewayProgram {
  readonly config: EngineConfig;
  readonly foundationdb: FoundationdbConfig;
  /** Folder of the configuration file. */
  readonly folder: string;
  readonly credentials: Credentials;
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Runs `coditect-dr database` on a FoundationDB cluster until the signal aborts; writes under way get their answer. Rejects with `bad-config` (no client library, no cluster file, no program to move its pair with,
 * address taken). The caller closes the arbiter. A process of its own: FoundationDB's client has one network thread per process.
 */
export async function runGateway(program: GatewayProgram, signal: AbortSignal): Promise<void> {
  needPairPrograms(program.foundationdb);
  const dataCenter = program.foundationdb.data_centers[program.config.region];
  const settings = clientSettings(program.foundationdb, program.folder);
  const db = openCluster({ ...settings, ...(dataCenter === undefined ? {} : { dataCenter }) });
  const other = openOther(program);
  try {
    await serveGateway(program, db, signal, other);
  } finally {
    other?.db.close();
    db.close();
  }
}

function openOther({ foundationdb, folder }: GatewayProgram): OtherCluster | null {
  const { pair = {}, cluster_file: own } = foundationdb;
  const [name, file] = Object.entries(pair).find(([, found]) => found !== own) ?? [];
  if (name === undefined || file === undefined) return null;
  return { name, db: openCluster(clientSettings({ ...foundationdb, cluster_file: file }, folder), `database.pair.${name}`) };
}

/** As runGateway, on clusters that are open. */
export async function serveGateway(
  program: GatewayProgram,
  db: Database,
  signal: AbortSignal,
  other: OtherCluster | null = null,
): Promise<void> {
  const { config, foundationdb, folder, credentials, arbiter, clock, log } = program;
  const keys = keySpaceOf(foundationdb.prefix);
  const dataCenters = ownDataCenters(program);
  const home = pairHomeOf(config, foundationdb, folder, other);
  const gateway = new Gateway({ db, keys, config, arbiter, clock, log, home });
  const asker = { cluster: config.backup?.cluster.id ?? null, fdbcli: fdbcliFor(clientSettings(foundationdb, folder)) };
  const monitor = new ClusterMonitor({ db, clock, log, dataCenters, periodMs: STATUS_PERIOD_MS, asker });
  const pair = other === null ? null : watchPair(db, other, { gateway, keys, clock, log, hasHome: home !== null });
  const metrics = new Metrics(config.region, () => gatewaySamples(gateway, monitor, pair, dataCenters, clock));
  const routes = gatewayRoutes({
    gateway,
    monitor,
    asker,
    db,
    keys,
    config,
    foundationdb,
    statusPeriodMs: STATUS_PERIOD_MS,
    clock,
    metrics: () => metrics.text(),
    pair: home === null || pair === null ? null : { home, watch: pair },
  }).map((route) => (route.path === '/v1/kv/' ? timed(route, metrics, clock) : route));
  const link = kvLinkRoute(
    routes.filter((route) => route.path === '/v1/kv/'),
    signal,
  );
  const { host, port } = config.listen;
  const onError = (error: unknown, request: { readonly correlationId: string }): void =>
    log.error('request_failed', { ...request, error: describeError(error) }, request.correlationId);
  const server = await startHttpsServer({ host, port, credentials, routes: [...routes, link], onError });
  log.info('started', { port: server.port, incarnation: gateway.incarnation, database: 'foundationdb' });
  const ending = new AbortController();
  const working = Promise.all([gateway.run(ending.signal), monitor.run(ending.signal), pair?.run(ending.signal)]);
  try {
    await Promise.race([whenAborted(signal), working]);
  } finally {
    await server.close(signal.aborted ? writeLimitMs(config.policy) : 0);
    ending.abort(new EngineError('timeout', 'stopping'));
    await working.catch(() => undefined);
    log.info('stopped', {});
  }
}

/** Those that its cluster is to have. */
function ownDataCenters({ config, foundationdb: { data_centers: all, pair_homes: homes } }: GatewayProgram): readonly string[] {
  const there = Object.entries(all).filter(([region]) => homes === undefined || homes[region] === homes[config.region]);
  return there.map(([, dc]) => dc);
}

interface Watched {
  readonly gateway: Gateway;
  readonly keys: KeySpace;
  readonly clock: Clock;
  readonly log: Log;
  /** Regions serve from the other cluster. */
  readonly hasHome: boolean;
}

function watchPair(own: Database, { name, db: other }: OtherCluster, { gateway, keys, clock, log, hasHome }: Watched): PairWatch {
  return new PairWatch({
    own,
    other,
    otherName: name,
    keys,
    clock,
    incarnation: gateway.incarnation,
    isServing: () => gateway.writable,
    fences: () => (hasHome && gateway.writable ? gateway.epoch : null),
    onCopy: (copy) => {
      if (copy === 'runs') log.info('pair_copied', { to: name });
      if (copy === 'begun') log.info('pair_copying', { to: name });
      if (copy === 'none')
        log.warn('pair_not_copied', {
          to: name,
          why: `fdbdr keeps no whole copy in ${name}; where its copy was ended, coditect-dr pair start ${name} --erase=${name} makes it one again, and what is there is lost, acknowledged writes that never came here among it`,
        });
    },
  });
}
