import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeAnswer } from './kube-client.ts';

const AGAIN_MS = 100;
/** A server that has just started forbids everything until it has read its roles, and knows no kinds but its own until it has read the others. */
export const FORBIDDEN_FOR_MS = 5000;

/**
 * An API server that is away comes back, and refuses until it is ready: asks until it gives an answer that says something about what was asked,
 * or the signal aborts. Then what it said last is answered or thrown.
 */
export async function untilServed<T>(ask: () => Promise<KubeAnswer<T>>, signal: AbortSignal): Promise<KubeAnswer<T>> {
  let startingSinceMs: number | undefined;
  for (;;) {
    const last = await ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in last) {
      const { status } = last.answer;
      const starting = status === 401 || status === 403 || isOfKind(last.answer);
      if (starting) startingSinceMs ??= performance.now();
      const wait = starting ? performance.now() - (startingSinceMs ?? 0) < FORBIDDEN_FOR_MS : status === 429 || status >= 500;
      if (!wait || signal.aborted) return last.answer;
    } else if (signal.aborted) throw last.error;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

const NOT_FOUND = 404;
const nameIn = ({ body }: KubeAnswer): string | undefined => (body as { details?: { name?: string } } | undefined)?.details?.name;

/** Whether the server says that this very object is not there; that it does not know the kind is another thing, and no reason to think it gone. */
export const isAbsent = (answer: KubeAnswer, name: string): boolean => answer.status === NOT_FOUND && nameIn(answer) === name;

/** 404 for the kind, not for an object of it. */
const isOfKind = (answer: KubeAnswer): boolean => answer.status === NOT_FOUND && nameIn(answer) === undefined;
