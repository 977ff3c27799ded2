import { readdir, readFile } from 'node:fs/promises';
import process from 'node:process';
import { run } from '../process.ts';
import { namespaces } from './network.ts';

/** Everything in the sandbox that a lab may make and must take away again. */
export interface Inventory {
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  readonly rules: readonly string[];
  readonly mounts: readonly string[];
}

/** What there is now, by name. */
export async function takeInventory(): Promise<Inventory> {
  const [processes, names, links, rules, mounts] = await Promise.all([
    runningProcesses(),
    namespaces(),
    run('ip', ['-o', 'link', 'show']),
    run('nft', ['list', 'tables']),
    readFile('/proc/self/mounts', 'utf8'),
  ]);
  return {
    processes,
    namespaces: names,
    links: [...links.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1] ?? ''),
    rules: rules.split('\n').filter((line) => line !== ''),
    mounts: mounts
      .split('\n')
      .filter((line) => line !== '' && !line.includes(' nsfs ') && !line.startsWith('nsfs '))
      .map((line) => line.split(' ').slice(0, 3).join(' ')),
  };
}

/** What is there in `after` and was not in `before`, in words. Pure. */
export function leftovers(before: Inventory, after: Inventory): readonly string[] {
  const kinds = ['processes', 'namespaces', 'links', 'rules', 'mounts'] as const;
  const words = { processes: 'process', namespaces: 'namespace', links: 'interface', rules: 'nft', mounts: 'mount' } as const;
  return kinds.flatMap((kind) => {
    const known = new Set(before[kind]);
    return after[kind].filter((item) => !known.has(item)).map((item) => `${words[kind]} ${item}`);
  });
}

/** `pid command` of all living processes but this one and the tools that look. */
async function runningProcesses(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const described = await Promise.all(pids.map(describe));
  return described.filter((item) => item !== undefined);
}

async function describe(pid: string): Promise<string | undefined> {
  try {
    const [stat, command] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/cmdline`, 'utf8')]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isTool = Number(fields[1]) === process.pid && /^(ip|nft)\0/.test(command);
    if (fields[0] === 'Z' || isTool || command === '') return undefined;
    return `${pid} ${command.replaceAll('\0', ' ').trim().slice(0, 200)}`;
  } catch {
    return undefined; // it ended while we looked
  }
}
