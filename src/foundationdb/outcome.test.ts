import { expect } from 'chai';
import { codeOf, judge } from './outcome.ts';

describe('outcome of a FoundationDB transaction', () => {
  it('takes what only ended our waiting for unknown once the commit was sent', () => {
    for (const code of [1021, 1025, 1031, 1039, 1030, 1026, 1100, 1101]) expect(judge(code, 'commit'), String(code)).to.equal('unknown');
  });

  it('takes an error that it has never heard of for unknown after the commit was sent, and for another try before', () => {
    expect(judge(1999, 'commit')).to.equal('unknown');
    expect(judge(null, 'commit')).to.equal('unknown');
    expect(judge(1999, 'before-commit')).to.equal('again');
  });

  it('knows that a conflict, an old read version and a throttled request applied nothing', () => {
    for (const code of [1007, 1009, 1020, 1037, 1042, 1051, 1078, 1213, 1223]) {
      expect(judge(code, 'commit'), String(code)).to.equal('again');
      expect(judge(code, 'before-commit'), String(code)).to.equal('again');
    }
  });

  it('never waits for somebody else to unlock: locked is an answer', () => {
    expect(judge(1038, 'commit')).to.equal('locked');
    expect(judge(1038, 'before-commit')).to.equal('locked');
  });

  it('refuses what breaks a limit or is the wrong call, in either phase', () => {
    for (const code of [2101, 2102, 2103, 2004, 2023, 2114]) {
      expect(judge(code, 'commit'), String(code)).to.equal('refused');
      expect(judge(code, 'before-commit'), String(code)).to.equal('refused');
    }
  });

  it('knows that a time-out before the commit applied nothing', () => {
    expect(judge(1031, 'before-commit')).to.equal('silent');
    expect(judge(1025, 'before-commit')).to.equal('silent');
  });

  it('reads the number of an error of the client, and of nothing else', () => {
    expect(codeOf(Object.assign(new Error('x'), { code: 1020 }))).to.equal(1020);
    expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).to.equal(null);
    expect(codeOf('1020')).to.equal(null);
  });
});
