import { expect } from 'chai';
import { quantile } from '../measure/quantile.ts';
import { judgeCalibration, type CalibrationSample } from './calibration-gate.ts';

/** Of an outage whose first operation took 5 ms. */
const sample = (truthMs: number, lowerMs: number, upperMs: number, answeredMs = truthMs + 5): CalibrationSample => ({
  outageMs: 200,
  how: 'refuse',
  truthMs,
  answeredMs,
  measured: {
    state: 'recovered',
    lowerMs: lowerMs + 5,
    upperMs: upperMs + 5,
    vantage: 'v',
    fault: 'f',
    line: 1,
    dnsShareMs: null,
    servedFrom: { lowerMs, upperMs },
    firstOperationMs: 5,
    clientAwayMs: 0,
  },
});
const good = Array.from({ length: 30 }, (_, index) => sample(200, 185 + (index % 10), 205 + (index % 10)));

describe('the calibration gate', () => {
  it('passes when every interval holds the truth and the error stays within a probe period', () => {
    const { outcome, lines } = judgeCalibration(good, 20);
    expect(outcome).to.equal('pass');
    const asClaimed = { errorMs: { min: -5, median: -1, max: 4 }, p99Ms: 5, widthMs: { median: 20, max: 20 }, covered: 30 };
    expect(lines).to.deep.equal([
      {
        outageMs: 200,
        n: 30,
        missed: 0,
        disturbed: 0,
        hiccups: 0,
        outage: asClaimed,
        firstAnswer: asClaimed,
      },
    ]);
  });

  it('fails when one error of thirty is above the probe period', () => {
    const { outcome, reasons } = judgeCalibration([...good.slice(1), sample(200, 215, 235)], 20);
    expect(outcome).to.equal('fail');
    expect(reasons.join()).to.contain('p99 of the error is 25.0 ms');
  });

  it('fails when intervals are narrow and wrong, though the error is small', () => {
    const { outcome, reasons } = judgeCalibration(
      good.map(() => sample(200, 203, 204)),
      20,
    );
    expect(outcome).to.equal('fail');
    expect(reasons.join()).to.contain('only 0 of 30 intervals hold the truth');
  });

  it('fails when the first answer was long before the moment that the client gives, though the outage is right', () => {
    const { outcome, reasons } = judgeCalibration(
      good.map((one) => ({ ...one, answeredMs: one.answeredMs - 40 })),
      20,
    );
    expect(outcome).to.equal('fail');
    expect(reasons.join()).to.contain('first answer: only 0 of 30').and.not.contain('end of the outage');
  });

  it('fails when an outage was missed, and when there was none at all', () => {
    const missed: CalibrationSample = { ...sample(200, 0, 0), measured: { state: 'no-outage' } };
    expect(judgeCalibration([...good, missed], 20).reasons).to.deep.equal(['outages of 200 ms: 1 of 31 were not measured']);
    expect(judgeCalibration([missed], 20).outcome).to.equal('fail');
    expect(judgeCalibration([], 20).outcome).to.equal('fail');
  });

  it('proves nothing on a machine so busy that the device could not keep its own times', () => {
    const late = Array.from({ length: 3 }, () => sample(260, 320, 350));
    const { outcome, reasons } = judgeCalibration([...good, ...late], 20);
    expect(outcome).to.equal('inconclusive');
    expect(reasons[0]).to.contain('too busy: 3 of 33');
    expect(judgeCalibration([...good, ...late.slice(1)], 20).outcome).to.equal('inconclusive');
    expect(judgeCalibration([...good, ...late.slice(2)], 20).outcome).to.equal('fail');
  });

  it('takes quantiles without inventing values', () => {
    expect([quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.99), quantile([7], 0.01)]).to.deep.equal([2, 4, 7]);
    expect(quantile([], 0.5)).to.be.NaN;
  });
});
