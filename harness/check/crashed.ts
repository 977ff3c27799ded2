/** Where it was thrown. */
const STACK = /^\s+at .+:\d+:\d+\)?$/m;

/** Whether a program that wrote this crashed: it ends with the exit code of one that refuses. */
export function crashed(said: string): boolean {
  return STACK.test(said);
}
