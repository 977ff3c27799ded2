import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeAnswer } from './kube-client.ts';

const AGAIN_MS = 100;
const FORBIDDEN_FOR_MS = 5000;

/**
 * A server that has just started forbids everything until it has read its roles, and knows no kinds but its own until it has read the others: only what it goes on refusing it means. Any other
 * answer, or none, ends the row: one that is restarted once more starts once more.
 */
export class Refusals {
  readonly #nowMs: () => number;
  #sinceMs: number | undefined;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Told of every answer, and of there being none; true: it is meant. */
  areMeant(refused: boolean): boolean {
    this.#sinceMs = refused ? (this.#sinceMs ?? this.#nowMs()) : undefined;
    return this.#sinceMs !== undefined && this.#nowMs() - this.#sinceMs >= FORBIDDEN_FOR_MS;
  }
}

/**
 * An API server that is away comes back, and refuses until it is ready: asks until it gives an answer that says something about what was asked,
 * or the signal aborts. Then what it said last is answered or thrown.
 */
export async function untilServed<T>(ask: () => Promise<KubeAnswer<T>>, signal: AbortSignal): Promise<KubeAnswer<T>> {
  const refusals = new Refusals();
  for (;;) {
    const last = await ask().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in last) {
      const { status } = last.answer;
      const refused = status === 401 || status === 403 || isOfKind(last.answer);
      const meant = refusals.areMeant(refused);
      const wait = refused ? !meant : status === 429 || status >= 500;
      if (!wait || signal.aborted) return last.answer;
    } else {
      refusals.areMeant(false);
      if (signal.aborted) throw last.error;
    }
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

const NOT_FOUND = 404;
const nameIn = ({ body }: KubeAnswer): string | undefined => (body as { details?: { name?: string } } | undefined)?.details?.name;

/** Whether the server says that this very object is not there; that it does not know the kind is another thing, and no reason to think it gone. */
export const isAbsent = (answer: KubeAnswer, name: string): boolean => answer.status === NOT_FOUND && nameIn(answer) === name;

/** 404 for the kind, not for an object of it. */
const isOfKind = (answer: KubeAnswer): boolean => answer.status === NOT_FOUND && nameIn(answer) === undefined;
