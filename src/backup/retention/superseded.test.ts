import { expect } from 'chai';
import fc from 'fast-check';
import type { StoredRecord } from '../repository/records.ts';
import { isFoundDamaged, isVerified } from './retained.ts';
import { supersededRecords } from './superseded.ts';

/** Verifications of one backup, a second apart. */
const verifications = fc.array(fc.record({ level: fc.integer({ min: 0, max: 4 }), ok: fc.boolean() }), { maxLength: 12 }).map((all) =>
  all.map(({ level, ok }, n): StoredRecord => {
    const at = new Date(1_800_000_000_000 + n * 1000).toISOString();
    return { name: `verify/b/${n}`, generation: '1', document: { backupId: 'b', level, ok, problems: [], at } };
  }),
);

describe('records of verifications that tell nothing any more', () => {
  it('are those without which as much is known of the backup, and only so many stay', () => {
    fc.assert(
      fc.property(verifications, (all) => {
        const gone = new Set(supersededRecords(all));
        const left = all.filter((record) => !gone.has(record));
        expect([isVerified(left), isFoundDamaged(left)]).to.deep.equal([isVerified(all), isFoundDamaged(all)]);
        expect(left.length).to.be.at.most(10);
      }),
      { numRuns: 500 },
    );
  });
});
