import { parentPort, workerData } from 'node:worker_threads';
import { decodeRun, type RunKeys, type SealedRun } from './run-decoder.ts';

/** A thread that decrypts, decompresses and checks runs. */
export type FromDecoder =
  | { readonly kind: 'files'; readonly number: number; readonly files: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly number: number; readonly code: string; readonly message: string };

const keys = workerData as RunKeys;
const port = parentPort!;

port.on('message', ({ number, run }: { readonly number: number; readonly run: SealedRun }) => {
  let answer: FromDecoder;
  try {
    answer = { kind: 'files', number, files: decodeRun(keys, run) };
  } catch (error) {
    const { code } = error as { code?: unknown };
    answer = { kind: 'refused', number, code: typeof code === 'string' ? code : 'internal', message: (error as Error).message };
  }
  const memory = answer.kind === 'files' ? answer.files.map(({ buffer }) => buffer as ArrayBuffer) : [];
  // Small plaintexts share a pool's memory, which cannot travel; they are copied.
  const own = memory.filter((buffer, n) => answer.kind === 'files' && buffer.byteLength === answer.files[n]!.byteLength);
  port.postMessage(answer, own);
});
