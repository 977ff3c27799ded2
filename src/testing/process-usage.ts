import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ of Linux, whatever the kernel counts in. */
const TICKS_PER_SECOND = 100;

/** CPU seconds that a process has used since its start, its threads included (proc(5), `stat`). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name may hold anything; what follows its bracket is numbers.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The sockets that a process has open, each by the name that it has for its whole life. */
export function socketsOf(pid: number): ReadonlySet<string> {
  const sockets = new Set<string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${name}`);
      if (target.startsWith('socket:')) sockets.add(target);
    } catch {
      // Closed since.
    }
  }
  return sockets;
}
