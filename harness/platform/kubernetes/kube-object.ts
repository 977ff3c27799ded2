/** What every object of the API has, as far as we look at it. Fields that we do not name are carried along untouched. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { readonly uid: string; readonly controller?: boolean }[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface KubePod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly KubeContainer[];
    readonly volumes?: readonly KubeVolume[];
    readonly ephemeralContainers?: readonly KubeContainer[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface KubeContainer {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly readinessProbe?: { readonly tcpSocket?: { readonly port: number | string } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}
export interface KubeVolume {
  readonly name: string;
  readonly hostPath?: { readonly path: string };
  readonly projected?: {
    readonly sources: readonly {
      readonly configMap?: { readonly name: string; readonly items?: readonly KeyToPath[] };
      readonly secret?: { readonly name: string; readonly items?: readonly KeyToPath[] };
    }[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly containerID?: string;
  readonly image: string;
  readonly imageID: string;
  readonly state: {
    readonly running?: { readonly startedAt: string };
    readonly waiting?: { readonly reason: string; readonly message?: string };
    readonly terminated?: ContainerEnd;
  };
  readonly lastState?: { readonly terminated?: ContainerEnd };
}
/** What Chaos Mesh has a node run in place of every program of a failed pod: an image that does nothing, by its usual name. Another one counts as a program. */
export const isStandIn = ({ image }: Pick<ContainerStatus, 'image'>): boolean => /(^|\/)pause(:[^/@]+)?(@[^/]+)?$/.test(image);

export interface ContainerEnd {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly containerID?: string;
  readonly finishedAt: string;
}

/** A Chaos Mesh experiment. */
export interface ChaosObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly experiment?: { readonly desiredPhase?: string; readonly containerRecords?: readonly ChaosRecord[] };
  };
}
export interface ChaosRecord {
  /** `namespace/pod`, and `/container` for kinds on containers. */
  readonly id: string;
  readonly selectorKey: string;
  readonly phase: string;
  readonly injectedCount: number;
  readonly recoveredCount: number;
  readonly events?: readonly {
    readonly type: string;
    readonly operation: string;
    readonly message?: string;
    readonly timestamp: string;
  }[];
}

/** Where a resource lives: `/api/v1/…` for the core group, `/apis/GROUP/VERSION/…` for the others. */
export interface ResourceKind {
  readonly apiVersion: string;
  /** The name in paths: lower case, plural. */
  readonly resource: string;
}

export const PODS: ResourceKind = { apiVersion: 'v1', resource: 'pods' };

/** The path of a collection, or of one object of it, or of a part of that. */
export function resourcePath({ apiVersion, resource }: ResourceKind, namespace?: string, name?: string, part?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const parts = [...(namespace === undefined ? [] : ['namespaces', namespace]), resource, name, part];
  return `${root}/${parts
    .filter((one) => one !== undefined)
    .map(encodeURIComponent)
    .join('/')}`;
}

/** Its containers have ended for good: it is in nobody's way, and nothing can be started in it. */
export const isFinished = ({ status }: KubePod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

export function condition(object: { readonly status?: { readonly conditions?: readonly Condition[] } }, type: string): boolean {
  return object.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
}
