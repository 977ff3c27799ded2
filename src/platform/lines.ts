import type { Readable } from 'node:stream';
import { EngineError } from './errors.ts';

/** The lines of a stream as they arrive, the last one also without its end. Throws `bad-request` at a line of more than `maxChars`. */
export async function* linesOf(stream: Readable, maxChars: number): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > maxChars) throw new EngineError('bad-request', `a line is longer than ${maxChars} characters`);
    for (const part of parts) yield part;
  }
  if (rest !== '') yield rest;
}
