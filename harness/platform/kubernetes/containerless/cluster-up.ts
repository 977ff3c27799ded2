import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { EXIT, HarnessError } from '../../errors.ts';
import type { LabUpOptions } from '../../local/lab-up.ts';
import { onStopWanted, prepareSandbox } from '../../local/lifeline.ts';
import { enterSandbox, insideSandbox } from '../../local/sandbox.ts';
import { pathWithSbin } from '../../process.ts';
import { needBinaries } from './binaries.ts';
import { startCluster } from './cluster-process.ts';

const GAMEDAY = path.resolve(import.meta.dirname, '../../../main.js');

/**
 * `gameday lab up --kubernetes`: starts the cluster without containers and gives a shell beside it, in the network of its nodes. Ends when the
 * shell does, and takes everything away. Returns the exit code; throws HarnessError when it does not start.
 */
export async function clusterUp(options: LabUpOptions): Promise<number> {
  needBinaries();
  if (!insideSandbox()) return await enterSandbox(process.argv.slice(1));
  await prepareSandbox();
  const stop = new AbortController();
  onStopWanted((why) => stop.abort(new HarnessError('timeout', `interrupted (${why})`)));
  const folder = path.resolve(options.reports, `cluster-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  await mkdir(folder, { recursive: true });
  const { replication, policy, engineMain } = options;
  const order = { folder, replication, policy, controllersPerRegion: 1, movableClocks: true } as const;
  const cluster = await startCluster({ ...order, ...(engineMain === undefined ? {} : { engineMain }) }, stop.signal);
  try {
    options.write(help(cluster.systemFile, cluster.tookMs));
    await shell(cluster.systemFile, cluster.kubeconfig, stop.signal);
  } finally {
    await cluster.close();
  }
  return stop.signal.aborted ? EXIT.interrupted : EXIT.pass;
}

const help = (systemFile: string, tookMs: number): string => `up in ${(tookMs / 1000).toFixed(1)} s; this is the network of the nodes. Try:
  kubectl get pods -o wide
  gameday doctor --platform kubernetes --system ${systemFile} --manifest chaos/region-loss.yaml
  gameday run --system ${systemFile} scenarios/region-loss.yaml
  gameday chaos heal --platform kubernetes --system ${systemFile}
leave with exit or Ctrl-D
`;

async function shell(systemFile: string, kubeconfig: string, signal: AbortSignal): Promise<void> {
  const functions = `gameday() { '${process.execPath}' '${GAMEDAY}' "$@"; }; export -f gameday; exec bash --norc --noprofile`;
  const child = spawn('bash', ['-c', functions + (process.stdin.isTTY ? ' -i' : '')], {
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWithSbin(), KUBECONFIG: kubeconfig, GAMEDAY_SYSTEM: systemFile, PS1: 'cluster \\w \\$ ' },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const end = (): void => void child.kill('SIGHUP'); // an interactive bash ignores SIGTERM
  signal.addEventListener('abort', end, { once: true });
  await ended;
  signal.removeEventListener('abort', end);
}
