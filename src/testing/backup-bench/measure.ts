import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a shell script cost, with every process that it started. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time. */
  readonly cpuMs: number;
  /** The largest sums over all its processes at one moment, looked at every SAMPLE_MS. */
  readonly peak: Memory;
  readonly stdout: string;
}

export interface Memory {
  readonly totalBytes: number;
  /** Memory of its own. */
  readonly anonymousBytes: number;
  /** Pages of mapped files (LMDB maps its database), also of those on tmpfs; the kernel may take them back at any time. */
  readonly mappedBytes: number;
}

const SAMPLE_MS = 25;
const LIMIT_MS = 30 * 60_000;

/** Runs a script of bash and measures it. @throws where it fails, with what it said */
export async function measure(script: string, env: Readonly<Record<string, string>>): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'coditect-bench-'));
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  // The shell's own `time` counts all processes of a pipeline, and what they waited for.
  const timed = `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${script}; } >'${out}' 2>'${err}' </dev/null`;
  const shell = spawn('bash', ['-c', timed], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'], timeout: LIMIT_MS });
  let said = '';
  shell.stderr.on('data', (data: Buffer) => (said += data.toString()));
  let peak: Memory = { totalBytes: 0, anonymousBytes: 0, mappedBytes: 0 };
  const sampler = setInterval(() => (peak = largest(peak, memoryOf(shell.pid ?? 0))), SAMPLE_MS);
  try {
    const [code] = (await once(shell, 'close')) as [number | null];
    if (code !== 0) throw new Error(`ended with ${code}: ${script}\n${readFileSync(err, 'utf8').slice(-2000)}${said}`);
    const [wall, user, system] = said.trim().split('\n').at(-1)!.split(' ').map(Number) as [number, number, number];
    return { wallMs: wall * 1000, cpuMs: (user + system) * 1000, peak, stdout: readFileSync(out, 'utf8') };
  } finally {
    clearInterval(sampler);
    rmSync(folder, { recursive: true, force: true });
  }
}

function largest(a: Memory, b: Memory): Memory {
  return {
    totalBytes: Math.max(a.totalBytes, b.totalBytes),
    anonymousBytes: Math.max(a.anonymousBytes, b.anonymousBytes),
    mappedBytes: Math.max(a.mappedBytes, b.mappedBytes),
  };
}

/** Of a process and all below it; one that has ended meanwhile counts nothing. */
function memoryOf(pid: number): Memory {
  const own = readOrNothing(`/proc/${pid}/status`);
  const field = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(own)?.[1] ?? 0);
  let [anonymousBytes, mappedBytes] = [field('RssAnon'), field('RssFile') + field('RssShmem')];
  for (const child of readOrNothing(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)) {
    const below = memoryOf(Number(child));
    anonymousBytes += below.anonymousBytes;
    mappedBytes += below.mappedBytes;
  }
  return { totalBytes: anonymousBytes + mappedBytes, anonymousBytes, mappedBytes };
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
