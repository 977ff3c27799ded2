import { jsonCopy } from './json-copy.ts';

/**
 * An answer's body, as its readers use one: of Buffer, `toString`, and its text only to be parsed. So the text is never made: `JSON.parse`, as it stands in a simulated thread, gives what it would have given. Whoever
 * takes it for text gets an error.
 */
export class AnswerBody {
  readonly value: unknown;

  constructor(json: unknown) {
    this.value = jsonCopy(json);
  }

  toString(): string {
    return this as unknown as string;
  }

  asBuffer(): Buffer {
    return this as unknown as Buffer;
  }
}

/** Lets `JSON.parse` of this thread read such bodies. */
export function installAnswerParser(): void {
  const parse = JSON.parse.bind(JSON);
  JSON.parse = (text: unknown, reviver?: Parameters<typeof JSON.parse>[1]): unknown =>
    text instanceof AnswerBody ? text.value : parse(text as string, reviver);
}
