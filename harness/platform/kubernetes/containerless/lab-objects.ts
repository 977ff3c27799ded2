import type { Credentials } from '../../local/certificates.ts';
import { POD_ROOT, serviceOf, type LabSettings, type PodFile } from '../../local/services.ts';
import { NAMESPACE, podAsSeen, threeRegions, type PodSpec, type Topology } from '../../local/topology.ts';
import { OUTSIDE } from '../../platform.ts';
import type { KubeObject } from '../kube-object.ts';
import { CHAOS_API } from './crds.ts';

/** There are no images: what stands for the only one is the machine's own file system. */
export const LAB_IMAGE = 'coditect-dr.lab/this-machine';

/** A StatefulSet calls its only pod so. */
const podName = (set: string): string => `${set}-0`;
const setName = (pod: PodSpec): string => pod.name.replace(/-0$/, '');

/** The lab's pods under the names that they have in a cluster; everything else about them is as in the local lab. */
export function clusterTopology(controllersPerRegion: 1 | 2): Topology {
  const topology = threeRegions({ controllersPerRegion });
  return { ...topology, pods: topology.pods.map((pod) => ({ ...pod, name: podName(pod.name) })) };
}

/** One node a region, as in a cluster that spans regions, and one for what is outside of them. */
export const nodesOf = (topology: Topology): readonly string[] => [...topology.regions, OUTSIDE];

type KubeDocument = KubeObject & { readonly [field: string]: unknown };

export function namespaceObject(): KubeDocument {
  // Chaos Mesh's own switch for clusters where only marked namespaces may be harmed.
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, annotations: { 'chaos-mesh.org/inject': 'enabled' } } };
}

export function nodeObject(name: string): KubeDocument {
  const labels = { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/region': name };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
}

/** What the system consists of, for each of its pods: a StatefulSet of one, and its configuration and keys. Pure. */
export function podObjects(
  topology: Topology,
  settings: LabSettings,
  places: { readonly credentials: ReadonlyMap<string, Credentials>; readonly dataOf: (pod: PodSpec) => string },
): readonly KubeDocument[] {
  return topology.pods.flatMap((pod) => {
    const service = serviceOf(topology, pod, settings, places.credentials.get(pod.name));
    const name = setName(pod);
    const [secret, plain] = [service.files.filter(isSecret), service.files.filter((file) => !isSecret(file))];
    const port = service.readiness.kind === 'tcp' ? service.readiness.port : service.readiness.kind === 'dns' ? 53 : undefined;
    const container = {
      name: pod.app,
      image: LAB_IMAGE,
      command: service.command,
      env: Object.entries(service.environment).map(([key, value]) => ({ name: key, value })),
      ...(port === undefined ? {} : { readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } }),
      volumeMounts: [
        { name: 'files', mountPath: POD_ROOT },
        { name: 'data', mountPath: `${POD_ROOT}/data` },
      ],
    };
    const volumes = [
      { name: 'data', hostPath: { path: places.dataOf(pod) } },
      { name: 'files', projected: { sources: [source('configMap', name, plain), source('secret', name, secret)] } },
    ];
    return [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(name, pod), data: textsOf(plain) },
      { apiVersion: 'v1', kind: 'Secret', metadata: meta(name, pod), stringData: textsOf(secret) },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: meta(name, pod),
        spec: {
          serviceName: name,
          replicas: 1,
          selector: { matchLabels: { 'app.kubernetes.io/instance': name } },
          template: {
            metadata: { labels: { ...pod.labels, 'app.kubernetes.io/instance': name } },
            // There is one place for each pod, so nobody has to choose one.
            spec: { nodeName: podAsSeen(pod, 'Pending').node, terminationGracePeriodSeconds: 1, containers: [container], volumes },
          },
        },
      },
    ];
  });
}

const isSecret = (file: PodFile): boolean => file.secret === true;
const meta = (name: string, pod: PodSpec): KubeObject['metadata'] => ({ name, namespace: NAMESPACE, labels: pod.labels });
/** A key of a ConfigMap has no slashes; the volume puts each back to its path. */
const keyOf = (file: PodFile): string => file.path.replaceAll('/', '..');
const textsOf = (files: readonly PodFile[]): Readonly<Record<string, string>> =>
  Object.fromEntries(files.map((file) => [keyOf(file), file.text]));

function source(kind: 'configMap' | 'secret', name: string, files: readonly PodFile[]): Readonly<Record<string, unknown>> {
  const modeOf = (file: PodFile): number => (isSecret(file) ? 0o600 : file.executable === true ? 0o755 : 0o644);
  return { [kind]: { name, items: files.map((file) => ({ key: keyOf(file), path: file.path, mode: modeOf(file) })) } };
}

/** What a game day needs, and nothing else: `gameday doctor --platform kubernetes` asks for the same. */
export const GAMEDAY_RULES = [
  { apiGroups: [CHAOS_API.split('/')[0] ?? ''], resources: ['*'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['pods', 'pods/log', 'events'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] },
] as const;

export function gamedayRole(): readonly KubeDocument[] {
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: 'gameday', namespace: NAMESPACE };
  return [
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules: GAMEDAY_RULES },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name: 'gameday' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'gameday' }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata: { name: 'gameday' },
      rules: [{ apiGroups: [''], resources: ['namespaces'], resourceNames: [NAMESPACE], verbs: ['get'] }],
    },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'gameday' },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'gameday' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'gameday' }],
    },
  ];
}
