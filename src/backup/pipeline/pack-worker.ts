import { parentPort, workerData } from 'node:worker_threads';
import type { DataReader, PinnedData } from '../../database/data-reader.ts';
import { cutRule } from '../chunking/cut-rule.ts';
import { cutRange, rangeFileWriter, type CutFile, type Scannable, type Segment } from '../chunking/range-cutter.ts';
import { viewOf } from '../format/blake3.ts';
import { blobId } from '../format/ids.ts';
import { BlobTable } from './blob-table.ts';
import { PackBuilder } from './pack-builder.ts';
import { rowsIn } from './row-block.ts';
import type { CutSegment, FileRef, FromWorker, Job, ToWorker, WorkerSetup } from './worker-messages.ts';

/**
 * A thread that makes packs: reads its part of the snapshot itself, cuts, hashes, compresses, encrypts and checksums while the bytes are warm in its
 * cache, and gives whole packs to the main thread, which stores them. A pack lies in one of a few slabs of shared memory; with none free the worker waits.
 */
const setup = workerData as WorkerSetup;
const port = parentPort!;
const SPIN_LIMIT_MS = 50;

const reader: DataReader | null =
  setup.folder === null ? null : await (await import('../../database/lmdb-reader.ts')).openLmdbReader(setup.folder);
const rule = cutRule(viewOf(setup.chunkKey));
const known = BlobTable.attach(setup.known);
const progress = new BigInt64Array(setup.progress);
const ending = new Int32Array(setup.ending);
const writer = rangeFileWriter();
const builder = new PackBuilder(setup.settings);
const memory = setup.slabs.map((slab) => Buffer.from(slab));
const free = [...memory.keys()];
let waiting: (() => void) | null = null;
let pinned: PinnedData | null = null;
let last: Promise<void> = Promise.resolve();

function say(message: FromWorker): void {
  port.postMessage(message);
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'slab') {
    free.push(message.slab);
    waiting?.();
    return;
  }
  if (message.kind === 'end') {
    waiting?.();
    void last.then(leave);
    return;
  }
  if (message.kind === 'pin') pin(message.arrivals);
  // What a job throws ends the thread, and so the backup.
  else last = last.then(() => runJob(message));
});

/** All threads pin at the same moment; whether they got the same state is seen by who compares the identities. */
function pin(arrivals: number): void {
  const barrier = new Int32Array(setup.barrier);
  Atomics.add(barrier, 0, 1);
  for (const end = performance.now() + SPIN_LIMIT_MS; Atomics.load(barrier, 0) < arrivals && performance.now() < end;);
  pinned?.release();
  pinned = reader!.pin();
  say({ kind: 'pinned', identity: pinned.identity });
}

function isEnding(): boolean {
  return Atomics.load(ending, 0) !== 0;
}

async function leave(): Promise<void> {
  port.close();
  pinned?.release();
  await reader?.close();
}

/** Given up in the middle where all are to end: nobody waits for its result then. */
async function runJob({ segments, rows }: Job): Promise<void> {
  const cut: CutSegment[] = [];
  const data = rows === null ? pinned! : rowsIn(rows);
  for (const segment of segments) {
    const done = await runSegment(data, segment);
    if (done === null) return;
    cut.push(done);
  }
  if (!builder.isEmpty) await sendPack();
  say({ kind: 'done', segments: cut });
}

async function runSegment(data: Scannable, segment: Segment): Promise<CutSegment | null> {
  const files: FileRef[] = [];
  const take = ({ begin, count, bytes }: CutFile): boolean => {
    const id = blobId(setup.settings.idKey, bytes);
    // A copy of its own: a small Buffer is a part of a pool, all of which would travel and stay with it.
    files.push({ begin: new Uint8Array(begin), id, records: count, bytes: bytes.length });
    if (known.find(id) === null) builder.add(id, bytes);
    Atomics.add(progress, 0, BigInt(bytes.length));
    return !builder.isFull && !isEnding();
  };
  let rest: Segment = segment;
  for (;;) {
    const outcome = cutRange(data, rule, rest, writer, take);
    if (builder.isFull) await sendPack();
    if (isEnding()) return null;
    if (outcome.next === null) return { files, end: outcome.end, empty: outcome.empty };
    rest = { ...segment, begin: outcome.next, beginExact: true };
  }
}

async function sendPack(): Promise<void> {
  while (free.length === 0 && !isEnding()) {
    await new Promise<void>((resolve) => (waiting = resolve));
    waiting = null;
  }
  if (isEnding()) return;
  const slab = free.pop()!;
  const { id, name, bytes, crc32c, blobs } = builder.seal(memory[slab]!);
  say({ kind: 'pack', id, name, crc32c, bytes: bytes.length, slab, blobs });
}
