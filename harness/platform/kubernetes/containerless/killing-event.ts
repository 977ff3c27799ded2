import type { KubeClient } from '../kube-client.ts';
import { resourcePath, type KubePod } from '../kube-object.ts';

const EVENTS = { apiVersion: 'v1', resource: 'events' };

/** As a kubelet tells when it begins to stop a container: the only word of one whose object is gone already. Asked for once, as events are; never rejects. */
export async function tellKilling({ metadata, spec }: KubePod, client: KubeClient, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return; // the node ends, and everything with it
  const { name, namespace = 'default', uid } = metadata;
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
    reason: 'Killing',
    message: `Stopping container ${spec.containers[0]?.name ?? ''}`,
    type: 'Normal',
    source: { component: 'kubelet', host: spec.nodeName },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
  await client.ask('POST', resourcePath(EVENTS, namespace), { body, signal }).catch(() => undefined);
}
