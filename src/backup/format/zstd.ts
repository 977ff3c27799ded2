import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { viewOf } from './blake3.ts';

/**
 * zstd, frame by frame, in contexts that are used again and into memory of the caller. What Node documents makes a context, a stream and new memory for each frame, which costs a sixth
 * of the time to compress and a third of the time to decompress (reports/benchmarks/backup-profile.md). So this uses what Node's own synchronous calls use beneath them, in the version of Node that it was tried with: what is
 * asked there in another way than it expects (one argument less, for instance) may end the process instead of throwing, so no other version is asked. There, and wherever a context does not do just what is expected, the
 * documented calls decide: a context only ever makes it faster.
 */
interface Insides {
  readonly _handle?: { readonly writeSync?: WriteSync } | null;
  /** Room left in the output, input left. */
  readonly _writeState?: Uint32Array;
  on(event: 'error', listener: () => void): unknown;
  close(): void;
}

type WriteSync = (
  ...given: readonly [flush: number, input: Buffer, inputAt: number, inputBytes: number, output: Buffer, outputAt: number, room: number]
) => void;

interface Context {
  /** What is left of the input, and of the room in `output` from `at` on; null: the context is not to be used again. */
  write(flush: number, input: Buffer, output: Buffer, at: number): { readonly inputLeft: number; readonly roomLeft: number } | null;
  drop(): void;
}

/** Another one: run the tests of this file with it before it is named here. */
const TRIED_NODE = '24.';
/** Node takes no smaller one. */
const LEAST_CHUNK_BYTES = 64;

const compressors = new Map<number, Context>();
let decompressor: Context | null = null;
/** Whether Node's streams have inside what a context needs; assumed of the version that was tried, until one was looked at. */
let areThere = process.versions.node.startsWith(TRIED_NODE);

/** What zstd may need at most for so many bytes, a little more than ZSTD_compressBound: with this much room it writes directly into the target. */
export function zstdBound(plainBytes: number): number {
  return plainBytes + (plainBytes >>> 8) + 256;
}

/** Compresses into `target` from `at` on; returns the length of the frame, or null where it was not made in the room up to the end of `target`. */
export function compressInto(plain: Uint8Array, level: number, target: Buffer, at: number): number | null {
  let context = compressors.get(level) ?? null;
  if (context === null && areThere) {
    context = contextOf(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }));
    if (context !== null) compressors.set(level, context);
  }
  const written = context?.write(constants.ZSTD_e_end, viewOf(plain), target, at) ?? null;
  // With no room left it is not known whether the frame has ended.
  if (written !== null && written.inputLeft === 0 && written.roomLeft > 0) return target.length - at - written.roomLeft;
  context?.drop();
  compressors.delete(level);
  const frame = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } });
  return frame.length <= target.length - at ? frame.copy(target, at) : null;
}

/** Decompresses one frame into just `target`. @throws where it is damaged; the caller compares the length that is returned */
export function decompressInto(frame: Uint8Array, target: Buffer): number {
  if (areThere) decompressor ??= contextOf(createZstdDecompress());
  const written = target.length === 0 ? null : (decompressor?.write(constants.ZSTD_e_continue, viewOf(frame), target, 0) ?? null);
  if (written !== null && written.inputLeft === 0 && written.roomLeft === 0) return target.length;
  decompressor?.drop();
  decompressor = null;
  // In one piece, which has room for one byte more: with none left it would ask for another piece before it knows that it is done.
  const plain = zstdDecompressSync(frame, {
    chunkSize: Math.max(LEAST_CHUNK_BYTES, target.length + 1),
    maxOutputLength: Math.max(1, target.length),
  });
  plain.copy(target);
  return plain.length;
}

function contextOf(stream: unknown): Context | null {
  const insides = stream as Insides;
  let failed = false;
  // What went wrong shows again, with its message, in the documented call.
  insides.on('error', () => (failed = true));
  const state = insides._writeState;
  if (typeof insides._handle?.writeSync !== 'function' || !(state instanceof Uint32Array)) {
    insides.close();
    areThere = false;
    return null;
  }
  return {
    write: (flush, input, output, at) => {
      const handle = insides._handle;
      if (failed || typeof handle?.writeSync !== 'function') return null;
      try {
        handle.writeSync(flush, input, 0, input.length, output, at, output.length - at);
      } catch {
        return null; // such as a place that is outside of the output
      }
      // An error takes the handle away at once, and tells its listeners later.
      return insides._handle === handle ? { inputLeft: state[1]!, roomLeft: state[0]! } : null;
    },
    drop: () => insides.close(),
  };
}

/** How many contexts are kept to be used again: none where this Node does not have what they need. For a test. */
export function zstdContexts(): number {
  return compressors.size + (decompressor === null ? 0 : 1);
}
