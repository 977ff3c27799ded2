import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '../kube-client.ts';
import { PODS, resourcePath, type KubePod } from '../kube-object.ts';

const AGAIN_MS = 200;

/** Nothing runs any more for a Pod that is being deleted: lets its object go. Asks until the API server has answered, or the signal aborts; never rejects. */
export async function release(pod: KubePod, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } };
  while (!signal.aborted) {
    const answer = await client.ask('DELETE', resourcePath(PODS, namespace, name), { body }).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) return;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}
