import { expect } from 'chai';
import { encodeRangeFile } from '../format/records.ts';
import { batchesOf } from './restore-remote.ts';

/** Of a transaction of FoundationDB. */
const MOST_BYTES = 1e7;
/** The longest that a configuration can name, with what follows it. */
const PREFIX_BYTES = 64 + 'data/'.length;

/** As FoundationDB 7.3 counts a row that is set (Transaction::getSize): a change, and a range of keys that others conflict with, each with what holds it in memory. */
const bytesOf = (keyBytes: number, valueBytes: number): number => 44 + 24 + 3 * (PREFIX_BYTES + keyBytes) + 1 + valueBytes;

describe('what is put by one transaction of a restore into FoundationDB', () => {
  for (const [keyBytes, valueBytes] of [
    [4, 0],
    [6, 1],
    [40, 200],
    [1900, 0],
  ] as const)
    it(`is no more than one may hold, of rows of ${keyBytes} and ${valueBytes} bytes`, () => {
      const records = Array.from({ length: Math.min(120_000, Math.ceil(4e6 / (keyBytes + valueBytes))) }, (_, n) => {
        const key = Buffer.alloc(keyBytes);
        key.writeUInt32BE(n);
        return { key, value: Buffer.alloc(valueBytes) };
      });
      const batches = [...batchesOf([encodeRangeFile({ begin: Buffer.alloc(0), end: null }, records)], null)];
      expect(batches.flat().length).to.equal(records.length);
      expect(Math.max(...batches.map(({ length }) => length * bytesOf(keyBytes, valueBytes)))).to.be.below(MOST_BYTES);
    });
});
