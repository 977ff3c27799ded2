import type { FoundationdbLayout, LabDatabase } from '../../scenario/scenario.ts';
import { OUTSIDE, type Pod } from '../platform.ts';

/**
 * The lab as a pure value: regions, pods, their addresses (IPv4 10.77.R.H, IPv6 fd77::R:H), labels and names. Nothing here touches the
 * machine; network.ts, services.ts and certificates.ts make it real.
 */
export type App =
  | 'api'
  | 'db'
  | 'dr-controller'
  | 'etcd'
  | 'resolver'
  | 'client'
  | 'dns'
  | 'operator'
  | 'backup'
  | 'store'
  | 'restore'
  | 'fdb'
  | 'dr-agent';

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'] as const;
export const NAMESPACE = 'coditect';
export const ZONE = 'coditect.test';
export const SERVICE_NAME = `api.${ZONE}`;
export const PORTS = {
  api: 8443,
  db: 7443,
  'dr-controller': 9443,
  etcd: 2379,
  etcdPeer: 2380,
  dns: 53,
  store: 4443,
  restored: 7443,
  fdb: 4500,
} as const;
export const PREFIX_LENGTH = { v4: 16, v6: 64 } as const;

export interface PodSpec {
  readonly name: string;
  readonly app: App;
  readonly region: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Name of the pod's network namespace (`/run/netns/<netns>`, in the sandbox only). */
  readonly netns: string;
  /** The bridge's end of the pod's veth: what fault rules match on. */
  readonly bridgePort: string;
  /** Of the pod's eth0. Fixed, so that neighbour entries can be permanent. */
  readonly mac: string;
}

export interface Topology {
  readonly primaryRegion: string;
  readonly regions: readonly string[];
  readonly pods: readonly PodSpec[];
  /** How the lab's FoundationDB replicates, where there is one. In `two_regions` the last region holds logs only, in a `pair` nothing. */
  readonly foundationdb: FoundationdbLayout;
  /** The bridge itself: the runner's own address. Its traffic is never forwarded, so no fault touches it. */
  readonly bridge: { readonly name: string; readonly ipv4: string; readonly ipv6: string; readonly mac: string };
}

const HOSTS_PER_REGION: readonly (readonly [App, number])[] = [
  ['api', 10],
  ['db', 11],
  ['dr-controller', 12],
  ['etcd', 13],
  ['resolver', 14],
  ['client', 20],
];
const HOSTS_OUTSIDE: readonly (readonly [App, number])[] = [
  ['dns', 53],
  ['resolver', 14],
  ['client', 20],
  ['operator', 30],
];
const OUTSIDE_NUMBER = 9;
/** Pods of which a lab has one. */
const ALONE: readonly App[] = ['dns', 'operator', 'store', 'restore'];

const SECOND_CONTROLLER_HOST = 15;
const BACKUP_HOST = 16;
const FDB_HOST = 17;
const SECOND_FDB_HOST = 18;
const DR_AGENT_HOST = 19;
/** The store is in none of the regions, so that it outlives all of them; `restore` is a machine that has nothing but the keys. */
const STORE_HOST = 40;
const RESTORE_HOST = 41;

export interface LabShape {
  readonly controllersPerRegion?: 1 | 2;
  /** Where backups go, if there are any. */
  readonly backupStore?: 'folder' | 'bucket' | null;
  readonly database?: LabDatabase;
  readonly foundationdb?: FoundationdbLayout;
}

/** The lab of ARCHITECTURE §2: three regions of six pods each (one more with two controllers, one more with backups, two more with FoundationDB), and four pods outside. */
export function threeRegions({
  controllersPerRegion = 1,
  backupStore = null,
  database = 'embedded',
  foundationdb = 'three_datacenter',
}: LabShape = {}): Topology {
  const inRegions = REGIONS.flatMap((region, i) => [
    ...HOSTS_PER_REGION.map(([app, host]) => podSpec(app, region, i + 1, host)),
    ...(controllersPerRegion === 1 ? [] : [second(podSpec('dr-controller', region, i + 1, SECOND_CONTROLLER_HOST))]),
    ...(backupStore === null ? [] : [podSpec('backup', region, i + 1, BACKUP_HOST)]),
    ...(database === 'embedded' ? [] : foundationdbPods(foundationdb, region, i)),
  ]);
  const forBackups: typeof HOSTS_OUTSIDE = [
    ...(backupStore === 'bucket' ? [['store', STORE_HOST] as const] : []),
    ...(backupStore === null ? [] : [['restore', RESTORE_HOST] as const]),
  ];
  const outside = [...HOSTS_OUTSIDE, ...forBackups].map(([app, host]) => podSpec(app, OUTSIDE, OUTSIDE_NUMBER, host));
  return {
    primaryRegion: REGIONS[0],
    regions: REGIONS,
    pods: [...inRegions, ...outside],
    foundationdb,
    bridge: { name: 'lab0', ipv4: '10.77.0.1', ipv6: 'fd77::1', mac: mac(0, 1) },
  };
}

/** Of a pair only the first two regions have any, and beside each cluster the agent that copies to it. */
function foundationdbPods(layout: FoundationdbLayout, region: string, index: number): readonly PodSpec[] {
  if (layout === 'pair' && index > 1) return [];
  const servers = [podSpec('fdb', region, index + 1, FDB_HOST), second(podSpec('fdb', region, index + 1, SECOND_FDB_HOST))];
  return layout === 'pair' ? [...servers, podSpec('dr-agent', region, index + 1, DR_AGENT_HOST)] : servers;
}

function podSpec(app: App, region: string, regionNumber: number, host: number): PodSpec {
  const name = ALONE.includes(app) ? app : `${app}-${region}`;
  return {
    name,
    app,
    region,
    labels: { app, region },
    ipv4: `10.77.${regionNumber}.${host}`,
    ipv6: `fd77::${regionNumber}:${host}`,
    netns: name,
    bridgePort: `pod${regionNumber}-${host}`,
    mac: mac(regionNumber, host),
  };
}

/** Another pod of that role in its region. */
function second(pod: PodSpec): PodSpec {
  const name = `${pod.app}-2-${pod.region}`;
  return { ...pod, name, netns: name };
}

function mac(regionNumber: number, host: number): string {
  const byte = (value: number): string => value.toString(16).padStart(2, '0');
  return `02:77:00:00:${byte(regionNumber)}:${byte(host)}`;
}

/** The pod as a selector sees it: one container, a node a region. */
export function podAsSeen({ name, region, labels, app, ipv4, ipv6 }: PodSpec, phase: Pod['phase']): Pod {
  return { name, namespace: NAMESPACE, region, labels, annotations: {}, node: region, phase, containers: [app], addresses: [ipv4, ipv6] };
}

/** The pod of that name; throws RangeError for a name that the topology does not have (a bug of the caller). */
export function podNamed(topology: Topology, name: string): PodSpec {
  const pod = topology.pods.find((candidate) => candidate.name === name);
  if (pod === undefined) throw new RangeError(`no pod ${name} in this lab; it has ${topology.pods.map((p) => p.name).join(', ')}`);
  return pod;
}

/** All pods with this role in this region. */
export function podsOf(topology: Topology, app: App, region: string): readonly PodSpec[] {
  return topology.pods.filter((candidate) => candidate.app === app && candidate.region === region);
}

/** The first pod with this role in this region; throws RangeError when there is none. */
export function podOf(topology: Topology, app: App, region: string): PodSpec {
  const [pod] = podsOf(topology, app, region);
  if (pod === undefined) throw new RangeError(`no ${app} pod in region ${region}`);
  return pod;
}

/** Every pod uses its own region's caching resolver. */
export function resolverOf(topology: Topology, pod: PodSpec): PodSpec {
  return podOf(topology, 'resolver', pod.region);
}
