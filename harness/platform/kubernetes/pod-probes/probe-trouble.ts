import type { Followed } from '../log-follower.ts';
import { PODS, resourcePath, type ContainerStatus, type KubePod } from '../kube-object.ts';

const LAST_LINES = 3;
/** What a node says of a container that it is about to start. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** Why a probe does not run, as its node has it; undefined: it may yet. late: it is waited for no longer. */
export async function troubleOf({ client, namespace, pod, container }: Followed, late: boolean): Promise<string | undefined> {
  const path = resourcePath(PODS, namespace, pod);
  const answer = await client.ask<KubePod>('GET', path).catch(() => undefined);
  const status =
    answer?.status === 200 ? answer.body.status?.ephemeralContainerStatuses?.find(({ name }) => name === container) : undefined;
  const said = stateTrouble(status);
  if (status?.state.terminated !== undefined || (late && status?.state.running !== undefined)) {
    const log = await client
      .ask<unknown>('GET', `${path}/log`, { query: { container, tailLines: LAST_LINES } })
      .catch((error: unknown) => ({ status: 0, body: String(error) }));
    const words = typeof log.body === 'string' ? log.body.trim().split('\n').slice(-LAST_LINES).join(' ') : JSON.stringify(log.body);
    return `${said ?? 'it runs, and tells nothing that could be read'} (its log: ${log.status === 200 ? words : `${log.status} ${words}`})`;
  }
  if (said !== undefined || !late) return said;
  return answer?.status === 404
    ? 'the pod is gone'
    : `it was not started in time: ${JSON.stringify(status?.state ?? 'its node says nothing of it')}`;
}

/** Pure. */
function stateTrouble(status: ContainerStatus | undefined): string | undefined {
  const { waiting, terminated } = status?.state ?? {};
  if (terminated !== undefined) return `it ended with ${terminated.exitCode} (${terminated.reason ?? 'no reason'})`;
  if (waiting === undefined || waiting.reason === undefined || ON_THE_WAY.has(waiting.reason)) return undefined;
  return [waiting.reason, waiting.message].filter((one) => one !== undefined && one !== '').join(': ');
}
