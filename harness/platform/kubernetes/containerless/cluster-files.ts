import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PODS_FOLDER } from '../../local/pod-view.ts';
import type { Topology } from '../../local/topology.ts';

/** On the sandbox's tmpfs. */
export const CONTROL_PLANE_FOLDER = '/run/lab/control-plane';

/**
 * Removes all that outlives a cluster's processes: the API's objects, and what its pods keep on tmpfs and on disk. The next cluster of the same
 * sandbox would run the old pods before its own, with files of both (a certificate of one, a key of the other), and its arbiter would remember.
 */
export async function removeClusterFiles(topology: Topology, dataFolder: string): Promise<void> {
  const folders = [CONTROL_PLANE_FOLDER, dataFolder, ...topology.pods.map(({ name }) => path.join(PODS_FOLDER, name))];
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
}
