import { parentPort, workerData } from 'node:worker_threads';
import { decodeRun, type RunKeys, type SealedRun } from './run-decoder.ts';

/** A thread that decrypts, decompresses and checks runs. */
export type FromDecoder =
  | { readonly kind: 'files'; readonly number: number; readonly files: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly number: number; readonly code: string; readonly message: string };

const keys = workerData as RunKeys;
const port = parentPort!;

port.on('message', ({ number, run, wanted }: { readonly number: number; readonly run: SealedRun; readonly wanted: boolean }) => {
  let answer: FromDecoder;
  try {
    const files = decodeRun(keys, run);
    answer = { kind: 'files', number, files: wanted ? files : [] };
  } catch (error) {
    const { code } = error as { code?: unknown };
    answer = { kind: 'refused', number, code: typeof code === 'string' ? code : 'internal', message: (error as Error).message };
  }
  port.postMessage(answer, answer.kind === 'files' ? ownMemory(answer.files) : []);
});

/** What can travel. Small plaintexts share a pool's memory, and those that were stored plain that of their run: they are copied. */
function ownMemory(files: readonly Uint8Array[]): ArrayBuffer[] {
  return files.flatMap(({ buffer, byteLength }) =>
    byteLength > Buffer.poolSize && buffer.byteLength <= byteLength + 1 ? [buffer as ArrayBuffer] : [],
  );
}
