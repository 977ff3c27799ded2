import { EngineError } from '../../platform/errors.ts';
import { BoundedReader, varintBytes, writeVarint } from './varint.ts';

/** What is known of a range file without reading it; it ends where the next one begins. */
export interface FileEdge {
  readonly begin: Uint8Array;
  readonly records: number;
  /** Of its plaintext. */
  readonly bytes: number;
}

const MAGIC = Buffer.from('CDRE');
const VERSION = 1;

/** Companion of a list: one edge for each of its blob ids, in the same order. With it a reader finds the files of a key without opening any. */
export function encodeEdges(edges: readonly FileEdge[]): Buffer {
  const size = edges.reduce(
    (sum, { begin, records, bytes }) => sum + varintBytes(begin.length) + begin.length + varintBytes(records) + varintBytes(bytes),
    5 + varintBytes(edges.length),
  );
  const file = Buffer.allocUnsafe(size);
  MAGIC.copy(file);
  file[4] = VERSION;
  let at = writeVarint(file, 5, edges.length);
  for (const { begin, records, bytes } of edges) {
    at = writeVarint(file, at, begin.length);
    file.set(begin, at);
    at = writeVarint(file, writeVarint(file, at + begin.length, records), bytes);
  }
  return file;
}

/** @throws EngineError backup-damaged, or backup-unsupported for a newer version */
export function decodeEdges(bytes: Uint8Array): readonly FileEdge[] {
  const reader = new BoundedReader(bytes, 'edges');
  if (!MAGIC.equals(reader.bytes(4))) throw reader.refuse('these are no edges');
  const version = reader.byte();
  if (version > VERSION)
    throw new EngineError('backup-unsupported', `edges of version ${version}, this program reads ${VERSION}: use a newer one`);
  if (version !== VERSION) throw reader.refuse(`version ${version}`);
  const count = reader.varint();
  const edges: FileEdge[] = [];
  for (let n = 0; n < count; n++) {
    const begin = reader.framed();
    const before = edges.at(-1);
    if (before !== undefined && Buffer.compare(before.begin, begin) >= 0) throw reader.refuse(`edge ${n} is not in key order`);
    edges.push({ begin, records: reader.varint(), bytes: reader.varint() });
  }
  if (reader.remaining > 0) throw reader.refuse(`${reader.remaining} bytes follow them`);
  return edges;
}
