import path from 'node:path';
import { addressOf, DNS_PORT, ENGINE_PORTS, SERVICE_NAME } from '../engine/endpoints.ts';
import type { OwnService, Platform, RunContext } from '../platform/platform.ts';
import type { MeasuredService } from './protocol.ts';

type Where = Pick<Platform, 'pods' | 'ownService'>;

/** A client that measures, where it runs, and whom it asks. */
export interface MeasuringClient {
  readonly vantage: string;
  readonly pod: string;
  readonly service: MeasuredService;
}

/** Names of the vantages: of the engine one client in each region and one outside. */
export function vantagesOf(platform: Where): readonly string[] {
  if (platform.ownService !== undefined) return Object.keys(platform.ownService.clients);
  return platform
    .pods()
    .filter((pod) => pod.labels.app === 'client')
    .map((pod) => pod.region);
}

export function clientsOf(platform: Where, context: Pick<RunContext, 'runFolder'>): readonly MeasuringClient[] {
  const { ownService } = platform;
  if (ownService !== undefined)
    return vantagesOf(platform).map((vantage) => ({
      vantage,
      pod: `client-${vantage}`,
      service: measuredBy(ownService, vantage, context),
    }));
  const pods = platform.pods();
  const clients = pods.filter((pod) => pod.labels.app === 'client');
  return clients.map(({ name, region }) => ({
    vantage: region,
    pod: name,
    service: {
      kind: 'engine',
      resolver: addressOf(pods, 'resolver', region),
      resolverPort: DNS_PORT,
      name: SERVICE_NAME,
      port: ENGINE_PORTS.api,
      tls: { ca: 'tls/ca.crt', cert: 'tls/tls.crt', key: 'tls/tls.key' },
    },
  }));
}

/** As a client of this vantage sees it. Keys are this run's own: what was there before, and what others write, is not met. */
export function measuredBy(
  { clients, ledger, headers, tls }: OwnService,
  vantage: string,
  { runFolder }: Pick<RunContext, 'runFolder'>,
): MeasuredService {
  const run = path.basename(runFolder).replaceAll(/[^A-Za-z0-9-]+/g, '-');
  return { kind: 'templates', url: clients[vantage] ?? '', templates: ledger, keyPrefix: `gameday.${run}.`, headers, tls };
}
