import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Clock } from '../../platform/clock.ts';
import { tlsArgs, type Fdbcli } from '../fdbcli.ts';

export interface BackupAgentOptions {
  readonly program: string;
  readonly clusterFile: string;
  readonly tls?: Fdbcli['tls'];
  readonly clock: Clock;
  /** Hears that it has ended by itself; it is started again. */
  readonly onEnd: (what: string) => void;
}

/** With it the agent ends with this process, whatever ends that. One that was left behind would do no harm: it writes into the same folder. */
const SETPRIV = '/usr/bin/setpriv';
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** It notes in the database what it has under way, so that another need not wait for it. */
const GRACE_MS = 3000;

/** Keeps a `backup_agent` running on this machine until it is closed: whoever runs it writes the files, on its own disk. */
export function startBackupAgent({ program, clusterFile, tls, clock, onEnd }: BackupAgentOptions): { close(): Promise<void> } {
  const stop = new AbortController();
  const words = [program, '-C', clusterFile, ...tlsArgs(tls)];
  const [first, ...args] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...words] : words;
  const running = (async (): Promise<void> => {
    for (let pauseMs = FIRST_PAUSE_MS; !stop.signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      const beganMs = clock.monotonicMs();
      const what = await untilEnded(spawn(first!, args, { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '' } }), clock, stop.signal);
      if (stop.signal.aborted) return;
      onEnd(what);
      if (clock.monotonicMs() - beganMs > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
      await clock.sleep(pauseMs, stop.signal).catch(() => undefined);
    }
  })();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
}

async function untilEnded(child: ChildProcess, clock: Clock, signal: AbortSignal): Promise<string> {
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, by) => resolve(code === null ? `ended by ${by}` : `exit code ${code}`));
  });
  const asked = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([ended, asked]);
  if (!signal.aborted) return await ended;
  child.kill('SIGTERM');
  const over = new AbortController();
  await Promise.race([ended, clock.sleep(GRACE_MS, over.signal).catch(() => undefined)]);
  over.abort();
  child.kill('SIGKILL');
  return await ended;
}
