import type { Clock } from '../../platform/clock.ts';
import { describeError, type Log } from '../../telemetry/log.ts';
import type { BackupState } from './backup-state.ts';
import type { Shipped } from '../log/shipper.ts';

/** Who finds that another ships looks again after so many periods. */
const STAND_BACK_PERIODS = 5;

export interface LogLoopParts {
  readonly shipper: { tick(signal: AbortSignal): Promise<Shipped> };
  readonly periodMs: number;
  readonly state: Pick<BackupState, 'logIsThere'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ships the log every period until the signal aborts; at once again while a whole segment was shipped. Failures are told and tried again. */
export async function runLogLoop({ shipper, periodMs, state, clock, log }: LogLoopParts, signal: AbortSignal): Promise<void> {
  let failing = false;
  let told: string | null = null;
  while (!signal.aborted) {
    let pauseMs = periodMs;
    const beganMs = clock.monotonicMs();
    try {
      const shipped = await shipper.tick(signal);
      if (shipped.kind === 'shipped') log.debug('backup_log_shipped', { version: shipped.head.end, entries: shipped.entries });
      else if (shipped.kind === 'new-stream')
        log.warn('backup_log_new_stream', { stream: shipped.head.stream, from: shipped.head.end, why: shipped.why });
      else if (shipped.kind === 'overtaken') pauseMs = periodMs * STAND_BACK_PERIODS;
      // A system at work has always something new: what was committed when this began is there, not what was since.
      if (shipped.kind === 'waiting' && shipped.behindMs !== null) state.logIsThere(beganMs - shipped.behindMs);
      const why = shipped.kind === 'waiting' ? shipped.why : null;
      if (why !== null && why !== told) log.warn('backup_log_waiting', { why });
      told = why;
      if (shipped.kind === 'idle' || (shipped.kind === 'shipped' && !shipped.more)) state.logIsThere(beganMs);
      if (shipped.kind === 'shipped' && shipped.more) pauseMs = 0;
      if (failing) log.info('backup_log_recovered');
      failing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!failing) log.error('backup_log_failed', { error: describeError(error) });
      failing = true;
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}
