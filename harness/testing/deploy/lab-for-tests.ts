import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { systemClock } from '../../platform/clock.ts';
import { LocalPlatform } from '../../platform/local/local.ts';
import { POD_ROOT } from '../../platform/local/services.ts';
import type { BackupLab } from '../../scenario/scenario.ts';

export interface TestLab {
  readonly lab: LocalPlatform;
  /** What a person's shell in a pod, by default the operator's, would run (`gameday lab up`), with its exit code and all that it printed. */
  shell(command: string, limitSeconds: number, pod?: string): Promise<{ readonly code: number | null; readonly output: string }>;
  close(): Promise<void>;
}

/** Backups in a bucket, that somebody orders. */
export const WITH_BUCKET: BackupLab = { store: 'bucket', service: null, bytesPerSecond: null, storeBytes: null };

/** The engine as it is, in a lab. The caller closes it. */
export async function startTestLab(signal: AbortSignal, backup: BackupLab | null = null): Promise<TestLab> {
  const runFolder = mkdtempSync(path.join(tmpdir(), 'gameday-deploy-'));
  const clock = systemClock(process.hrtime.bigint());
  const context = { nowMs: () => clock.nowMs(), record: () => undefined, runFolder, seed: 1 };
  const lab = new LocalPlatform(context, { replication: 'sync', policy: 'lab', backup });
  const close = async (): Promise<void> => {
    await lab.close();
    rmSync(runFolder, { recursive: true, force: true });
  };
  try {
    await lab.start(signal);
  } catch (cause) {
    await close();
    throw cause;
  }
  const env = { ...lab.environment, PATH: `${POD_ROOT}/bin:${lab.environment['PATH']}`, TERM: 'dumb' };
  return {
    lab,
    close,
    shell: async (command, limitSeconds, pod = 'operator') => {
      const [program, ...args] = lab.commandInPod(pod, ['timeout', `${limitSeconds}`, 'bash', '-c', command]);
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      const code = await new Promise<number | null>((done) => child.once('close', done));
      return { code, output };
    },
  };
}
