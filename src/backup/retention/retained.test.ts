import { expect } from 'chai';
import type { StoredRecord } from '../repository/records.ts';
import type { BackupEntry } from '../repository/catalog.ts';
import { isFoundDamaged, retainedOf } from './retained.ts';

/** Checks of one backup, a minute apart: the level, and whether all was well. */
const checks = (...all: readonly (readonly [level: number, ok: boolean])[]): readonly StoredRecord[] =>
  all.map(([level, ok], n) => ({ name: `${n}`, generation: '1', document: { level, ok, at: `2026-11-22T21:0${n}:00.000Z` } }));

describe('a backup that was found damaged', () => {
  it('is, until a check that is as thorough finds it sound', () => {
    expect(isFoundDamaged(checks())).to.equal(false);
    expect(isFoundDamaged(checks([3, true]))).to.equal(false);
    expect(isFoundDamaged(checks([3, false]))).to.equal(true);
    expect(isFoundDamaged(checks([3, false], [3, true]))).to.equal(false);
    expect(isFoundDamaged(checks([4, false], [3, true]))).to.equal(false);
    expect(isFoundDamaged(checks([0, false], [0, true]))).to.equal(false);
    expect(isFoundDamaged(checks([3, true], [0, false]))).to.equal(true);
  });
  it('is, though a check before it was signed with a time that is still to come', () => {
    const at = (year: number, level: number, ok: boolean): StoredRecord => ({
      name: `verify/b/${year}`,
      generation: '1',
      document: { backupId: 'b', level, ok, at: `${year}-11-22T21:00:00.000Z` },
    });
    const entry: BackupEntry = { name: 'b', backupId: 'b', generation: '1', bytes: 1, manifest: null, kid: null, problem: null };
    const none = { tombstones: new Set<string>(), held: new Set<string>(), destroyedKeys: new Set<string>() };
    const nowMs = Date.parse('2026-12-01T00:00:00Z');
    const verified = (...records: readonly StoredRecord[]): boolean | undefined =>
      retainedOf([entry], { ...none, records, nowMs })[0]?.verified;
    expect(verified(at(2099, 3, true), at(2026, 3, false))).to.equal(false);
    expect(verified(at(2025, 3, false), at(2026, 3, true))).to.equal(true);
  });
  it('is still, where a look that is less thorough finds nothing', () => {
    expect(isFoundDamaged(checks([3, false], [0, true]))).to.equal(true);
    expect(isFoundDamaged(checks([2, false], [2, true])), 'another part of it was read').to.equal(true);
    expect(isFoundDamaged(checks([3, false], [0, false], [0, true]))).to.equal(true);
  });
});
