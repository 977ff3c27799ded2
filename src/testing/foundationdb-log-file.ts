/** Log files as fdbbackup writes them, made by hand. */

export interface TestMutation {
  readonly type: number;
  readonly key: Buffer;
  readonly value: Buffer;
}
/** What one version changed. */
export interface TestGroup {
  readonly version: number;
  readonly mutations: readonly TestMutation[];
}
/** A part of what one version changed, as it is. */
export interface TestPart {
  readonly version: number;
  readonly part: number;
  readonly bytes: Buffer;
}

export function mutationGroup({ mutations }: TestGroup): Buffer {
  const encoded = Buffer.concat(
    mutations.flatMap(({ type, key, value }) => {
      const header = Buffer.alloc(12);
      [type, key.length, value.length].forEach((number, n) => header.writeUInt32LE(number, 4 * n));
      return [header, key, value];
    }),
  );
  const header = Buffer.alloc(12);
  header.writeBigUInt64LE(0x0fdb00b062010001n);
  header.writeUInt32LE(encoded.length, 8);
  return Buffer.concat([header, encoded]);
}

export function logFile(
  groups: readonly (TestGroup | TestPart)[],
  { blockBytes, partBytes = 100_000 }: { readonly blockBytes: number; readonly partBytes?: number },
): Buffer {
  const blocks: Buffer[] = [];
  let block = Buffer.alloc(0);
  const version = Buffer.alloc(4);
  version.writeUInt32LE(2001);
  for (const { version: at, part, bytes } of groups.flatMap((group) => partsOf(group, partBytes))) {
    const key = Buffer.alloc(13);
    key.writeBigUInt64BE(BigInt(at), 1);
    key.writeUInt32BE(part, 9);
    const pair = Buffer.concat([framed(key), framed(bytes)]);
    if (block.length + pair.length > blockBytes) {
      blocks.push(block, Buffer.alloc(blockBytes - block.length, 0xff));
      block = Buffer.alloc(0);
    }
    block = Buffer.concat(block.length === 0 ? [version, pair] : [block, pair]);
  }
  return Buffer.concat([...blocks, block]);
}

function partsOf(group: TestGroup | TestPart, partBytes: number): readonly TestPart[] {
  if ('bytes' in group) return [group];
  const bytes = mutationGroup(group);
  const count = Math.ceil(bytes.length / partBytes);
  // The last first: their order is not promised.
  return Array.from({ length: count }, (_, n) => ({
    version: group.version,
    part: n,
    bytes: bytes.subarray(n * partBytes, (n + 1) * partBytes),
  })).toReversed();
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
