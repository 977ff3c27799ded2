/** Inside: what the runner does first. Mounts of its own, loopback, and the lifeline to the launcher. */
import { lstat, mkdir, readlink, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { run } from '../process.ts';
import { NETNS_FOLDER } from './network.ts';
import { PODS_FOLDER } from './pod-view.ts';
import { INTERRUPT, LIFELINE_FD } from './sandbox.ts';
import { POD_ROOT } from './services.ts';

/** Makes the sandbox's own /run and its loopback. Once per sandbox, before anything else; throws HarnessError `lab-failed`. */
export async function prepareSandbox(): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/run']);
  for (const folder of [PODS_FOLDER, POD_ROOT, NETNS_FOLDER]) await mkdir(folder, { recursive: true });
  await run('mount', ['--bind', NETNS_FOLDER, NETNS_FOLDER]);
  await run('mount', ['--make-shared', NETNS_FOLDER]);
  await run('ip', ['link', 'set', 'lo', 'up']);
  await giveResolvConfATarget();
}

/** On Ubuntu /etc/resolv.conf points into /run, which we have just replaced; a pod needs a file there to bind its own over. */
async function giveResolvConfATarget(): Promise<void> {
  const file = '/etc/resolv.conf';
  const isLink = await lstat(file).then(
    (stat) => stat.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return;
  const target = path.resolve('/etc', await readlink(file));
  if (!target.startsWith('/run/')) return;
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, '', { flag: 'a' });
}

/**
 * Calls `stop` once when somebody wants the run to end: Ctrl-C, SIGTERM, or the launcher's word. When the launcher itself is gone nobody is
 * left to read a result: the runner kills itself and the sandbox goes with it. Call it once; it listens as long as the process lives.
 */
export function onStopWanted(stop: (why: string) => void): void {
  let wanted = false;
  const want = (why: string): void => {
    if (wanted) return;
    wanted = true;
    stop(why);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => want(signal));
  const abandoned = (): void => void process.kill(process.pid, 'SIGKILL');
  const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  lifeline.setEncoding('utf8').on('data', (text: string) => text.includes(INTERRUPT.trim()) && want('interrupt'));
  lifeline.on('error', abandoned).on('end', abandoned);
  lifeline.unref();
}
