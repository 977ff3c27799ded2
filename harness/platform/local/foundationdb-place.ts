import { z } from 'zod';
import { podsOf, PORTS, type Topology } from './topology.ts';

/**
 * Where FoundationDB's transaction system is. On a new `three_datacenter` cluster that is chance: a scenario that cuts the primary region from one standby would ask another question each time, half of
 * the time that of a service that is cut from its own database. So a lab begins with it in the primary region, as the embedded database does. After that nobody holds it there: a recovery takes it
 * wherever FoundationDB wants it, and it stays there.
 */

const placeShape = z.object({
  cluster: z.object({
    active_primary_dc: z.string().optional(),
    processes: z.record(z.string(), z.object({ class_type: z.string().optional() })).default({}),
  }),
});

/** Of processes that were not given any. */
const NO_CLASS = 'unset';
/** Fits everything but the cluster controller's process, which the transaction system is started beside. */
const UNFIT = 'storage';
const PLACED = { kind: 'placed' } as const;
const WAIT = { kind: 'wait' } as const;

export type Placing =
  /** The transaction system is in the primary region, and no process has a class. */
  | { readonly kind: 'placed' }
  /** It is under way, or the status does not tell. */
  | { readonly kind: 'wait' }
  /** What fdbcli is to do next; may be done again. */
  | { readonly kind: 'ask'; readonly commands: string };

/** What is to be done next so that it is placed. Pure. */
export function nextToPlace(status: unknown, topology: Topology): Placing {
  const decoded = placeShape.safeParse(status);
  const { active_primary_dc: primary, processes } = decoded.data?.cluster ?? {};
  if (primary === undefined || processes === undefined || Object.keys(processes).length === 0) return WAIT;
  // Of two regions the first is primary by its priority, as soon as it is whole.
  if (topology.foundationdb === 'two_regions') return primary === topology.primaryRegion ? PLACED : WAIT;
  const classes = Object.values(processes).map(({ class_type: given }) => given ?? NO_CLASS);
  const others = topology.regions
    .filter((region) => region !== topology.primaryRegion)
    .flatMap((region) => podsOf(topology, 'fdb', region));
  const setAll = (name: string): Placing => ({
    kind: 'ask',
    commands: others.map(({ ipv4 }) => `setclass ${ipv4}:${PORTS.fdb} ${name}`).join('; '),
  });
  if (primary !== topology.primaryRegion) return classes.filter((name) => name === UNFIT).length < others.length ? setAll(UNFIT) : WAIT;
  return classes.some((name) => name !== NO_CLASS) ? setAll('default') : PLACED;
}
