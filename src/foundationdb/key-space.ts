import type { Database } from 'foundationdb';

/** Where things are under the configured prefix. */
export interface KeySpace {
  readonly fence: Buffer;
  /** Never has a value: what a look commits to see whether commits are possible. */
  readonly look: Buffer;
  /** What whoever serves a pair of clusters writes to see how far the copy is (copy-now.ts). */
  readonly pulse: Buffer;
  readonly data: Buffer;
  /** What writes replaced while a copy was made (kept.ts). */
  readonly kept: Buffer;
  /** Has a value while a restore fills the key space. */
  readonly restoring: Buffer;
  /** What all of these begin with. */
  readonly all: Buffer;
}

/** A key space, and the cluster that it is in. */
export interface Place {
  readonly db: Database;
  readonly keys: KeySpace;
}

export function keySpaceOf(prefix: string): KeySpace {
  return {
    fence: Buffer.from(`${prefix}fence`),
    look: Buffer.from(`${prefix}look`),
    pulse: Buffer.from(`${prefix}pulse`),
    data: Buffer.from(`${prefix}data/`),
    kept: Buffer.from(`${prefix}kept/`),
    restoring: Buffer.from(`${prefix}restoring`),
    all: Buffer.from(prefix),
  };
}

/** The key after all that begin with a prefix of ours: they end with '/', the next byte is '0'. */
export function afterPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) as number) + 1;
  return end;
}

export function dataKey({ data }: KeySpace, key: string): Buffer {
  return Buffer.concat([data, Buffer.from(key, 'utf8')]);
}

export function keyOfData({ data }: KeySpace, bytes: Buffer): string {
  return bytes.subarray(data.length).toString('utf8');
}
