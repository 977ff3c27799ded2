import { open, type Database as Store, type RootDatabase } from 'lmdb';

export type Binary = Store<Buffer, Buffer>;

/** Where every LMDB environment of ours keeps what `meta.ts` describes. */
export const META_KEY = Buffer.from('meta');

/**
 * How every environment is opened, whoever opens it: the database, a reader beside it, a restore. LMDB's plain commit is used (pages, fdatasync, then the root page
 * through O_DSYNC; `overlappingSync` off). The map is address space only; the file grows as needed.
 */
const ENVIRONMENT = { noSubdir: false, maxDbs: 8, mapSize: 64 * 2 ** 30, overlappingSync: false } as const;

/**
 * Opens an environment and makes something of it. Where that throws, it is closed again: one that nobody holds would keep the file and its place among LMDB's readers until the process
 * ends, and whoever tries again in the same process would be given what was refused.
 */
export function openEnvironment<T>(
  folder: string,
  options: { readonly readOnly: true } | typeof BINARY,
  make: (root: RootDatabase<Buffer, Buffer>) => T,
): T {
  const root = open({ path: folder, ...ENVIRONMENT, ...options }) as unknown as RootDatabase<Buffer, Buffer>;
  try {
    return make(root);
  } catch (error) {
    void root.close();
    throw error;
  }
}

/** Keys and values as bytes. */
export const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

const FIRST_KEY = Buffer.of(0);

/** Option of a range that begins at `begin`, empty for the first key. Told nothing, the binding leaves out keys below 5: those are its own in another encoding than ours. */
export function rangeFrom(begin: Uint8Array): { readonly start: Buffer } {
  return { start: begin.length === 0 ? FIRST_KEY : Buffer.from(begin) };
}
