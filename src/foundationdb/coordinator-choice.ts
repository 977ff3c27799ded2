import { bareAddress, coordinatorsOf } from './coordinators.ts';
import type { ClusterStatus } from './status-json.ts';

/** In each data centre; whichever of them is lost, a majority is left, and one of the others may be lost as well where there are five or nine. */
const SHARES: readonly (readonly number[])[] = [
  [3, 3, 3],
  [2, 2, 1],
  [1, 1, 1],
];

/**
 * Addresses of new coordinators in these three data centres, each on a machine of its own and as far as can be in a zone of its own; those that are coordinators already are kept where they fit. A string says what is missing.
 */
export function chooseCoordinators(status: ClusterStatus, dataCenters: readonly string[]): readonly string[] | string {
  const present = new Set((coordinatorsOf(status) ?? []).map(({ address }) => address));
  const candidates = dataCenters.map((dc) => machinesOf(status, dc, present)).toSorted((a, b) => b.length - a.length);
  const share = SHARES.find((counts) => counts.length === dataCenters.length && counts.every((count, n) => candidates[n]!.length >= count));
  if (share !== undefined) return share.flatMap((count, n) => candidates[n]!.slice(0, count));
  const without = dataCenters.filter((dc) => machinesOf(status, dc, present).length === 0);
  return without.length > 0
    ? `no process of ${without.join(', ')} could be a coordinator: start its servers`
    : `coordinators are chosen for three data centres, not for ${dataCenters.length}`;
}

interface Candidate {
  readonly address: string;
  readonly machine: string;
  readonly zone: string;
}

/** An address of each machine, those in zones that have none yet first. */
function machinesOf({ cluster }: ClusterStatus, dc: string, present: ReadonlySet<string>): readonly string[] {
  const found = Object.values(cluster?.processes ?? {}).flatMap((one): readonly Candidate[] => {
    if (one?.address === undefined || one.excluded === true || one.locality?.dcid !== dc) return [];
    const { zoneid, machineid } = one.locality;
    const machine = machineid ?? zoneid;
    return machine === undefined ? [] : [{ address: one.address, machine, zone: zoneid ?? machine }];
  });
  const rank = ({ address }: Candidate): string => `${present.has(bareAddress(address)) ? 0 : 1}${address}`;
  const ordered = found.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const ofMachines = ordered.filter((one, n) => ordered.findIndex(({ machine }) => machine === one.machine) === n);
  const isFirstOfZone = (one: Candidate, n: number): boolean => ofMachines.findIndex(({ zone }) => zone === one.zone) === n;
  return [...ofMachines.filter(isFirstOfZone), ...ofMachines.filter((one, n) => !isFirstOfZone(one, n))].map(({ address }) => address);
}
