import { fork } from 'node:child_process';
import { Socket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { HarnessError } from '../../errors.ts';
import type { Family, ReachPod } from './protocol.ts';

export interface PodSocket {
  readonly family: Family;
  readonly port: number;
  readonly socket: Socket;
}

const PROGRAM = fileURLToPath(new URL('./socket-maker.js', import.meta.url));
const TIMEOUT_MS = 10_000;
/** Starting a program costs 40 ms of processor time; more at once than processors only disturbs what else is starting. */
const AT_ONCE = 2;

/** Two UDP sockets in each pod's namespace, made there. The caller owns and closes them. Throws HarnessError `lab-failed` or `timeout`. */
export async function makeAllSockets(pods: readonly ReachPod[]): Promise<ReadonlyMap<string, readonly PodSocket[]>> {
  const made = new Map<string, readonly PodSocket[]>();
  const queue = [...pods];
  const worker = async (): Promise<void> => {
    for (let pod = queue.shift(); pod; pod = queue.shift()) made.set(pod.name, await makeSockets(pod));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return made;
}

function makeSockets(pod: ReachPod): Promise<readonly PodSocket[]> {
  return new Promise((resolve, reject) => {
    const sockets: PodSocket[] = [];
    // nsenter execs the program, so the channel that fork() made is the program's own.
    const child = fork(PROGRAM, [], {
      execPath: 'nsenter',
      execArgv: [`--net=${pod.netnsPath}`, '--', 'setpriv', '--pdeathsig', 'KILL', '--', process.execPath],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-2000)));
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.on('message', (message: { readonly family: Family; readonly port: number }, handle) => {
      if (handle instanceof Socket) sockets.push({ ...message, socket: handle });
    });
    child.on('error', (error) => reject(new HarnessError('missing-tool', 'nsenter does not start; install util-linux', error)));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (sockets.length === 2) return resolve(sockets);
      for (const { socket } of sockets) socket.close();
      reject(new HarnessError('lab-failed', `no probe sockets in ${pod.name} (${signal ?? code}): ${stderr.trim()}`));
    });
  });
}
