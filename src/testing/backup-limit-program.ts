import { createCipheriv, randomBytes } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { cutRule } from '../backup/chunking/cut-rule.ts';
import { cutRange, rangeFileWriter } from '../backup/chunking/range-cutter.ts';
import { keyedHash } from '../backup/format/blake3.ts';
import { compressInto } from '../backup/format/zstd.ts';
import { openLmdbReader } from '../database/lmdb-reader.ts';
import { systemClock } from '../platform/clock.ts';

/**
 * What no backup can be faster than: the range files of a database, in memory before the clock starts, through zstd, BLAKE3 and AES-256-GCM in as many threads, with nothing
 * read, framed, stored or checked. `node backup-limit-program.js DATABASE MAX_BYTES THREADS` prints `{bytes, wallMs, cpuMs}`.
 */
interface Part {
  readonly folder: string;
  readonly maxBytes: number;
  readonly threads: number;
  readonly number: number;
}

const SEGMENT_BYTES = 512 * 1024;
const LEVEL = 1;

async function chunksOf({ folder, maxBytes, threads, number }: Part): Promise<readonly Buffer[]> {
  const reader = await openLmdbReader(folder);
  const data = reader.pin();
  const chunks: Buffer[] = [];
  let [bytes, count] = [0, 0];
  const whole = { begin: Buffer.alloc(0), beginExact: true, end: null, endExact: false };
  cutRange(data, cutRule(Buffer.alloc(32)), whole, rangeFileWriter(), (file) => {
    if (count++ % threads === number) chunks.push(Buffer.from(file.bytes));
    bytes += file.bytes.length;
    return bytes < maxBytes;
  });
  data.release();
  void reader.close();
  return chunks;
}

function work(chunks: readonly Buffer[]): void {
  const key = randomBytes(32);
  const segment = Buffer.alloc(8 * SEGMENT_BYTES);
  let used = 0;
  const encrypt = (): void => {
    for (let at = 0; at < used; at += SEGMENT_BYTES) {
      const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12));
      cipher.update(segment.subarray(at, Math.min(used, at + SEGMENT_BYTES)));
      cipher.final();
      cipher.getAuthTag();
    }
    used = 0;
  };
  for (const chunk of chunks) {
    keyedHash(key, chunk);
    used += compressInto(chunk, LEVEL, segment, used) ?? 0;
    if (used >= SEGMENT_BYTES) encrypt();
  }
  encrypt();
}

async function runPart(part: Part): Promise<void> {
  const chunks = await chunksOf(part);
  // Once before the clock starts, so that what is measured is compiled.
  work(chunks.slice(0, 40));
  parentPort!.postMessage(chunks.reduce((sum, { length }) => sum + length, 0));
  parentPort!.once('message', () => {
    work(chunks);
    parentPort!.postMessage('done');
  });
}

async function runAll([folder, maxBytes, threads]: readonly [string, number, number]): Promise<void> {
  const workers = Array.from(
    { length: threads },
    (_, number) => new Worker(import.meta.filename, { workerData: { folder, maxBytes, threads, number } satisfies Part }),
  );
  const answers = async (): Promise<unknown[]> =>
    await Promise.all(
      workers.map(
        async (worker) =>
          await new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
  const bytes = ((await answers()) as number[]).reduce((sum, part) => sum + part, 0);
  const [startMs, cpu] = [systemClock.monotonicMs(), process.cpuUsage()];
  const done = answers();
  for (const worker of workers) worker.postMessage('go');
  await done;
  const { user, system } = process.cpuUsage(cpu);
  process.stdout.write(`${JSON.stringify({ bytes, wallMs: systemClock.monotonicMs() - startMs, cpuMs: (user + system) / 1000 })}\n`);
  await Promise.all(workers.map((worker) => worker.terminate()));
}

if (isMainThread) {
  const [folder = '', maxBytes, threads] = process.argv.slice(2);
  await runAll([folder, Number(maxBytes), Number(threads)]);
} else await runPart(workerData as Part);
