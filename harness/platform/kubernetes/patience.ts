import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeAnswer } from './kube-client.ts';

const AGAIN_MS = 100;
/** A server that has just started forbids everything until it has read its roles. */
export const FORBIDDEN_FOR_MS = 5000;

/**
 * An API server that is away comes back, and refuses until it is ready: asks until it gives an answer that says something about what was asked,
 * or the signal aborts. Then what it said last is answered or thrown.
 */
export async function untilServed<T>(ask: () => Promise<KubeAnswer<T>>, signal: AbortSignal): Promise<KubeAnswer<T>> {
  let forbiddenSinceMs: number | undefined;
  for (;;) {
    const last = await ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in last) {
      const { status } = last.answer;
      const forbidden = status === 401 || status === 403;
      if (forbidden) forbiddenSinceMs ??= performance.now();
      const wait = forbidden ? performance.now() - (forbiddenSinceMs ?? 0) < FORBIDDEN_FOR_MS : status === 429 || status >= 500;
      if (!wait || signal.aborted) return last.answer;
    } else if (signal.aborted) throw last.error;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}
