import type { Interval, RecoveryTime } from '../measure/measurement.ts';
import { quantile } from '../measure/quantile.ts';

/** One known outage: how long it truly was, and what the harness made of it. */
export interface CalibrationSample {
  readonly outageMs: number;
  readonly how: string;
  readonly truthMs: number;
  /** When the device had given its first answer after it, from its beginning: what t7 is about. */
  readonly answeredMs: number;
  readonly measured: RecoveryTime;
}

/** Intervals against what they claim to hold. */
export interface Claim {
  /** Middle of the interval minus the truth. */
  readonly errorMs: { readonly min: number; readonly median: number; readonly max: number };
  /** 99th percentile of the size of the error. */
  readonly p99Ms: number;
  readonly widthMs: { readonly median: number; readonly max: number };
  /** Intervals that hold the truth. */
  readonly covered: number;
}

export interface CalibrationLine {
  readonly outageMs: number;
  readonly n: number;
  /** Outages that were not measured at all. */
  readonly missed: number;
  /** Outages that the device itself could not hold to a probe period: the machine was too busy to calibrate on. */
  readonly disturbed: number;
  /** Measured ones in which the client noticed that it stood still for longer than a probe period itself: their intervals are wider by it. */
  readonly hiccups: number;
  /** When there was service again: the length of the outage. */
  readonly outage: Claim;
  /** When it was had: the first answer, which t7 is. */
  readonly firstAnswer: Claim;
}

export interface CalibrationVerdict {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly reasons: readonly string[];
  readonly lines: readonly CalibrationLine[];
}

/** An interval may miss the truth in one run of twenty, as any 95 % interval. */
const LEAST_COVERAGE = 0.95;

const MOST_DISTURBED = 0.05;

/**
 * Does the harness measure what is true: when the service was back, and when a client first had it? Fails when an outage was missed, p99 of an error exceeds a probe period, or intervals miss
 * the truth. No sample is ever left out; where the device itself was held up in more than one of twenty, a failure proves nothing.
 */
export function judgeCalibration(samples: readonly CalibrationSample[], probePeriodMs: number): CalibrationVerdict {
  const sizes = [...new Set(samples.map((one) => one.outageMs))].sort((a, b) => b - a);
  const lines = sizes.map((outageMs) =>
    lineOf(
      outageMs,
      samples.filter((one) => one.outageMs === outageMs),
      probePeriodMs,
    ),
  );
  const reasons = lines.flatMap((line) => reasonsOf(line, probePeriodMs));
  if (lines.length === 0) reasons.push('no outage was made');
  const disturbed = lines.filter((line) => line.disturbed > MOST_DISTURBED * line.n);
  if (reasons.length === 0) return { outcome: 'pass', reasons, lines };
  if (disturbed.length === 0) return { outcome: 'fail', reasons, lines };
  const busy = disturbed.map(
    (line) => `the machine is too busy: ${line.disturbed} of ${line.n} outages of ${line.outageMs} ms were not as long as ordered`,
  );
  return { outcome: 'inconclusive', reasons: [...busy, ...reasons], lines };
}

function lineOf(outageMs: number, samples: readonly CalibrationSample[], probePeriodMs: number): CalibrationLine {
  const seen = samples.flatMap(({ truthMs, answeredMs, measured }) =>
    measured.state === 'recovered' ? [{ truthMs, answeredMs, ...measured }] : [],
  );
  return {
    outageMs,
    n: samples.length,
    missed: samples.length - seen.length,
    disturbed: samples.filter((one) => Math.abs(one.truthMs - outageMs) > probePeriodMs).length,
    hiccups: seen.filter((one) => one.clientAwayMs > probePeriodMs).length,
    outage: claimOf(seen.map(({ truthMs, servedFrom }) => ({ truthMs, ...servedFrom }))),
    firstAnswer: claimOf(seen.map(({ answeredMs, lowerMs, upperMs }) => ({ truthMs: answeredMs, lowerMs, upperMs }))),
  };
}

function claimOf(claimed: readonly (Interval & { readonly truthMs: number })[]): Claim {
  const errors = claimed.map((one) => (one.lowerMs + one.upperMs) / 2 - one.truthMs).sort((a, b) => a - b);
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const widths = claimed.map((one) => one.upperMs - one.lowerMs).sort((a, b) => a - b);
  return {
    errorMs: { min: errors[0] ?? NaN, median: quantile(errors, 0.5), max: errors.at(-1) ?? NaN },
    p99Ms: quantile(sizes, 0.99),
    widthMs: { median: quantile(widths, 0.5), max: widths.at(-1) ?? NaN },
    covered: claimed.filter((one) => one.lowerMs <= one.truthMs && one.truthMs <= one.upperMs).length,
  };
}

const CLAIMS = { outage: 'end of the outage', firstAnswer: 'first answer' } as const;
type ClaimName = keyof typeof CLAIMS;
const claimNames = Object.keys(CLAIMS) as ClaimName[];

function reasonsOf(line: CalibrationLine, probePeriodMs: number): string[] {
  const name = `outages of ${line.outageMs} ms`;
  const missed = line.missed > 0 ? [`${name}: ${line.missed} of ${line.n} were not measured`] : [];
  return [
    ...missed,
    ...claimNames.flatMap((claim) => wrongWith(line[claim], line.n, probePeriodMs).map((why) => `${name}, ${CLAIMS[claim]}: ${why}`)),
  ];
}

function wrongWith({ p99Ms, covered }: Claim, n: number, probePeriodMs: number): string[] {
  const reasons: string[] = [];
  if (!(p99Ms <= probePeriodMs)) reasons.push(`p99 of the error is ${p99Ms.toFixed(1)} ms, above the probe period of ${probePeriodMs} ms`);
  if (covered < LEAST_COVERAGE * n) reasons.push(`only ${covered} of ${n} intervals hold the truth`);
  return reasons;
}

/** For people, two lines per length of outage. */
export function calibrationText({ outcome, reasons, lines }: CalibrationVerdict): string {
  const ms = (value: number): string => `${value >= 0 ? '+' : '−'}${Math.abs(value).toFixed(1)}`;
  const rows = lines.flatMap((line) =>
    claimNames.map((claim) => {
      const { errorMs, p99Ms, widthMs, covered } = line[claim];
      return (
        `outage ${String(line.outageMs).padStart(5)} ms  ${CLAIMS[claim].padEnd(17)}  n ${line.n}  error min ${ms(errorMs.min)}  median ${ms(errorMs.median)}  ` +
        `max ${ms(errorMs.max)}  p99 of its size ${p99Ms.toFixed(1)} ms  interval ${widthMs.median.toFixed(1)} ms wide (at most ${widthMs.max.toFixed(1)})  ` +
        `truth inside ${covered} of ${line.n}`
      );
    }),
  );
  const busy = lines
    .filter(({ hiccups }) => hiccups > 0)
    .map(({ hiccups, outageMs }) => `outage ${outageMs} ms: the client stood still itself in ${hiccups}`);
  return [...rows, ...busy, ...reasons, `calibration: ${outcome}`].join('\n');
}
