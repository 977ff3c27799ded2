/** Keys from begin (inclusive) to end (exclusive); null is the end of the key space. Keys are ordered as unsigned bytes. */
export interface KeyRange {
  readonly begin: Uint8Array;
  readonly end: Uint8Array | null;
}

export type ChainOutcome = { readonly ok: true } | { readonly ok: false; readonly index: number; readonly problem: string };

export function rangeHolds(range: KeyRange, key: Uint8Array): boolean {
  return Buffer.compare(range.begin, key) <= 0 && (range.end === null || Buffer.compare(key, range.end) < 0);
}

/** Whether the range can hold any key. */
export function rangeIsOrdered(range: KeyRange): boolean {
  return range.end === null || Buffer.compare(range.begin, range.end) < 0;
}

/**
 * Whether files, in this order, cover exactly what was declared: first begins where it does, each begins where the one before ends, the last ends
 * where it does. No file can then be missing, doubled or out of place. index is the file at which the chain breaks (the number of files at its end).
 */
export function checkChain(declared: KeyRange, files: Iterable<KeyRange>): ChainOutcome {
  let expected: Uint8Array | null = declared.begin;
  let index = 0;
  for (const file of files) {
    if (expected === null) return broken(index, 'a file follows the end of the key space');
    if (Buffer.compare(file.begin, expected) !== 0) return broken(index, `begins at ${show(file.begin)}, not at ${show(expected)}`);
    if (!rangeIsOrdered(file)) return broken(index, `ends at ${show(file.end)}, not after its begin ${show(file.begin)}`);
    expected = file.end;
    index++;
  }
  const complete = expected === null || declared.end === null ? expected === declared.end : Buffer.compare(expected, declared.end) === 0;
  return complete && index > 0 ? { ok: true } : broken(index, `the chain ends at ${show(expected)}, not at ${show(declared.end)}`);
}

function broken(index: number, problem: string): ChainOutcome {
  return { ok: false, index, problem: `range file ${index}: ${problem}` };
}

function show(key: Uint8Array | null): string {
  return key === null ? 'the end of the key space' : `0x${Buffer.from(key).toString('hex')}`;
}
