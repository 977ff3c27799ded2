import { stringify } from 'yaml';
import { OUTSIDE } from '../platform.ts';
import { podOf, type App, type Topology } from './topology.ts';

/** The lab as a system that somebody else started (`gameday run --system`), for whoever is in its operator's pod. Pure. */
export function labAddresses(topology: Topology, credentials: string): string {
  const addressOf = (app: App, region: string): string => podOf(topology, app, region).ipv4;
  const regions = topology.regions.map((region) => [
    region,
    { api: addressOf('api', region), database: addressOf('db', region), controller: addressOf('dr-controller', region) },
  ]);
  const clients = [...topology.regions, OUTSIDE].map((region) => [region, { resolver: addressOf('resolver', region) }]);
  return stringify({
    regions: Object.fromEntries(regions) as unknown,
    authority: addressOf('dns', OUTSIDE),
    clients: Object.fromEntries(clients) as unknown,
    credentials,
  });
}
