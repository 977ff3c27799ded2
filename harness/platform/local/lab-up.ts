import { spawn } from 'node:child_process';
import { mkdir, appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { systemClock } from '../clock.ts';
import { EXIT, HarnessError } from '../errors.ts';
import type { LabDatabase } from '../../scenario/scenario.ts';
import { needFoundationdb } from '../foundationdb-programs.ts';
import type { RunContext } from '../platform.ts';
import { startLimitMs } from '../start-limit.ts';
import { labAddresses } from './lab-addresses.ts';
import { labMap } from './lab-map.ts';
import { onStopWanted, prepareSandbox } from './lifeline.ts';
import { LocalPlatform } from './local.ts';
import { PODS_FOLDER } from './pod-view.ts';
import { enterSandbox, insideSandbox } from './sandbox.ts';
import { POD_ROOT } from './services.ts';

export interface LabUpOptions {
  readonly replication: 'sync' | 'async';
  readonly policy: 'lab' | 'production';
  readonly database?: LabDatabase;
  /** Folder for what the lab writes; a new folder in it is made for this lab. */
  readonly reports: string;
  /** The engine's program; default is ours. */
  readonly engineMain?: string;
  readonly write: (text: string) => void;
}

/** Its own addresses, for `gameday run --system`. */
const SYSTEM_FILE = 'system.yaml';

/**
 * `gameday lab up`: starts the lab and gives a shell in its operator pod (commands from stdin when that is no terminal). Ends when the shell
 * does, and takes everything away. Call it with the arguments of the process untouched: outside a sandbox it runs this process again inside
 * one. Returns the exit code; throws HarnessError when the lab does not start.
 */
export async function labUp(options: LabUpOptions): Promise<number> {
  const { database = 'embedded' } = options;
  if (database === 'foundationdb') needFoundationdb();
  if (!insideSandbox()) return await enterSandbox(process.argv.slice(1));
  await prepareSandbox();
  const stop = new AbortController();
  onStopWanted((why) => stop.abort(new HarnessError('timeout', `interrupted (${why})`)));
  const runFolder = path.resolve(options.reports, `lab-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`);
  await mkdir(runFolder, { recursive: true });
  const context = recordingTo(runFolder);
  const { replication, policy, engineMain } = options;
  const lab = new LocalPlatform(context, { replication, policy, database, ...(engineMain === undefined ? {} : { engineMain }) });
  try {
    await lab.start(AbortSignal.any([stop.signal, AbortSignal.timeout(startLimitMs(database))]));
    await writeFile(path.join(PODS_FOLDER, 'operator', SYSTEM_FILE), labAddresses(lab.topology, POD_ROOT));
    options.write(
      `${labMap(lab.topology)}\nup in ${(context.nowMs() / 1000).toFixed(1)} s; logs in ${runFolder}; leave with exit or Ctrl-D\n`,
    );
    await shell(lab, stop.signal);
  } finally {
    for (const left of await lab.close()) options.write(`left behind, and gone with the sandbox: ${left}\n`);
  }
  return stop.signal.aborted ? EXIT.interrupted : EXIT.pass;
}

function recordingTo(runFolder: string): RunContext {
  const clock = systemClock(process.hrtime.bigint());
  const file = path.join(runFolder, 'events.ndjson');
  let last = Promise.resolve();
  return {
    nowMs: () => clock.nowMs(),
    record: (event) => {
      const line = `${JSON.stringify({ atMs: clock.nowMs(), wall: clock.wall(), ...event })}\n`;
      last = last.then(() => appendFile(file, line)).catch(() => undefined); // for reading along; the lab goes on without
    },
    runFolder,
    seed: 0,
  };
}

async function shell(lab: LocalPlatform, signal: AbortSignal): Promise<void> {
  const bash = ['bash', '--norc', '--noprofile', ...(process.stdin.isTTY ? ['-i'] : [])];
  const [program, ...args] = lab.commandInPod('operator', bash);
  const environment = {
    ...lab.environment,
    PATH: `${POD_ROOT}/bin:${lab.environment['PATH']}`,
    PS1: 'lab \\w \\$ ',
    GAMEDAY_SYSTEM: path.join(POD_ROOT, SYSTEM_FILE),
    TERM: process.env['TERM'] ?? 'dumb',
  };
  const child = spawn(program, args, { stdio: 'inherit', env: environment });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const end = (): void => void child.kill('SIGHUP'); // an interactive bash ignores SIGTERM
  signal.addEventListener('abort', end, { once: true });
  await ended;
  signal.removeEventListener('abort', end);
}
