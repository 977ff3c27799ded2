import type { Pod } from '../platform.ts';
import type { KubePod } from './kube-object.ts';

/** The pod as a selector sees it. Its region is what its own label says, else the region of the context that it was found in. Pure. */
export function podView({ metadata, spec, status }: KubePod, contextRegion: string): Pod {
  const labels = metadata.labels ?? {};
  const phase = status?.phase;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    region: labels['region'] ?? labels['topology.kubernetes.io/region'] ?? contextRegion,
    labels,
    annotations: metadata.annotations ?? {},
    node: spec.nodeName ?? '',
    phase: phase === 'Running' ? 'Running' : phase === 'Failed' ? 'Failed' : 'Pending',
    containers: spec.containers.map(({ name }) => name),
    addresses: (status?.podIPs ?? []).map(({ ip }) => ip),
  };
}
