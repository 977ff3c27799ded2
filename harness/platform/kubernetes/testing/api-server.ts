import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** Of this sandbox: the one that runs now; after a death it is another process. */
export function killApiServer(): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name) === 'kube-apiserver');
  if (pids.length !== 1) throw new Error(`${pids.length} API servers run here`);
  process.kill(Number(pids[0]), 'SIGKILL');
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return ''; // ended meanwhile
  }
}
