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
  opens: true,
  damaged: false,
  marked: false,
  destroyed: false,
  ...more,
});

describe('retention', () => {
  it('lets go what is over its time', () => {
    expect(planRetention([backup(80), backup(85), backup(95), backup(99)], rules).expire).to.deep.equal(['d80', 'd85']);
  });
  it('keeps what was made while a clock was behind as long as what was made before it', () => {
    const behind = backup(95, { backupId: 'behind', createdMs: 0, retainUntilMs: 10 * DAY });
    const wrong = backup(94, { backupId: 'wrong', createdMs: 9999 * DAY });
    const all = [backup(80), backup(95), wrong, behind, backup(98), backup(99)];
    expect(planRetention(all, rules).expire).to.deep.equal(['d80']);
    expect(planRetention(all, { ...rules, nowMs: 106 * DAY }).expire).to.deep.equal(['d80', 'd95', 'behind']);
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
  it('refuses while a newer backup is damaged, though the newest that is to be trusted is verified', () => {
    const unopened = { problem: 'manifest refused', opens: false, damaged: true, verified: false };
    const plan = planRetention([backup(10), backup(20), backup(30), backup(99, unopened)], rules);
    expect(plan.refused).to.match(/newest backup d99 is not to be trusted \(manifest refused\)/);
    expect(plan.expire).to.deep.equal([]);
    const found = planRetention([backup(10), backup(20), backup(30), backup(99, { damaged: true, verified: false })], rules);
    expect(found.refused).to.match(/newest backup d99 was found damaged/);
    expect(found.expire).to.deep.equal([]);
    const onPurpose = planRetention([backup(10), backup(20), backup(30), backup(99, { problem: 'quarantined' })], rules);
    expect(onPurpose.expire).to.deep.equal(['d10']);
  });
  it('keeps what stands in for a damaged one as long as that would have stayed', () => {
    const damaged = { damaged: true, verified: false };
    const all = [backup(70), backup(80), backup(85, { verified: false }), backup(95, damaged), backup(98), backup(99)];
    const plan = planRetention(all, rules);
    expect(plan.expire).to.deep.equal(['d70']);
    expect(plan.keep.slice(0, 2).map(({ why }) => why)).to.deep.equal(Array(2).fill('stands in for d95, which is damaged'));
    expect(planRetention(all, { ...rules, nowMs: 105 * DAY }).expire).to.deep.equal(['d70', 'd80', 'd85', 'd95']);
    const held = [backup(70), backup(75), backup(80, { ...damaged, legalHold: true }), backup(98), backup(99)];
    expect(planRetention(held, rules).expire).to.deep.equal(['d70']);
    const quarantined = backup(80, { problem: 'quarantined' });
    expect(planRetention([backup(70), quarantined, ...all.slice(3)], rules).expire).to.deep.equal(['d80']);
  });
  it('never lets a backup go of which nobody knows what it promises, but where its key was destroyed', () => {
    const unopened = { problem: 'manifest refused', opens: false, verified: false };
    expect(
      planRetention([backup(10, unopened), backup(20, { ...unopened, createdMs: Number.POSITIVE_INFINITY })], rules).expire,
    ).to.deep.equal([]);
    expect(planRetention([backup(10, { ...unopened, destroyed: true }), backup(98), backup(99)], rules).expire).to.deep.equal(['d10']);
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
