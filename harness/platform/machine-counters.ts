import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineCounted } from '../history/machine-event.ts';

/** What /proc/stat counts in (USER_HZ), the same on every Linux that Node.js runs on. */
const TICK_MS = 10;
const NETWORK_THREAD = /^ksoftirqd\/\d+\n$/;

/** Reads this machine's counters, now. A counter that the kernel does not have, or hides from a container, is left out. Never rejects. */
export type MachineCounters = () => Promise<MachineCounted | null>;

/** Looks once which threads of the kernel are to be read; `proc` is where the kernel's own numbers are. */
export async function machineCounters(proc = '/proc'): Promise<MachineCounters> {
  const threads = await networkThreads(proc);
  return async () => {
    const [stat, pressure, ...waits] = await Promise.all([
      text(join(proc, 'stat')),
      text(join(proc, 'pressure/cpu')),
      ...threads.map((pid) => text(join(proc, pid, 'schedstat'))),
    ]);
    return parseCounters({ stat, pressure, waits });
  };
}

export interface CounterTexts {
  readonly stat: string | null;
  /** Pressure stall information: https://docs.kernel.org/accounting/psi.html */
  readonly pressure: string | null;
  /** `ran waited slices` of each network thread, in nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html */
  readonly waits: readonly (string | null)[];
}

/** null where not even the processors' time is told. Pure. */
export function parseCounters({ stat, pressure, waits }: CounterTexts): MachineCounted | null {
  const ticks = /^cpu +([\d ]+)$/m
    .exec(stat ?? '')?.[1]
    ?.trim()
    .split(' ')
    .map(Number);
  if (ticks === undefined || ticks.length < 8) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, stolen = 0] = ticks;
  const waited = /^some .*\btotal=(\d+)$/m.exec(pressure ?? '')?.[1];
  const waitsNs = waits.map((line) => /^\d+ (\d+) \d+$/m.exec(line ?? '')?.[1]);
  const seen = waitsNs.length > 0 && waitsNs.every((one) => one !== undefined);
  return {
    kind: 'machine',
    processorsMs: (user + nice + system + idle + iowait + irq + softirq + stolen) * TICK_MS,
    idleMs: (idle + iowait) * TICK_MS,
    stolenMs: stolen * TICK_MS,
    ...(waited === undefined ? {} : { waitedMs: Number(waited) / 1e3 }),
    ...(seen ? { networkWaitsMs: waitsNs.map((ns) => Number(ns) / 1e6) } : {}),
  };
}

async function networkThreads(proc: string): Promise<readonly string[]> {
  const entries = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(entries.map(async (pid) => ({ pid, name: await text(join(proc, pid, 'comm')) })));
  return names.filter(({ name }) => NETWORK_THREAD.test(name ?? '')).map(({ pid }) => pid);
}

async function text(file: string): Promise<string | null> {
  return await readFile(file, 'utf8').catch(() => null);
}
