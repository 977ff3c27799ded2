import { NETNS_FOLDER } from './network.ts';

/**
 * The command that runs `command` in a pod's network namespace. Every link execs the next, so the PID of the started process is the
 * program's own, and it dies with the process that started it. Must run inside the sandbox. Pure.
 */
export function inNetns(netns: string, command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=${NETNS_FOLDER}/${netns}`, '--', 'setpriv', '--pdeathsig', 'KILL', '--', ...command];
}
