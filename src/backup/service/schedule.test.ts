import { expect } from 'chai';
import { nextBackupMs, nextVerificationMs, nextWork, NOT_TRIED, type StoreView } from './schedule.ts';

const HOUR_MS = 3_600_000;
const TIMETABLE = { intervalMs: HOUR_MS, jitterMs: 60_000, verifyMs: 24 * HOUR_MS, retryMs: 10_000 };
const VIEW: StoreView = { newestAtMs: 1000, newestId: 'b2', verification: { backupId: 'b1', atMs: 2000, ok: true } };

describe('when the next backup is due', () => {
  it('is at once where there is none', () => {
    expect(nextBackupMs(TIMETABLE, { newestAtMs: null }, NOT_TRIED, 0.5)).to.equal(0);
  });
  it('is an interval and a part of the jitter after the newest, whoever made it', () => {
    expect(nextBackupMs(TIMETABLE, { newestAtMs: 1000 }, NOT_TRIED, 0.5)).to.equal(1000 + HOUR_MS + 30_000);
  });
  it('waits longer after each failure, but never longer than the interval', () => {
    const after = (failures: number): number =>
      nextBackupMs(TIMETABLE, { newestAtMs: 0 }, { failures, lastFailureAtMs: 5_000_000 }, 0) - 5_000_000;
    expect([after(1), after(2), after(3), after(20)]).to.deep.equal([10_000, 20_000, 40_000, HOUR_MS]);
  });
});

describe('when the next verification is due', () => {
  it('is an interval after the last, whoever made it, and at once where there was none', () => {
    expect(nextVerificationMs(TIMETABLE, VIEW, NOT_TRIED)).to.equal(2000 + 24 * HOUR_MS);
    expect(nextVerificationMs(TIMETABLE, { ...VIEW, verification: null }, NOT_TRIED)).to.equal(0);
  });
  it('is at once where another backup follows one that was found damaged, and not again of the same', () => {
    const damaged = (backupId: string): StoreView => ({ ...VIEW, verification: { backupId, atMs: 2000, ok: false } });
    expect(nextVerificationMs(TIMETABLE, damaged('b1'), NOT_TRIED)).to.equal(0);
    expect(nextVerificationMs(TIMETABLE, damaged('b2'), NOT_TRIED)).to.equal(2000 + 24 * HOUR_MS);
  });
  it('is never where there is nothing to verify, or none is made here', () => {
    expect(nextVerificationMs(TIMETABLE, { ...VIEW, newestId: null }, NOT_TRIED)).to.equal(Infinity);
    expect(nextVerificationMs({ ...TIMETABLE, verifyMs: null }, { ...VIEW, verification: null }, NOT_TRIED)).to.equal(Infinity);
  });
  it('waits after a failure', () => {
    expect(nextVerificationMs(TIMETABLE, { ...VIEW, verification: null }, { failures: 2, lastFailureAtMs: 7000 })).to.equal(27_000);
  });
});

describe('what the service does next', () => {
  const next = (view: Partial<StoreView>, nowMs: number) =>
    nextWork(TIMETABLE, { view: { ...VIEW, ...view }, tries: { backup: NOT_TRIED, verification: NOT_TRIED }, random: 0, nowMs });
  it('is the backup where both have come due', () => {
    expect(next({}, 99 * HOUR_MS)).to.deep.equal({ work: 'backup', atMs: 1000 + HOUR_MS });
  });
  it('is what comes first where neither is', () => {
    expect(next({}, 5000).work).to.equal('backup');
    expect(next({ verification: null }, 500)).to.deep.equal({ work: 'verification', atMs: 0 });
  });
  it('is a verification that is due where a backup was made since, by whomever', () => {
    const made = (newestAtMs: number) => next({ newestAtMs }, 99 * HOUR_MS).work;
    const dueMs = 2000 + 24 * HOUR_MS;
    expect([made(dueMs - 1), made(dueMs + 1)]).to.deep.equal(['backup', 'verification']);
  });
  it('does not wait for a time that a clock gave which was wrong, and is still to come', () => {
    const wrongMs = 99 * 365 * 24 * HOUR_MS;
    expect(next({ newestAtMs: wrongMs }, 5 * HOUR_MS)).to.deep.equal({ work: 'backup', atMs: 0 });
    const tries = { backup: { failures: 3, lastFailureAtMs: wrongMs }, verification: NOT_TRIED };
    expect(nextWork(TIMETABLE, { view: VIEW, tries, random: 0, nowMs: 5 * HOUR_MS })).to.deep.equal({
      work: 'backup',
      atMs: 1000 + HOUR_MS,
    });
    // Clocks of two regions are never just the same.
    const apartMs = 5 * HOUR_MS + 1000;
    const verification = { backupId: 'b1', atMs: apartMs, ok: true };
    expect(next({ newestAtMs: apartMs, verification }, 5 * HOUR_MS)).to.deep.equal({
      work: 'backup',
      atMs: apartMs + HOUR_MS,
    });
  });
  it('is the other where one of them fails all the time', () => {
    const failed = { failures: 1, lastFailureAtMs: 98 * HOUR_MS };
    const moment = { view: VIEW, random: 0, nowMs: 99 * HOUR_MS };
    expect(nextWork(TIMETABLE, { ...moment, tries: { backup: failed, verification: NOT_TRIED } }).work).to.equal('verification');
    expect(nextWork(TIMETABLE, { ...moment, tries: { backup: NOT_TRIED, verification: failed } }).work).to.equal('backup');
  });
});
