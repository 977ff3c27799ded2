import type { PointInTime, PointPlan } from '../backup/log/point-in-time.ts';
import { duration } from '../backup/pipeline/progress.ts';
import type { PassedOverBackup } from '../backup/repository/choose.ts';

/** Where a restore to a point in time ended. */
export interface RestoredPoint {
  readonly askedTime?: string;
  /** All that was restored was committed by then; nothing that was known to be committed later, up to the time that was asked for, is in the repository, but what may be in what was passed over: a segment of the log has one time, by which all of it was. */
  readonly reachedTime: string;
  /** Streams of the log under epoch keys that were destroyed. */
  readonly passedOver: readonly string[];
}

export function restoredPoint(point: PointInTime, { wallMs, passedOver }: Pick<PointPlan, 'wallMs' | 'passedOver'>): RestoredPoint {
  const asked = 'timeMs' in point ? { askedTime: new Date(point.timeMs).toISOString() } : {};
  return { ...asked, reachedTime: new Date(wallMs).toISOString(), passedOver };
}

/** What is told to whoever restored. @param passedOverBackups between the one that was used and the point */
export function restoredPointText(
  { askedTime, reachedTime, passedOver }: RestoredPoint,
  passedOverBackups: readonly PassedOverBackup[],
): string {
  const lost =
    passedOver.length === 0
      ? ''
      : `passed over, as the epoch key that it is under was destroyed: the log of ${passedOver.join(', ')}; what only it holds is lost\n`;
  if (askedTime === undefined) return `what was restored was committed by ${reachedTime}\n${lost}`;
  const missing = duration(Date.parse(askedTime) - Date.parse(reachedTime));
  const isWhole = passedOver.length === 0 && passedOverBackups.length === 0;
  const nothing = isWhole ? 'nothing' : 'nothing that can be read and trusted';
  return `reached ${reachedTime}, ${missing} before ${askedTime}: ${nothing} that was known to be committed between is in the repository; the next segment of its log may begin before that time, and --to-version goes into it\n${lost}`;
}
