import { expect } from 'chai';
import { planRetention, type RetainedBackup } from './plan.ts';

const DAY = 86_400_000;
const rules = { nowMs: 100 * DAY, retentionMs: 10 * DAY, minimumBackups: 2 };
const backup = (day: number, more: Partial<RetainedBackup> = {}): RetainedBackup => ({
  backupId: `d${day}`,
  createdMs: day * DAY,
  retainUntilMs: null,
  legalHold: false,
  verified: true,
  problem: null,
  marked: false,
  destroyed: false,
  ...more,
});

describe('retention', () => {
  it('lets go what is over its time', () => {
    expect(planRetention([backup(80), backup(85), backup(95), backup(99)], rules).expire).to.deep.equal(['d80', 'd85']);
  });
  it('keeps the last verified ones whatever their age', () => {
    const plan = planRetention([backup(10), backup(20), backup(30)], rules);
    expect(plan.expire).to.deep.equal(['d10']);
    expect(
      planRetention([backup(10), backup(20), backup(30, { verified: false }), backup(40)], rules).keep.map((kept) => kept.backupId),
    ).to.deep.equal(['d20', 'd40']);
  });
  it('keeps what is held or promised longer', () => {
    const held = [backup(10, { legalHold: true }), backup(11, { retainUntilMs: 200 * DAY }), backup(98), backup(99)];
    expect(planRetention(held, rules).expire).to.deep.equal([]);
  });
  it('refuses where the newest is not verified, or too few verified would remain', () => {
    const unverified = planRetention([backup(10), backup(20), backup(30), backup(99, { verified: false })], rules);
    expect(unverified).to.deep.include({ expire: [] });
    expect(unverified.refused).to.match(/newest backup d99 is not verified/);
    const few = planRetention([backup(10, { verified: false }), backup(99)], rules);
    expect(few.refused).to.match(/only 1 verified/);
    expect(few.expire).to.deep.equal([]);
  });
  it('counts a backup that is not to be trusted for nothing, and lets it go with its time', () => {
    const plan = planRetention(
      [backup(10, { problem: 'quarantined' }), backup(20), backup(30), backup(99, { problem: 'quarantined' })],
      rules,
    );
    expect(plan.expire).to.deep.equal(['d10']);
    expect(plan.keep.map((kept) => kept.backupId)).to.deep.equal(['d20', 'd30', 'd99']);
  });
});
