import { Readable } from 'node:stream';
import type { DataSnapshot, KeyValue } from '../database/database.ts';
import { EngineError } from '../platform/errors.ts';
import { parseJson, type HttpClient } from '../platform/https-client.ts';
import { linesOf } from '../platform/lines.ts';
import { decodeAppendReply, decodeSnapshotHeader, type AppendReply, type SnapshotHeader } from './wire.ts';

const CHUNK_ROWS = 500;
/** Whatever its size: a day. */
const MAX_TRANSFER_MS = 86_400_000;
/** A row with the longest key and value, every character of it escaped. */
const MAX_LINE_CHARS = 1024 * 1024;

export interface SnapshotSending {
  readonly client: HttpClient;
  readonly url: string;
  readonly copy: DataSnapshot;
  readonly header: Omit<SnapshotHeader, 'end' | 'epochs'>;
  /** The other side must take something within so long, and have installed the copy so long after its last row. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/** Streams a copy of the data to a standby; null when it did not arrive or was not answered. */
export async function sendSnapshot({ client, url, copy, header, stallMs, signal }: SnapshotSending): Promise<AppendReply | null> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new EngineError('timeout', 'the copy does not get on')), stallMs);
  const body = Readable.from(lines(copy, header, () => void timer.refresh()));
  try {
    const either = AbortSignal.any([signal, stalled.signal]);
    const result = await client.call(`${url}/v1/snapshot`, { method: 'POST', body, timeoutMs: MAX_TRANSFER_MS, signal: either });
    return result.kind === 'reply' ? decodeAppendReply(parseJson(result.body)) : null;
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

async function* lines(copy: DataSnapshot, header: SnapshotSending['header'], onProgress: () => void): AsyncGenerator<string> {
  const first: SnapshotHeader = { ...header, end: copy.end, epochs: copy.epochs };
  yield `${JSON.stringify(first)}\n`;
  let rows = 0;
  let chunk: string[] = [];
  for await (const { key, value } of copy.rows) {
    chunk.push(`${JSON.stringify([key, value])}\n`);
    rows++;
    if (chunk.length < CHUNK_ROWS) continue;
    yield chunk.join('');
    onProgress();
    chunk = [];
  }
  yield `${chunk.join('')}${JSON.stringify({ rows })}\n`;
  onProgress();
}

export interface ReceivedSnapshot {
  readonly header: SnapshotHeader;
  /** Throws when the stream ends before its last line or does not hold as many rows as that says. */
  readonly rows: AsyncIterable<KeyValue>;
}

/** Reads the header of a copy that is arriving; null when it is none. */
export async function receiveSnapshot(stream: Readable): Promise<ReceivedSnapshot | null> {
  const reader = linesOf(stream, MAX_LINE_CHARS);
  const first = await reader.next();
  const header = first.done === true ? null : decodeSnapshotHeader(parseJson(first.value));
  return header === null ? null : { header, rows: rowsOf(reader) };
}

async function* rowsOf(reader: AsyncIterator<string>): AsyncGenerator<KeyValue> {
  let rows = 0;
  for (;;) {
    const line = await reader.next();
    if (line.done === true) throw new EngineError('bad-request', 'the snapshot broke off');
    const json = parseJson(line.value);
    if (!Array.isArray(json)) {
      if ((json as { rows?: unknown } | undefined)?.rows !== rows) throw new EngineError('bad-request', 'the snapshot is not complete');
      return;
    }
    const [key, value] = json as readonly unknown[];
    if (typeof key !== 'string' || typeof value !== 'string') throw new EngineError('bad-request', 'a snapshot row is not [key, value]');
    rows++;
    yield { key, value };
  }
}
