import type { Clock } from '../platform/clock.ts';
import { judgeCalibration, type CalibrationSample, type CalibrationVerdict } from '../testing/calibration-gate.ts';
import { calibrateLane, PROBE_PERIOD_MS, type PlannedOutage } from '../testing/calibration/lane.ts';

export interface CalibrateOptions {
  /** Outages of each length. */
  readonly n: number;
  /** Devices at the same time. */
  readonly lanes: number;
  readonly clock: Clock;
  readonly originNs: bigint;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

const OUTAGES_MS = [5000, 200];

/** Makes n known outages of each length, half of them refused connections and half black holes, and judges what was measured. */
export async function calibrate(
  options: CalibrateOptions,
): Promise<{ readonly samples: readonly CalibrationSample[]; readonly verdict: CalibrationVerdict }> {
  const { n, progress } = options;
  const samples: CalibrationSample[] = [];
  for (const forMs of OUTAGES_MS) {
    progress(`${n} known outages of ${forMs} ms, ${Math.min(n, options.lanes)} at a time`);
    const planned = Array.from({ length: n }, (_, index): PlannedOutage => ({ forMs, how: index % 2 === 0 ? 'refuse' : 'black-hole' }));
    samples.push(...(await inLanes(planned, options)));
  }
  return { samples, verdict: judgeCalibration(samples, PROBE_PERIOD_MS) };
}

async function inLanes(planned: readonly PlannedOutage[], options: CalibrateOptions): Promise<readonly CalibrationSample[]> {
  const lanes = Array.from({ length: Math.min(planned.length, options.lanes) }, (_, lane) =>
    planned.filter((_outage, index) => index % options.lanes === lane),
  );
  const measured = await Promise.all(lanes.map((outages) => calibrateLane(outages, options)));
  return measured.flat();
}
