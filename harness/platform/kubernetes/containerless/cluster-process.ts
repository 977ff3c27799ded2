import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { abortable } from '../../abortable.ts';
import { HarnessError, type HarnessErrorCode } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { BoundedLog } from '../../local/bounded-log.ts';
import { splitLines } from '../../local/lines.ts';
import { wordSchema, type ClusterOrder, type ClusterWord } from './cluster-protocol.ts';

const PROGRAM = path.resolve(import.meta.dirname, 'cluster-program.js');
const END_MS = 15_000;

export interface ClusterProcess {
  /** What a game day is pointed at. */
  readonly systemFile: string;
  readonly kubeconfig: string;
  readonly apiServerPid: number;
  readonly tookMs: number;
  /** Ends it, and with it the whole cluster; resolves when it is gone. */
  close(): Promise<void>;
}

/** Starts a cluster without containers and resolves when its engine serves. Throws HarnessError with why it does not. */
export async function startCluster(order: ClusterOrder, signal: AbortSignal): Promise<ClusterProcess> {
  mkdirSync(path.join(order.folder, 'cluster'), { recursive: true });
  const log = new BoundedLog(path.join(order.folder, 'cluster', 'cluster.log'));
  const child = spawn(process.execPath, ['--enable-source-maps', PROGRAM, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('error', () => resolve()).once('exit', () => resolve()));
  child.stdin.on('error', () => undefined); // its end says it better
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.write(text));
  const started = Promise.withResolvers<Extract<ClusterWord, { type: 'ready' }>>();
  const onLine = (line: string): void => {
    log.write(`${line}\n`);
    const word = wordSchema.safeParse(parseJson(line)).data;
    if (word?.type === 'ready') started.resolve(word);
    if (word?.type === 'failed')
      started.reject(new HarnessError(word.code as HarnessErrorCode, `the cluster did not start: ${word.message}`));
  };
  child.stdout.setEncoding('utf8').on('data', splitLines(onLine));
  void exited.then(() => started.reject(new HarnessError('lab-failed', `the cluster's process ended; see ${order.folder}/cluster`)));
  const close = async (): Promise<void> => {
    child.stdin.end();
    const limit = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await exited;
    clearTimeout(limit);
    await log.close();
  };
  try {
    const { type: _, ...ready } = await abortable(started.promise, signal);
    return { ...ready, close };
  } catch (error) {
    await close();
    throw error;
  }
}
