import { EngineError } from '../../platform/errors.ts';

/** A change as FoundationDB's own backup logs it, at the version of its commit. */
export interface Mutation {
  readonly version: number;
  /** As `MutationRef::Type` has it. */
  readonly type: number;
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface LogFileName {
  /** First version of the file. */
  readonly begin: number;
  /** The first version after it. */
  readonly end: number;
  readonly blockBytes: number;
}

const NAME = /^log,(\d{1,16}),(\d{1,16}),[0-9a-f]{32},(\d{1,9})$/;
/** `BACKUP_AGENT_MLOG_VERSION`. */
const FILE_VERSION = 2001;
const PADDING = 0xff;
/** Hash of the version (1), version (8), part (4). */
const KEY_BYTES = 13;
/** Protocol version (8) and length of what follows (4), in the byte order of the servers. */
const GROUP_HEADER_BYTES = 12;
const MUTATION_HEADER_BYTES = 12;

/** Null: it is no log file, or one that is not complete yet (fdbbackup writes under another name and renames what it has synced). */
export function parseLogFileName(name: string): LogFileName | null {
  const found = NAME.exec(name);
  if (found === null) return null;
  const [begin, end, blockBytes] = found.slice(1).map(Number) as [number, number, number];
  return begin < end && blockBytes > 0 && Number.isSafeInteger(end) ? { begin, end, blockBytes } : null;
}

/**
 * All changes of a log file of `fdbbackup`, in the order in which they were applied. The format is that of design/backup-dataFormat.md: blocks of pairs, each pair a part of what one version
 * changed, in any order of versions. What is not just so is refused: a file is taken as a whole or not at all.
 * @throws EngineError backup-failed
 */
export function decodeLogFile(bytes: Buffer, { begin, end, blockBytes }: LogFileName): readonly Mutation[] {
  const groups = new Map<number, Map<number, Buffer>>();
  for (let at = 0; at < bytes.length; at += blockBytes) {
    for (const [key, value] of pairsOf(bytes.subarray(at, at + blockBytes))) {
      if (key.length !== KEY_BYTES) throw refused(`a key has ${key.length} bytes`);
      const version = Number(key.readBigUInt64BE(1));
      if (version < begin || version >= end) throw refused(`version ${version} is none of its own`);
      const parts = groups.get(version) ?? new Map<number, Buffer>();
      const part = key.readUInt32BE(9);
      if (parts.has(part)) throw refused(`part ${part} of version ${version} is there twice`);
      groups.set(version, parts.set(part, value));
    }
  }
  return [...groups].toSorted(([a], [b]) => a - b).flatMap(([version, parts]) => [...mutationsOf(version, joined(version, parts))]);
}

function* pairsOf(block: Buffer): Generator<readonly [Buffer, Buffer]> {
  if (block.length < 4 || block.readUInt32LE(0) !== FILE_VERSION) throw refused(`a block is not of version ${FILE_VERSION}`);
  let at = 4;
  const framed = (): Buffer => {
    if (at + 4 > block.length) throw refused('a block is cut');
    const from = at + 4;
    at = from + block.readUInt32BE(at);
    if (at > block.length) throw refused('a block is cut');
    return block.subarray(from, at);
  };
  while (at < block.length && block[at] !== PADDING) yield [framed(), framed()];
  if (block.subarray(at).some((byte) => byte !== PADDING)) throw refused('something follows the end of a block');
}

function joined(version: number, parts: ReadonlyMap<number, Buffer>): Buffer {
  return Buffer.concat(
    Array.from(parts, (_, n) => {
      const part = parts.get(n);
      if (part === undefined) throw refused(`part ${n} of version ${version} is missing`);
      return part;
    }),
  );
}

function* mutationsOf(version: number, group: Buffer): Generator<Mutation> {
  if (group.length < GROUP_HEADER_BYTES || group.length !== GROUP_HEADER_BYTES + group.readUInt32LE(8))
    throw refused(`what version ${version} changed is cut`);
  for (let at = GROUP_HEADER_BYTES; at < group.length;) {
    if (at + MUTATION_HEADER_BYTES > group.length) throw refused(`a change of version ${version} is cut`);
    const type = group.readUInt32LE(at);
    const middle = at + MUTATION_HEADER_BYTES + group.readUInt32LE(at + 4);
    const next = middle + group.readUInt32LE(at + 8);
    if (next > group.length) throw refused(`a change of version ${version} is cut`);
    yield { version, type, key: group.subarray(at + MUTATION_HEADER_BYTES, middle), value: group.subarray(middle, next) };
    at = next;
  }
}

function refused(why: string): EngineError {
  return new EngineError('backup-failed', `a log file of fdbbackup is not as it should be: ${why}`);
}
