import { setTimeout as sleep } from 'node:timers/promises';
import { jsonObject } from '../local/lines.ts';
import type { KubeClient } from './kube-client.ts';
import { PODS, resourcePath } from './kube-object.ts';

const AGAIN_MS = 200;
/** Where nothing new was there to be read. */
const SELDOM_MS = 1000;

export interface Followed {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * Hands over every line of a container's log that is a JSON object, from its start to its end, once each: an interruption is bridged by
 * reading again and leaving out what was there before. Resolves when `isOver` says that the container is gone, or the signal aborts.
 */
export async function followLog(
  { client, namespace, pod, container }: Followed,
  onLine: (line: Readonly<Record<string, unknown>>) => void,
  isOver: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const path = resourcePath(PODS, namespace, pod, 'log');
  let had = 0;
  let waitMs = AGAIN_MS;
  while (!signal.aborted) {
    let at = 0;
    const before = had;
    const take = (line: string): void => {
      at += 1;
      if (at <= had) return;
      had = at;
      const object = jsonObject(line);
      if (object !== undefined) onLine(object);
    };
    await client.stream(path, { container, follow: true }, take, signal).catch(() => undefined);
    if (isOver()) return;
    waitMs = had > before ? AGAIN_MS : Math.min(2 * waitMs, SELDOM_MS);
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
