import { calibrate } from '../bench/calibrate.ts';
import { systemClock } from '../platform/clock.ts';
import { EXIT } from '../platform/errors.ts';
import { calibrationText, type CalibrationSample, type CalibrationVerdict } from '../testing/calibration-gate.ts';

export interface CalibrateCommand {
  /** Outages of each length. */
  readonly n: number;
  /** Devices at the same time. */
  readonly lanes: number;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

export interface Calibrated {
  readonly samples: readonly CalibrationSample[];
  readonly verdict: CalibrationVerdict;
  /** For people. */
  readonly text: string;
  readonly exitCode: number;
}

/** `gameday calibrate`: known outages of 5 000 ms and 200 ms against what the harness measures of them. Ends all it started. */
export async function runCalibration(options: CalibrateCommand): Promise<Calibrated> {
  const originNs = process.hrtime.bigint();
  const made = await calibrate({ ...options, clock: systemClock(originNs), originNs, random: Math.random });
  return { ...made, text: calibrationText(made.verdict), exitCode: EXIT[made.verdict.outcome] };
}
