/** Keys that begin with `from` are restored under `to` instead. */
export interface PrefixChange {
  readonly from: string;
  readonly to: string;
}

/** The key as it is restored; null where it does not have the prefix. */
export function rewritten(key: Uint8Array, { from, to }: PrefixChange): Buffer | null {
  const prefix = Buffer.from(from);
  if (key.length < prefix.length || prefix.compare(key, 0, prefix.length) !== 0) return null;
  return Buffer.concat([Buffer.from(to), key.subarray(prefix.length)]);
}

/** The first key after all that have the prefix; null where there is none. */
export function prefixEnd(prefix: Buffer): Buffer | null {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix[length - 1]!;
    if (last < 0xff) return Buffer.concat([prefix.subarray(0, length - 1), Buffer.of(last + 1)]);
  }
  return null;
}
