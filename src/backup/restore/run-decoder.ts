import { EngineError } from '../../platform/errors.ts';
import { openBlob, type Memory } from '../format/blob.ts';
import { CDR1_FLOE, floePlainSegmentBytes } from '../format/floe-core.ts';
import { openFloeReader } from '../format/floe.ts';
import { objectAad, packName } from '../format/object-name.ts';
import { decodeRangeFile } from '../format/records.ts';
import { named } from '../repository/named.ts';
import type { RunFile } from './runs.ts';

/** Bytes of a pack that hold a run's files, as they are stored. */
export interface SealedRun {
  readonly pack: string;
  /** Length of the whole pack. */
  readonly packBytes: number;
  readonly header: Uint8Array;
  /** Whole segments, from `first` on. */
  readonly segments: Uint8Array;
  readonly first: number;
  readonly files: readonly RunFile[];
}

export interface RunKeys {
  readonly repo: string;
  readonly kid: string;
  readonly epoch: bigint;
  readonly packKey: Uint8Array;
  readonly idKey: Uint8Array;
}

/** Decrypted segments of the run that is being decoded. */
let decrypted = Buffer.alloc(0);

/**
 * Decrypts, decompresses and checks the files of a run; returns their plaintexts, which are put into `memory`. @throws EngineError backup-damaged, naming the pack
 */
export function decodeRun({ repo, kid, epoch, packKey, idKey }: RunKeys, run: SealedRun, memory: Memory): readonly Buffer[] {
  const name = packName(run.pack);
  return named(name, () => {
    const floe = openFloeReader(packKey, objectAad({ type: 'pack', name, repo, kid, epoch }), run.header, run.packBytes);
    const from = floe.sealedRange(run.first).begin;
    if (decrypted.length < run.segments.length) decrypted = Buffer.allocUnsafeSlow(run.segments.length);
    let used = 0;
    for (let n = run.first, at = 0; at < run.segments.length; n++) {
      const { begin, end } = floe.sealedRange(n);
      used += floe.decrypt(n, run.segments.subarray(begin - from, end - from)).copy(decrypted, used);
      at = end - from;
    }
    const plain = decrypted.subarray(0, used);
    const plainFrom = run.first * floePlainSegmentBytes(CDR1_FLOE);
    return run.files.map((file) => {
      const begin = file.offset - plainFrom;
      if (begin < 0 || begin + file.storedBytes > plain.length)
        throw new EngineError('backup-damaged', 'a blob is outside of what was read');
      const content = openBlob(plain.subarray(begin, begin + file.storedBytes), idKey, file.id, memory);
      checkRangeFile(content, file);
      return content;
    });
  });
}

/** A range file must be sound, and cover just what its place in the list says: else a file could stand in for another. */
function checkRangeFile(plain: Uint8Array, { begin, end, records }: RunFile): void {
  const { range, count } = decodeRangeFile(plain);
  const sameEnd = end === null || range.end === null ? end === range.end : Buffer.compare(end, range.end) === 0;
  if (Buffer.compare(range.begin, begin) !== 0 || !sameEnd || count !== records)
    throw new EngineError(
      'backup-damaged',
      `the range file from key 0x${Buffer.from(begin).toString('hex')} on is not the one that its list and edges describe`,
    );
}
