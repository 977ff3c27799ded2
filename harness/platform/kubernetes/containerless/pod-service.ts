import path from 'node:path';
import { HarnessError } from '../../errors.ts';
import { POD_ROOT, type PodFile, type ServiceSpec } from '../../local/services.ts';
import type { KubeClient } from '../kube-client.ts';
import { resourcePath, type KubePod } from '../kube-object.ts';

const CONFIG_MAPS = { apiVersion: 'v1', resource: 'configmaps' };
const SECRETS = { apiVersion: 'v1', resource: 'secrets' };

export interface PodPlan {
  readonly service: ServiceSpec;
  /** On the node, on its disk: outlives the pod. */
  readonly data: string;
}

/**
 * What the node has to start for a pod: its one container's command and environment, and the files of its volumes. Throws HarnessError
 * `unsupported` for a pod that asks for more than this node can give.
 */
export async function planOf(pod: KubePod, client: KubeClient): Promise<PodPlan> {
  const [container, second] = pod.spec.containers;
  const refuse = (what: string): HarnessError => new HarnessError('unsupported', `this node cannot run ${pod.metadata.name}: ${what}`);
  if (container === undefined || second !== undefined) throw refuse('a pod is one container here');
  const [program, ...args] = [...(container.command ?? []), ...(container.args ?? [])];
  if (program === undefined) throw refuse('it has no command, and there are no images here');
  const folderAt = (mountPath: string): string | undefined => {
    const mount = container.volumeMounts?.find((one) => one.mountPath === mountPath && volume(pod, one.name)?.hostPath !== undefined);
    return mount && volume(pod, mount.name)?.hostPath?.path;
  };
  const data = folderAt(`${POD_ROOT}/data`);
  if (data === undefined) throw refuse(`it needs a folder of the node at ${POD_ROOT}/data`);
  const port = container.readinessProbe?.tcpSocket?.port;
  const service: ServiceSpec = {
    command: [program, ...args],
    environment: Object.fromEntries((container.env ?? []).map(({ name, value = '' }) => [name, value])),
    files: await filesOf(pod, client),
    readiness: typeof port === 'number' ? { kind: 'tcp', port } : { kind: 'none' },
    speaksNdjson: true, // so that it is asked to end, and has its grace period
  };
  return { service, data };
}

const volume = (pod: KubePod, name: string) => pod.spec.volumes?.find((one) => one.name === name);

async function filesOf(pod: KubePod, client: KubeClient): Promise<readonly PodFile[]> {
  const namespace = pod.metadata.namespace ?? 'default';
  const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  const files = await Promise.all(
    sources.map(async ({ configMap, secret }): Promise<readonly PodFile[]> => {
      const from = configMap ?? secret;
      if (from === undefined) return [];
      const resource = configMap === undefined ? SECRETS : CONFIG_MAPS;
      const { data = {} } = await client.must<{ data?: Readonly<Record<string, string>> }>(
        'GET',
        resourcePath(resource, namespace, from.name),
      );
      return (from.items ?? []).map(({ key, path: file, mode = 0o644 }) => {
        const text = data[key];
        if (text === undefined) throw new HarnessError('unsupported', `${resource.resource} ${from.name} has no key ${key}`);
        if (path.normalize(file).startsWith('..') || path.isAbsolute(file))
          throw new HarnessError('unsupported', `${file} leaves the pod's folder`);
        const decoded = secret === undefined ? text : Buffer.from(text, 'base64').toString('utf8');
        return { path: file, text: decoded, secret: secret !== undefined, executable: (mode & 0o100) !== 0 && secret === undefined };
      });
    }),
  );
  return files.flat();
}
