import { expect } from 'chai';
import type { Clock } from '../../platform/clock.ts';
import { EngineError } from '../../platform/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Created } from '../pipeline/create.ts';
import type { StoreView } from './schedule.ts';
import { runService, type ServiceParts } from './service.ts';

interface Happened {
  readonly what: string[];
  readonly stop: AbortController;
}

/** The service on a clock that only its own sleeping moves on, until `turns` things have happened. */
async function served(change: (happened: Happened) => Partial<ServiceParts>, turns: number): Promise<readonly string[]> {
  const happened: Happened = { what: [], stop: new AbortController() };
  let nowMs = 1e9;
  const tell = (what: string): void => {
    happened.what.push(what);
    if (happened.what.length >= turns) happened.stop.abort();
  };
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wall: () => new Date(nowMs),
    sleep: (ms) => {
      nowMs += ms;
      tell(`slept ${ms}`);
      return Promise.resolve();
    },
  };
  const log = { info: () => undefined, error: (action: string) => tell(action) } as unknown as Log;
  const created = { manifest: { backupId: 'x', kind: 'full', readVersion: '1', totals: {}, ranges: [] } } as unknown as Created;
  await runService(
    {
      timetable: { intervalMs: 60_000, jitterMs: 0, verifyMs: null, retryMs: 5000 },
      look: () => Promise.resolve({ newestAtMs: null, newestId: null, verification: null }),
      whileWriter: async (work, signal) => ({
        kind: 'done',
        value: await work({ epoch: '1', holder: 'x', check: () => Promise.resolve() }, signal),
      }),
      create: () => {
        tell('made');
        return Promise.resolve(created);
      },
      verify: () => {
        tell('verified');
        return Promise.resolve();
      },
      state: { completed: () => undefined, failed: () => tell('counted') },
      clock,
      log,
      random: () => 0,
      ...change(happened),
    },
    happened.stop.signal,
  );
  return happened.what.slice(0, turns);
}

describe('the service that makes backups', () => {
  it('pauses after each backup, also where the one it made does not count', async () => {
    expect(await served(() => ({}), 3)).to.deep.equal(['made', 'slept 5000', 'made']);
  });

  const seen = (verification: StoreView['verification']) => (): Promise<StoreView> =>
    Promise.resolve({ newestAtMs: 1e9, newestId: 'b1', verification });
  const timetable = { intervalMs: 1e9, jitterMs: 0, verifyMs: 30_000, retryMs: 5000 };

  it('verifies the newest when that is due, and not before', async () => {
    const look = seen({ backupId: 'b1', atMs: 1e9, ok: true });
    expect(await served(() => ({ timetable, look }), 2)).to.deep.equal(['slept 30000', 'verified']);
  });

  it('does nothing while another has the right to write, nor what another did until it had it', async () => {
    const busy = () => ({ timetable, look: seen(null), whileWriter: () => Promise.resolve({ kind: 'busy', holder: 'other' } as const) });
    expect(await served(busy, 2)).to.deep.equal(['slept 5000', 'slept 5000']);
    let looks = 0;
    const look = (): Promise<StoreView> => seen(looks++ === 0 ? null : { backupId: 'b1', atMs: 1e9, ok: true })();
    expect(await served(() => ({ timetable, look }), 1)).to.deep.equal(['slept 5000']);
  });

  it('tries a verification that failed again, later each time, and does not call it a backup that failed', async () => {
    const verify = (): Promise<void> => Promise.reject(new Error('the store is away'));
    const what = await served(() => ({ timetable, look: seen(null), verify }), 6);
    expect(what).to.deep.equal([
      'backup_verification_failed',
      'slept 5000',
      'backup_verification_failed',
      'slept 5000',
      'slept 5000',
      'backup_verification_failed',
    ]);
  });

  it('leaves the backups of a pair to the service beside the cluster that is served, and calls that no failure', async () => {
    const create = (): Promise<Created> => Promise.reject(new EngineError('database-is-copy', 'fdbdr keeps it'));
    expect(await served(() => ({ create }), 3)).to.deep.equal(['slept 5000', 'slept 5000', 'slept 5000']);
    const locked = (): Promise<Created> => Promise.reject(new EngineError('database-locked', 'by somebody'));
    expect(await served(() => ({ create: locked }), 2)).to.deep.equal(['counted', 'backup_failed']);
  });

  it('verifies in its turn beside a copy, also where nobody makes the backup that is due', async () => {
    const create = (): Promise<Created> => Promise.reject(new EngineError('database-is-copy', 'fdbdr keeps it'));
    const look = (): Promise<StoreView> =>
      Promise.resolve({ newestAtMs: 1e9 - 100_000, newestId: 'b1', verification: { backupId: 'b1', atMs: 1e9 - 40_000, ok: true } });
    expect(await served(() => ({ create, look, timetable: { ...timetable, intervalMs: 60_000 } }), 2)).to.deep.equal([
      'slept 5000',
      'verified',
    ]);
  });
});
