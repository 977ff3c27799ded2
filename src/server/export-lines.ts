import type { KeyValue } from '../database/database.ts';

const CHUNK_ROWS = 500;

/** The first line of an export: whose copy it is, and up to where. */
export interface ExportHead {
  readonly region: string;
  readonly epoch: number;
  readonly role: string;
  readonly appliedIndex: number;
}

/** An export as NDJSON, several rows a piece. */
export async function* exportLines(head: ExportHead, rows: AsyncIterable<KeyValue>): AsyncGenerator<string> {
  yield `${JSON.stringify(head)}\n`;
  let chunk: string[] = [];
  for await (const row of rows) {
    chunk.push(`${JSON.stringify(row)}\n`);
    if (chunk.length < CHUNK_ROWS) continue;
    yield chunk.join('');
    chunk = [];
  }
  yield chunk.join('');
}
