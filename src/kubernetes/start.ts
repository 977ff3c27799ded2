import type { LoadedConfig } from '../config/load.ts';
import { startController } from '../failover/start.ts';
import { systemClock } from '../platform/clock.ts';
import { EngineError } from '../platform/errors.ts';
import { openLog } from '../telemetry/log.ts';
import { Cluster } from './cluster.ts';
import { LeaseElection } from './lease-election.ts';
import { startProbeServer } from './probe-server.ts';
import { Workloads } from './workloads.ts';

/**
 * `controller --platform kubernetes`: several pods of a region elect one by a Lease of their cluster; that one runs the controller (which the arbiter may make the leader of all
 * regions) and keeps the region's Deployments at the size of its role. On SIGTERM it hands both leaderships over. It needs the API server for nothing else:
 * without it the active one goes on.
 */
export async function startKubernetesController(loaded: LoadedConfig, signal: AbortSignal): Promise<void> {
  const { config } = loaded;
  if (config.kubernetes === undefined)
    throw new EngineError('bad-config', 'controller --platform kubernetes needs the section `kubernetes` (namespace, pod)');
  const clock = systemClock;
  const log = openLog({ component: 'kubernetes', region: config.region, clock });
  const cluster = new Cluster(config.kubernetes);
  const { workloads, probe_port } = config.kubernetes;
  const election: LeaseElection = new LeaseElection({ cluster, config: config.kubernetes, clock, log }, (term) =>
    startController(loaded, term, async (controller, during) => {
      await new Workloads({ cluster, region: config.region, workloads, clock, log, status: () => controller.status() }).run(during);
    }),
  );
  const probes = await startProbeServer(config.listen.host, probe_port);
  try {
    await election.run(signal);
  } finally {
    await probes.close();
  }
}
