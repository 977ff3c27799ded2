/**
 * Outside: starts this very program again inside a sandbox that the kernel cleans up. The chain is
 *
 *   launcher → (setpriv → unshare) → tini, PID 1 → runner
 *
 * with new PID, network, mount, UTS and IPC namespaces, and a user namespace where the caller is not root. Each link dies with its parent
 * by PR_SET_PDEATHSIG; tini ends with the runner; and when PID 1 is gone the kernel takes every process, address, rule and mount. The
 * signal is lost when a parent dies before its child asked for it, therefore the runner also holds the read end of a pipe whose write end
 * only the launcher has: end of file means that nobody wants the run any more (lifeline.ts).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { HarnessError } from '../errors.ts';
import { pathWithSbin, run } from '../process.ts';

export const LIFELINE_FD = 3;
/** Of the machine's own /proc: the kernel's threads are not in that of the sandbox. */
export const PROC_FD = 4;
export const INTERRUPT = 'interrupt\n';
const MARK = 'GAMEDAY_SANDBOX';
const PARENT = 'GAMEDAY_PARENT';

const NAMESPACES = ['--net', '--pid', '--mount', '--uts', '--ipc', '--fork', '--kill-child', '--mount-proc'];
const USER_NAMESPACE = ['--user', '--map-root-user'];

/** The chain of commands around `program`, each of which execs or forks the next. Pure. */
export function sandboxCommand(isRoot: boolean, program: readonly string[]): readonly [string, ...string[]] {
  const userNamespace = isRoot ? [] : USER_NAMESPACE;
  return ['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', ...userNamespace, ...NAMESPACES, '--', 'tini', '-s', '--', ...program];
}

/** Whether this process is the runner inside the sandbox: marked so, and really the child of that sandbox's init. */
export function insideSandbox(): boolean {
  return process.env[MARK] === '1' && process.ppid === 1 && readFileSync('/proc/1/comm', 'utf8').trim() === 'tini';
}

/**
 * Runs `node <args>` inside a new sandbox and gives its exit code. Ctrl-C, SIGTERM and SIGHUP are passed on as a wish to stop: the runner
 * heals, closes the lab and says 130 itself. Throws HarnessError `lab-failed` when the sandbox cannot be made or was killed.
 */
export async function enterSandbox(args: readonly string[]): Promise<number> {
  dieWithParent();
  await checkSandbox();
  const [program, ...rest] = sandboxCommand(isRoot(), [process.execPath, ...process.execArgv, ...args]);
  const proc = openSync('/proc', constants.O_RDONLY | constants.O_DIRECTORY);
  let child;
  try {
    child = spawn(program, rest, {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe', proc],
      env: { ...process.env, PATH: pathWithSbin(), [MARK]: '1' },
    });
  } finally {
    closeSync(proc);
  }
  return await outcome(child);
}

/** Inside: where the kernel tells of the whole machine, as the launcher sees it. */
export function machineProc(): string {
  const handed = `/proc/self/fd/${PROC_FD}`;
  return existsSync(`${handed}/stat`) ? handed : '/proc';
}

/** PR_SET_PDEATHSIG comes too late when the parent (npm) was already dead: package.json's script names it, so we can see that. */
function dieWithParent(): void {
  const expected = process.env[PARENT];
  delete process.env[PARENT];
  if (expected !== undefined && Number(expected) !== process.ppid) process.kill(process.pid, 'SIGKILL');
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Tries an empty sandbox; throws HarnessError `unsupported` with the fix when this machine refuses one. */
export async function checkSandbox(): Promise<void> {
  const [program, ...args] = sandboxCommand(isRoot(), ['true']);
  try {
    await run(program, args);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.code === 'missing-tool') throw error;
    throw new HarnessError('unsupported', `this machine does not let us make a sandbox: ${error.message}\n${sandboxFix()}`, error);
  }
}

/** What an administrator can do when namespaces are refused; reads the kernel's switches. */
export function sandboxFix(): string {
  const setting = (file: string): string | undefined => {
    try {
      return readFileSync(`/proc/sys/${file}`, 'utf8').trim();
    } catch {
      return undefined;
    }
  };
  if (isRoot()) return 'In a container, start it with --privileged, or with CAP_SYS_ADMIN, CAP_NET_ADMIN and without a seccomp filter.';
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return 'AppArmor forbids user namespaces (Ubuntu 24.04). As root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0';
  if (setting('kernel/unprivileged_userns_clone') === '0') return 'As root: sysctl -w kernel.unprivileged_userns_clone=1';
  if (setting('user/max_user_namespaces') === '0') return 'As root: sysctl -w user.max_user_namespaces=10000';
  return 'Run it as root, or in a container with --privileged (an unmasked /proc and no seccomp filter on unshare and mount).';
}

function outcome(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const lifeline = child.stdio[LIFELINE_FD] as NodeJS.WritableStream;
    lifeline.on('error', () => undefined); // the runner is gone; 'exit' says it better
    const interrupt = (): void => void lifeline.write(INTERRUPT);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, interrupt);
    const done = (settle: () => void): void => {
      for (const signal of signals) process.off(signal, interrupt);
      settle();
    };
    child.once('error', (error) =>
      done(() => reject(new HarnessError('missing-tool', 'setpriv does not start; install util-linux', error))),
    );
    child.once('exit', (code, signal) =>
      done(() => (code === null ? reject(new HarnessError('lab-failed', `the sandbox was killed (${signal})`)) : resolve(code))),
    );
  });
}
