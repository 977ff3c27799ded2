import type { PodProgram } from '../platform/platform.ts';

/** Waits for the program's end, and ends it where the limit comes first. */
export async function untilExited(program: PodProgram, limit: AbortSignal): Promise<Awaited<PodProgram['exited']>> {
  const kill = (): void => program.kill();
  limit.addEventListener('abort', kill, { once: true });
  if (limit.aborted) kill();
  const exit = await program.exited;
  limit.removeEventListener('abort', kill);
  return exit;
}
