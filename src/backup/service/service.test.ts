import { expect } from 'chai';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Created } from '../pipeline/create.ts';
import { runService } from './service.ts';

describe('the service that makes backups', () => {
  it('pauses after each backup, also where the one it made does not count', async () => {
    const stop = new AbortController();
    const happened: string[] = [];
    const clock: Clock = {
      monotonicMs: () => 0,
      wall: () => new Date(1e9),
      sleep: (ms) => {
        happened.push(`slept ${ms}`);
        return Promise.resolve();
      },
    };
    const log = { info: () => undefined, error: () => undefined } as unknown as Log;
    const created = { manifest: { backupId: 'x', kind: 'full', readVersion: '1', totals: {}, ranges: [] } } as unknown as Created;
    await runService(
      {
        timetable: { intervalMs: 60_000, jitterMs: 0, retryMs: 5000 },
        newestAtMs: () => Promise.resolve(null),
        whileWriter: async (work, signal) => ({
          kind: 'done',
          value: await work({ epoch: '1', holder: 'x', check: () => Promise.resolve() }, signal),
        }),
        create: () => {
          happened.push('made');
          if (happened.length > 2) stop.abort();
          return Promise.resolve(created);
        },
        state: { completed: () => undefined, failed: () => undefined },
        clock,
        log,
        random: () => 0,
      },
      stop.signal,
    );
    expect(happened.slice(0, 3)).to.deep.equal(['made', 'slept 5000', 'made']);
  });
});
