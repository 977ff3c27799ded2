/** Where things are under the configured prefix. */
export interface KeySpace {
  readonly fence: Buffer;
  /** Never has a value: what a look commits to see whether commits are possible. */
  readonly look: Buffer;
  readonly data: Buffer;
}

export function keySpaceOf(prefix: string): KeySpace {
  return { fence: Buffer.from(`${prefix}fence`), look: Buffer.from(`${prefix}look`), data: Buffer.from(`${prefix}data/`) };
}

export function dataKey({ data }: KeySpace, key: string): Buffer {
  return Buffer.concat([data, Buffer.from(key, 'utf8')]);
}

export function keyOfData({ data }: KeySpace, bytes: Buffer): string {
  return bytes.subarray(data.length).toString('utf8');
}
