import type { ClusterStatus } from './status-json.ts';

export interface Coordinator {
  /** IP:PORT, or HOST:PORT where it was named by host. */
  readonly address: string;
  /** Null: no process with this address is known, so nobody knows where it is. */
  readonly dc: string | null;
  readonly machine: string | null;
  readonly reachable: boolean;
}

/**
 * The coordinators that the status names, each with the place of the process behind its address. Those that were named by host are told by that alone (`getAddressString`, 7.3): their places are those of the processes that
 * coordinate and are at no address that is told, if they are as many; which of them is which is not told. Null where the status does not name any.
 */
export function coordinatorsOf({ client, cluster }: ClusterStatus): readonly Coordinator[] | null {
  const listed = client?.coordinators?.coordinators?.flatMap((one) => withAddress(one));
  if (listed === undefined) return null;
  const processes = Object.values(cluster?.processes ?? {}).flatMap((one) => withAddress(one));
  const places = new Map(processes.map(({ address, locality }) => [address, locality]));
  const others = processes.filter(
    ({ address, roles = [] }) => roles.some((role) => role?.role === 'coordinator') && !listed.some((one) => one.address === address),
  );
  const hosts = listed.filter(({ address }) => isNamedByHost(address));
  if (hosts.length === others.length) for (const [n, { address }] of hosts.entries()) places.set(address, others[n]?.locality);
  return listed.map(({ address, reachable }) => {
    const place = places.get(address);
    return { address, dc: place?.dcid ?? null, machine: place?.machineid ?? place?.zoneid ?? null, reachable: reachable === true };
  });
}

/** Without those whose address is not told. */
function withAddress<T extends { readonly address?: string | undefined }>(
  one: T | null | undefined,
): readonly (T & { readonly address: string })[] {
  return one?.address === undefined ? [] : [{ ...one, address: bareAddress(one.address) }];
}

/**
 * Why these coordinators would not survive the loss of any one data centre; empty when they do. Every change of the cluster, a forced recovery among them, needs a majority of them:
 * a majority in one place means that with that place nobody can do anything any more.
 */
export function placementProblems(coordinators: readonly Coordinator[]): readonly string[] {
  const total = coordinators.length;
  if (total < 3)
    return [
      `${total} coordinator${total === 1 ? '' : 's'}: the loss of one stops the cluster; at least 3, of 3 data centres, are needed (3 in each of 3 is usual)`,
    ];
  const problems: string[] = [];
  const unplaced = coordinators.filter(({ dc }) => dc === null).map(({ address }) => address);
  if (unplaced.length > 0)
    problems.push(`nobody knows in which data centre ${unplaced.join(', ')} ${unplaced.length === 1 ? 'is' : 'are'}`);
  const majority = Math.floor(total / 2) + 1;
  for (const [dc, count] of countBy(coordinators, ({ dc }) => dc)) {
    if (total - count >= majority) continue;
    problems.push(`${count} of ${total} coordinators are in ${dc}: without it ${total - count} are left, and ${majority} must agree`);
  }
  for (const [machine, count] of countBy(coordinators, ({ dc, machine }) =>
    dc === null || machine === null ? null : `${machine} of ${dc}`,
  ))
    if (count > 1) problems.push(`${count} coordinators share machine ${machine}: they are lost together`);
  if (total % 2 === 0) problems.push(`${total} coordinators survive no more losses than ${total - 1} do`);
  return problems;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string | null): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const key of items.map(keyOf)) if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** How many machines may be lost, whichever they are, before no majority is left. */
export function lossesSurvived(coordinators: readonly Coordinator[]): number {
  const majority = Math.floor(coordinators.length / 2) + 1;
  const onMachines = [...countBy(coordinators, ({ dc, machine, address }) => (machine === null ? address : `${dc} ${machine}`)).values()];
  let left = coordinators.length;
  let survived = 0;
  for (const count of onMachines.toSorted((a, b) => b - a)) {
    left -= count;
    if (left < majority) break;
    survived++;
  }
  return survived;
}

export function isNamedByHost(address: string): boolean {
  return !/^(\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\]):\d+$/i.test(address);
}

/** Addresses are told with and without `:tls`, and `(fromHostname)` where they were named. */
export function bareAddress(address: string): string {
  return address.replace(/\(fromHostname\)$/, '').replace(/:tls$/, '');
}
