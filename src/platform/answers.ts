import type { Readable } from 'node:stream';
import { EngineError } from './errors.ts';

export interface AnswersOptions {
  /** A question a line. */
  readonly stream: Readable;
  readonly maxChars: number;
  /** From now on no question is taken; those that were are still answered. */
  readonly stopping: AbortSignal;
  /** The answer, without its line end. A rejection ends all of it. */
  readonly answer: (question: string) => Promise<string>;
}

/** The other side of a `QuestionLink`: answers in the order in which they are ready, those that are ready together in one piece. Throws what `answer` rejects with, or `bad-request` at a line too long. */
export async function* answersTo({ stream, maxChars, stopping, answer }: AnswersOptions): AsyncGenerator<string> {
  let ready = '';
  let underWay = 0;
  let over = stopping.aborted;
  let failed: unknown;
  let wake = (): void => undefined;
  const end = (): void => {
    over = true;
    wake();
  };
  const fail = (error: unknown): void => {
    failed ??= error;
    end();
  };
  const take = (question: string): void => {
    underWay += 1;
    answer(question).then((text) => {
      underWay -= 1;
      ready += `${text}\n`;
      wake();
    }, fail);
  };
  // By events: leaving an async iterator over the stream would cut the answers off.
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    if (over) return;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxChars) fail(new EngineError('bad-request', `a line is longer than ${maxChars} characters`));
    else for (const line of lines) take(line);
  });
  stream.once('end', end).once('close', end).on('error', end);
  stopping.addEventListener('abort', end, { once: true });
  try {
    for (;;) {
      if (failed !== undefined) throw failed;
      if (ready !== '') {
        const answers = ready;
        ready = '';
        yield answers;
      } else if (over && underWay === 0) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stopping.removeEventListener('abort', end);
  }
}
