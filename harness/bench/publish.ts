import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../../../reports/benchmarks');

/** What a figure was measured on; without it nobody can repeat it. */
export function machine(): {
  readonly kernel: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly node: string;
  readonly wall: string;
} {
  const all = cpus();
  return {
    kernel: `${release()} ${arch()}`,
    cpu: all[0]?.model ?? 'unknown',
    cpus: all.length,
    node: process.version,
    wall: new Date().toISOString(),
  };
}

/** The same in a line; runs of two machines are no samples of one thing. */
export function machineInWords({ cpus: count, cpu, kernel, node }: Omit<ReturnType<typeof machine>, 'wall'> = machine()): string {
  return `${count} × ${cpu}, Linux ${kernel}, Node ${node}`;
}

/** Writes reports/benchmarks/<name>.json and .md; answers their path without the ending. `repeat`: what to give ./scripts/bench, where that is not its name. */
export async function publish(name: string, data: object, markdown: string, repeat = name): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  const base = join(FOLDER, name);
  const where = machine();
  await writeFile(`${base}.json`, `${JSON.stringify({ ...data, machine: where }, null, 2)}\n`);
  const made = `${where.wall.slice(0, 10)}, ${machineInWords(where)}`;
  await writeFile(`${base}.md`, `# ${name}\n\n${markdown}\n\n${made}. Repeat: \`./scripts/bench ${repeat}\`. Samples: ${name}.json.\n`);
  return base;
}
