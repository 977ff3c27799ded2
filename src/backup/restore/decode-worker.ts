import { parentPort, workerData } from 'node:worker_threads';
import type { End } from '../../platform/end-thread.ts';
import { decodeRun, type RunKeys, type SealedRun } from './run-decoder.ts';
import { slabOf } from './slab.ts';

/** A thread that decrypts, decompresses and checks runs. */
export type ToDecoder =
  | { readonly kind: 'run'; readonly number: number; readonly run: SealedRun; readonly wanted: boolean }
  /** Files were taken: their memory comes back. */
  | { readonly kind: 'slab'; readonly slab: ArrayBuffer }
  | End;

export type FromDecoder =
  /** The files lie in the slab, but for those that are larger. */
  | { readonly kind: 'files'; readonly number: number; readonly files: readonly Uint8Array[]; readonly slab: ArrayBuffer | null }
  | { readonly kind: 'refused'; readonly number: number; readonly code: string; readonly message: string };

const keys = workerData as RunKeys;
const port = parentPort!;
/** As many as are under way; whoever takes the files gives each back. */
const free: ArrayBuffer[] = [];

port.on('message', (message: ToDecoder) => {
  if (message.kind === 'end') {
    port.close();
    return;
  }
  if (message.kind === 'slab') {
    free.push(message.slab);
    return;
  }
  const { number, run, wanted } = message;
  const { memory, take } = slabOf(free.pop());
  const say = (answer: FromDecoder): void => port.postMessage(answer, answer.kind === 'files' && wanted ? [memory] : []);
  try {
    const files = decodeRun(keys, run, take);
    say({ kind: 'files', number, files: wanted ? files : [], slab: wanted ? memory : null });
    if (!wanted) free.push(memory);
  } catch (error) {
    free.push(memory);
    const { code } = error as { code?: unknown };
    say({ kind: 'refused', number, code: typeof code === 'string' ? code : 'internal', message: (error as Error).message });
  }
});
