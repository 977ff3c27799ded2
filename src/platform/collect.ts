import type { Readable } from 'node:stream';
import { EngineError } from './errors.ts';

/** The whole of a stream, or `too-large` beyond the limit (the rest is then not read). Rejects when it breaks off or is not there within `timeoutMs`. */
export function collect(stream: Readable, limitBytes: number, timeoutMs?: number): Promise<Buffer | 'too-large'> {
  // By events: this runs for every request, and an async iterator costs several times as much.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (end: () => void): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onClose);
      clearTimeout(timer);
      end();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limitBytes) settle(() => resolve('too-large'));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    const onClose = (): void => settle(() => reject(new Error('broken off')));
    const onTime = (): void => settle(() => reject(new EngineError('timeout', `the body did not arrive within ${timeoutMs} ms`)));
    const timer = timeoutMs === undefined ? undefined : setTimeout(onTime, timeoutMs);
    stream.on('data', onData).once('end', onEnd).once('close', onClose);
    // Stays: an error after we have settled must not end the process.
    stream.on('error', (error) => settle(() => reject(error)));
  });
}
