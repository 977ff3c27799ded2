import type { PinnedData } from '../../database/data-reader.ts';
import { MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../database/database.ts';
import { RangeWriter } from '../format/range-writer.ts';
import { MAX_FILE_BYTES, type CutRule } from './cut-rule.ts';

export type Scannable = Pick<PinnedData, 'scan'>;

/** A part of the key space to cut into range files. */
export interface Segment {
  readonly begin: Uint8Array;
  /** Whether the first file begins just there; else at the first border from there on. */
  readonly beginExact: boolean;
  /** null: the end of the key space. */
  readonly end: Uint8Array | null;
  /** Whether the last file ends just there; else at the first border from there on, where the next segment (not exact) then begins. */
  readonly endExact: boolean;
}

export interface CutFile {
  readonly begin: Buffer;
  readonly count: number;
  /** Encoded; overwritten by the next file. */
  readonly bytes: Buffer;
}

/** How far a scan came: `next` is null at the end of the segment, whose files end at `end`; else it was paused and goes on there. */
export type CutOutcome = { readonly next: null; readonly end: Buffer | null; readonly empty: boolean } | { readonly next: Buffer };

const RECORD_ROOM = MAX_KEY_BYTES + MAX_VALUE_BYTES + 16;

export function rangeFileWriter(): RangeWriter {
  return new RangeWriter(MAX_FILE_BYTES + RECORD_ROOM);
}

/** Cuts a segment of the pinned data and gives each file to `emit`, in order; false pauses after that file. */
export function cutRange(
  data: Scannable,
  rule: CutRule,
  segment: Segment,
  writer: RangeWriter,
  emit: (file: CutFile) => boolean,
): CutOutcome {
  const { begin, beginExact, end, endExact } = segment;
  let searching = !beginExact;
  let outcome: CutOutcome | null = null;
  if (!searching) writer.start(begin);
  const isPast = (key: Buffer, keyBytes: number): boolean => end !== null && key.compare(end, 0, end.length, 0, keyBytes) >= 0;
  const close = (at: Buffer | null): boolean => emit({ begin: writer.beginKey, count: writer.count, bytes: writer.finish(at) });

  data.scan(begin, (key, keyBytes, value, valueBytes) => {
    const recordBytes = keyBytes + valueBytes;
    const border = rule.begins(key, keyBytes, recordBytes);
    if (searching) {
      if (!border) return true;
      if (isPast(key, keyBytes)) return false;
      searching = false;
      writer.start(key.subarray(0, keyBytes));
    } else if (endExact && isPast(key, keyBytes)) {
      return false;
    } else if (border && !endExact && isPast(key, keyBytes)) {
      const at = Buffer.from(key.subarray(0, keyBytes));
      close(at);
      outcome = { next: null, end: at, empty: false };
      return false;
    } else if ((border && writer.count > 0) || writer.bytes + recordBytes > MAX_FILE_BYTES) {
      const at = Buffer.from(key.subarray(0, keyBytes));
      if (!close(at)) {
        outcome = { next: at };
        return false;
      }
      writer.start(at);
    }
    writer.add(key, keyBytes, value, valueBytes);
    return true;
  });
  if (outcome !== null) return outcome;
  if (searching) return { next: null, end: null, empty: true };
  const last = endExact && end !== null ? Buffer.from(end) : null;
  close(last);
  return { next: null, end: last, empty: false };
}
