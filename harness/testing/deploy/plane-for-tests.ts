import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Binaries } from '../../platform/kubernetes/containerless/binaries.ts';
import { ControlPlane } from '../../platform/kubernetes/containerless/control-plane.ts';
import { KubeClient } from '../../platform/kubernetes/kube-client.ts';

export const REGIONS = ['us-central1', 'us-east1', 'europe-west1'];
/** Whose context the client has. */
export const REGION = 'us-east1';

export interface TestPlane {
  readonly plane: ControlPlane;
  readonly admin: KubeClient;
  /** The control plane's, and for what a test writes besides. */
  readonly folder: string;
  close(): Promise<void>;
}

/** A real API server without nodes, with the context of each region. The caller closes it. */
export async function startTestPlane(
  binaries: Binaries,
  { host = '127.0.0.1', limitMs }: { readonly host?: string; readonly limitMs: number },
): Promise<TestPlane> {
  const folder = mkdtempSync(path.join(tmpdir(), 'deploy-'));
  let plane: ControlPlane | undefined;
  const close = async (): Promise<void> => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const options = { binaries, host, folder, logs: path.join(folder, 'logs'), contexts: REGIONS };
    plane = await ControlPlane.start(options, AbortSignal.timeout(limitMs));
    return { plane, admin: await KubeClient.open(plane.kubeconfigFile('cluster'), REGION), folder, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}
