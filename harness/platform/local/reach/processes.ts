import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import type { PodProcess } from '../../../history/event.ts';

/** PF_EXITING of the kernel's include/linux/sched.h, in field 9 of /proc/PID/stat. A killed process is there for some time before it is a zombie. */
const EXITING = 0x4;

/**
 * Every living process in these pods' network namespaces, from /proc alone: it does not trust the supervisor's own list, and finds a child
 * that outlived its parent. Zombies are dead. Throws when a namespace does not exist.
 */
export async function processesIn(pods: readonly { readonly name: string; readonly netnsPath: string }[]): Promise<readonly PodProcess[]> {
  const inodes = await Promise.all(pods.map(async (pod) => [`net:[${(await stat(pod.netnsPath)).ino}]`, pod.name] as const));
  const podOf = new Map(inodes);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => describe(pid, podOf)));
  return found.filter((one) => one !== undefined);
}

async function describe(pid: string, podOf: ReadonlyMap<string, string>): Promise<PodProcess | undefined> {
  try {
    const pod = podOf.get(await readlink(`/proc/${pid}/ns/net`));
    if (pod === undefined) return undefined;
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // `pid (comm) state …`: comm may hold anything, so count from its last parenthesis; the start time is field 22.
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return {
      pod,
      pid: Number(pid),
      startedTicks: Number(fields[19]),
      command: text.slice(text.indexOf('(') + 1, end),
      state: (Number(fields[6]) & EXITING) === 0 ? (fields[0] ?? '') : 'X',
    };
  } catch {
    return undefined; // it ended while we looked, or is a kernel thread that may not be looked at
  }
}
