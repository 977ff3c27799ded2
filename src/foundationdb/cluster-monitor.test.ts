import { expect } from 'chai';
import type { Clock } from '../platform/clock.ts';
import { logTo } from '../telemetry/log.ts';
import { MemoryFoundationdb } from '../testing/memory-foundationdb.ts';
import { lockDatabase } from './lock.ts';
import { lockSystem, lockUid } from './lock-uid.ts';
import { ClusterMonitor, isRecent, type Seen } from './cluster-monitor.ts';

const DCS = ['a', 'b', 'c'];
const PERIOD_MS = 1000;
const ASKER = { cluster: 'prod', fdbcli: 'fdbcli -C fdb.cluster' };

/** Coordinators are the first processes of these data centres. */
function saying(dcs: readonly string[], coordinators: readonly string[]): string {
  return JSON.stringify({
    client: {
      database_status: { available: true },
      coordinators: { coordinators: coordinators.map((dc, n) => ({ address: `${dc}-${n}:4500` })) },
    },
    cluster: {
      processes: Object.fromEntries(
        dcs.flatMap((dcid) =>
          [0, 1, 2].map((n) => [`${dcid}-${n}`, { address: `${dcid}-${n}:4500`, locality: { dcid, machineid: `${dcid}${n}` } }]),
        ),
      ),
    },
  });
}

/** What is seen after each of these statuses, asked for a period apart, and what was logged; null: no answer. */
async function look(
  statuses: readonly (string | null)[],
  store = new MemoryFoundationdb(),
): Promise<{ readonly seen: readonly Seen[]; readonly logged: readonly string[]; readonly lines: readonly string[] }> {
  const ending = new AbortController();
  const seen: Seen[] = [];
  const lines: string[] = [];
  let nowMs = 0;
  store.status = statuses[0] ?? null;
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wall: () => new Date(nowMs),
    // Between two looks: what the last one has brought is noted, and the next one finds another status.
    sleep: (ms) => {
      seen.push(monitor.seen);
      nowMs += ms;
      store.status = statuses[seen.length] ?? null;
      if (seen.length === statuses.length) ending.abort();
      return Promise.resolve();
    },
  };
  const log = logTo({ write: (line) => void lines.push(line) }, { component: 'test', region: 'x', clock });
  const monitor = new ClusterMonitor({ db: store.db, clock, log, dataCenters: DCS, periodMs: PERIOD_MS, asker: ASKER });
  await monitor.run(ending.signal);
  return { seen, lines, logged: lines.map((line) => (JSON.parse(line) as { action: string }).action) };
}

describe('what a gateway sees of its cluster', () => {
  it('stays, and grows old, while there is no answer; one is recent for as long as the next may take', async () => {
    const { seen } = await look([saying(DCS, DCS), null, null]);
    expect(seen.map(({ askedAtMs }) => askedAtMs)).to.deep.equal([0, 0, 0]);
    const last = seen.at(-1) as Seen;
    expect([11_000, 11_001].map((nowMs) => isRecent(last, nowMs, PERIOD_MS))).to.deep.equal([true, false]);
    expect(isRecent({ ...last, askedAtMs: null }, 0, PERIOD_MS)).to.equal(false);
  });

  it('is told also while no transaction can be begun, which is when it counts: in a recovery, and while the database is locked', async () => {
    const status = JSON.stringify({
      client: { database_status: { available: false } },
      cluster: { recovery_state: { name: 'recruiting' } },
    });
    const recovering = new MemoryFoundationdb();
    recovering.recovering = true;
    const locked = new MemoryFoundationdb();
    await lockDatabase(locked.db, { system: 'orders', epoch: 3 }, 5000);
    for (const store of [recovering, locked]) {
      const { seen } = await look([status], store);
      expect(seen.at(-1)?.view).to.include({ available: false, recoveryState: 'recruiting' });
    }
  });

  it('tells once which lock is on the database, whose it is and how it is ended, and forgets one that is gone', async () => {
    const store = new MemoryFoundationdb();
    const uid = lockUid({ system: lockSystem('backup', 'prod'), epoch: 3 });
    await lockDatabase(store.db, { system: lockSystem('backup', 'prod'), epoch: 3 }, 5000);
    const locked = JSON.stringify({ client: {}, cluster: { database_lock_state: { locked: true, lock_uid: uid } } });
    const { seen, lines } = await look([locked, locked, saying(DCS, DCS)], store);
    expect(seen.map(({ lock }) => lock?.uid ?? null)).to.deep.equal([uid, uid, null]);
    const told = lines.filter((line) => line.includes('backup create --lock'));
    expect(told).to.have.length(1);
    expect(told[0]).to.include(`unlock ${uid}`);
  });

  it('tells since when a data centre is away, until it is back', async () => {
    const { seen } = await look([saying(DCS, DCS), saying(['b', 'c'], DCS), saying(['b', 'c'], DCS), saying(DCS, DCS)]);
    expect(seen.map(({ awaySinceMs }) => [...awaySinceMs])).to.deep.equal([[], [['a', 1000]], [['a', 1000]], []]);
  });

  it('does not take a data centre for away that was never there: its name may be wrong', async () => {
    const { seen } = await look([saying(['b', 'c'], DCS), saying(['c'], DCS)]);
    expect(seen.map(({ awaySinceMs }) => [...awaySinceMs])).to.deep.equal([[], [['b', 1000]]]);
  });

  it('tells once that coordinators would not survive a data centre, and does not take an outage for it', async () => {
    const badly = ['a', 'a', 'b'];
    // As the client says it while the cluster's controller is away: coordinators, and no process at all.
    const recovering = JSON.stringify({ client: { coordinators: { coordinators: [{ address: 'a-0:4500' }] } } });
    const { seen, logged } = await look([saying(DCS, DCS), recovering, saying(['b', 'c'], DCS), saying(DCS, badly), saying(DCS, badly)]);
    expect(seen.map(({ misplaced }) => misplaced?.length)).to.deep.equal([0, 0, 0, 1, 1]);
    expect(seen.at(-1)?.misplaced?.[0]).to.contain('2 of 3 coordinators are in a');
    expect(logged.filter((action) => action === 'coordinators_misplaced')).to.have.length(1);
  });
});
