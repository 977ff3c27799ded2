import { expect } from 'chai';
import * as fc from 'fast-check';
import { durationMs, parseDurationMs } from './duration.ts';

describe('duration', () => {
  const table: readonly (readonly [string, number | undefined])[] = [
    ['300ms', 300],
    ['1.5h', 5_400_000],
    ['1h15m', 4_500_000],
    ['5m', 300_000],
    ['0.5s', 500],
    ['.5s', 500],
    ['1.s', 1000],
    ['0m30s', 30_000],
    ['-1s', -1000],
    ['+2s', 2000],
    ['0', 0],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1m1m', 120_000],
    ['', undefined],
    ['5', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['1 s', undefined],
    ['1S', undefined],
    ['1d', undefined],
    ['1e3s', undefined],
    ['1h-5m', undefined],
    ['5m ', undefined],
  ];
  for (const [text, ms] of table)
    it(`reads ${JSON.stringify(text)} as Go does: ${ms}`, () => {
      if (ms === undefined) expect(parseDurationMs(text)).to.equal(undefined);
      else expect(parseDurationMs(text)).to.be.closeTo(ms, 1e-9);
    });

  it('adds the parts, in any order', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(9999), (h, m, ms) => {
        expect(parseDurationMs(`${ms}ms${h}h${m}m`)).to.be.closeTo(h * 3_600_000 + m * 60_000 + ms, 1e-6);
      }),
    );
  });

  it('must be at most a day as a field: above 2^31 ms a timer fires at once', () => {
    expect(durationMs.safeParse('600h').error?.issues[0]?.message).to.equal('`600h` is longer than a day (24h); shorten it');
    expect(durationMs.safeParse('24h').data).to.equal(86_400_000);
  });
  it('must be longer than zero as a field', () => {
    expect(durationMs.safeParse('0s').error?.issues[0]?.message).to.equal('`0s` must be longer than zero');
    expect(durationMs.safeParse(5).error?.issues[0]?.message).to.match(/written as text/);
  });
});
