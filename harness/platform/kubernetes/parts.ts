import { HarnessError } from '../errors.ts';
import { KubeClient } from './kube-client.ts';
import type { KubePod } from './kube-object.ts';
import type { SystemFile } from './system-file.ts';

/** One cluster that the system lies in, and one namespace of it. */
export interface Part {
  readonly client: KubeClient;
  readonly region: string;
  readonly namespace: string;
  /** As last seen. */
  pods: readonly KubePod[];
}

/** What the system's file allows. Contexts of one cluster are one: it has each pod once. Asks no server; throws HarnessError `bad-input`. */
export async function openParts(system: SystemFile): Promise<readonly Part[]> {
  const clients = new Map<string, { client: KubeClient; region: string }>();
  for (const [region, { context }] of Object.entries(system.regions)) {
    const client = await KubeClient.open(system.kubeconfig, context).catch((error: unknown) => {
      if (!(error instanceof HarnessError)) throw error;
      throw new HarnessError(error.code, `${system.file}: kubeconfig, regions.${region}.context: ${error.message}`, error);
    });
    if (!clients.has(client.server)) clients.set(client.server, { client, region });
  }
  return [...clients.values()].flatMap((one) => system.namespaces.map((namespace) => ({ ...one, namespace, pods: [] })));
}
