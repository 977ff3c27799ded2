/**
 * The cluster without containers as a process of its own: whoever plays a game day on it is a client like any other, and can be killed without
 * it. Ends, and takes everything away, when its stdin does. Runs inside a prepared sandbox.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { stringify } from 'yaml';
import { faultKinds, opaqueKinds } from '../../../registry.ts';
import { HarnessError } from '../../errors.ts';
import { NAMESPACE } from '../../local/topology.ts';
import { ContainerlessCluster } from './cluster.ts';
import { orderSchema, type ClusterOrder, type ClusterWord } from './cluster-protocol.ts';

const START_MS = 90_000;

const say = (word: ClusterWord): void => void process.stdout.write(`${JSON.stringify(word)}\n`);

async function main(order: ClusterOrder): Promise<void> {
  const stop = new AbortController();
  const wanted = new Promise<void>((resolve) => {
    const end = (): void => {
      stop.abort(new HarnessError('timeout', 'the cluster is no longer wanted'));
      resolve();
    };
    process.stdin.resume().once('end', end).once('error', end);
    process.on('SIGTERM', end).on('SIGINT', () => undefined); // Ctrl-C is for whoever started it
  });
  mkdirSync(order.folder, { recursive: true });
  const { engineMain, claimableKinds, ...rest } = order;
  const cluster = await ContainerlessCluster.start(
    {
      ...rest,
      ...(engineMain === undefined ? {} : { engineMain }),
      kinds: [...faultKinds, ...opaqueKinds.filter(({ kind }) => claimableKinds?.includes(kind) === true)],
      nowMs: () => performance.now(),
      note: (message) => say({ type: 'note', message }),
    },
    AbortSignal.any([stop.signal, AbortSignal.timeout(START_MS)]),
  );
  const systemFile = path.join(order.folder, 'system.yaml');
  writeFileSync(systemFile, stringify(describe(cluster, order)));
  say({
    type: 'ready',
    systemFile,
    kubeconfig: cluster.kubeconfig,
    apiServerPid: cluster.controlPlane.apiServerPid ?? 0,
    tookMs: Math.round(performance.now()),
  });
  await wanted;
  await cluster.close();
}

function describe(cluster: ContainerlessCluster, { folder, controllersPerRegion }: ClusterOrder): object {
  return {
    kubeconfig: cluster.kubeconfig,
    regions: Object.fromEntries(cluster.topology.regions.map((region) => [region, { context: region }])),
    namespaces: [NAMESPACE],
    lab: { folder, controllersPerRegion },
  };
}

try {
  await main(orderSchema.parse(JSON.parse(process.argv[2] ?? '{}')));
} catch (error) {
  const code = error instanceof HarnessError ? error.code : 'internal';
  say({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
process.exit();
