import { expect } from 'chai';
import { SteppedClock } from '../platform/testing/stepped-clock.ts';
import { forceRecovery, waitUntilMayForce, type ForcedRecovery } from './forced-recovery.ts';
import type { FdbcliResult } from './fdbcli.ts';
import { mayForce } from './may-force.ts';
import { parseStatus, type ClusterStatus } from './status-json.ts';

const NEVER = new AbortController().signal;
const FORCING = { dataCenter: 'dc2', givenUp: [] };
const PATIENCE_MS = 60_000;
/** More than anything here takes. */
const LONG_MS = 3_600_000;

/** As 7.3.79 told it with primary and satellite dead: no configuration, and a lag of 0. */
function out(
  dcs: readonly string[],
  { quorum = true, available = false }: { quorum?: boolean; available?: boolean | null } = {},
): ClusterStatus {
  return read({
    client: {
      coordinators: { coordinators: [{ address: '127.0.0.1:4702', reachable: true }], quorum_reachable: quorum },
      database_status: { available, healthy: false },
      messages: [],
    },
    cluster: {
      datacenter_lag: { seconds: 0, versions: 0 },
      messages: [{ name: 'unreadable_configuration' }, { name: 'status_incomplete' }],
      processes: Object.fromEntries(dcs.map((dcid, i) => [String(i), { locality: { dcid }, roles: [{ role: 'cluster_controller' }] }])),
      recovery_state: { active_generations: 1, name: 'locking_coordinated_state', seconds_since_last_recovered: -1 },
    },
  });
}
function serving(primary: string, usable_regions: number): ClusterStatus {
  return read({
    client: { coordinators: { quorum_reachable: true }, database_status: { available: true } },
    cluster: {
      active_primary_dc: primary,
      configuration: { usable_regions },
      processes: { a: { locality: { dcid: primary } } },
      recovery_state: { name: 'accepting_commits' },
    },
  });
}
function read(status: object): ClusterStatus {
  const parsed = parseStatus(JSON.stringify(status));
  if (parsed === null) throw new Error('no status');
  return parsed;
}

describe('whether a recovery of FoundationDB may be forced', () => {
  const why = (status: ClusterStatus | null, givenUp: readonly string[] = []): string => {
    const found = mayForce(status, { ...FORCING, givenUp });
    return found.kind === 'not' ? found.why : found.kind;
  };

  it('where only the region that is to go on answers, and a majority of the coordinators', () => {
    expect(why(out(['dc2', 'dc2']))).to.equal('may');
  });

  it('not while it serves, whatever else is gone', () => {
    expect(why(serving('dc1', 2))).to.equal('serves');
    expect(why(serving('dc2', 1))).to.equal('serves');
  });

  it('not while anything of another data centre answers, satellite or primary: it would be thrown away; unless it is given up by name', () => {
    expect(why(out(['dc2', 'dc3']))).to.match(/^processes of dc3 answer.*--give-up$/);
    expect(why(out(['dc2', 'dc3', 'dc1']), ['dc3'])).to.match(/^processes of dc1 answer/);
    expect(why(out(['dc2', 'dc3', 'dc1']), ['dc3', 'dc1'])).to.equal('may');
  });

  it('not while a process of another data centre answers that is excluded, or one that does not tell where it is: each may hold the newest log', () => {
    const alone = out(['dc2']);
    const beside = (one: object): ClusterStatus =>
      read({ ...alone, cluster: { ...alone.cluster, processes: { ...alone.cluster?.processes, other: one } } });
    const excluded = beside({ locality: { dcid: 'dc3' }, excluded: true, roles: [{ role: 'log' }] });
    expect(why(excluded)).to.match(/^processes of dc3 answer/);
    expect(why(excluded, ['dc3'])).to.equal('may');
    expect(why(beside({ roles: [{ role: 'log' }] }))).to.match(/^processes of unknown answer/);
  });
  it('not without coordinators, without a process there, or with one region only', () => {
    expect(why(out(['dc2'], { quorum: false }))).to.match(/^no majority of the coordinators/);
    expect(why(out(['dc1']))).to.equal('no process of dc2 answers');
    const one = out(['dc2']);
    expect(why({ ...one, cluster: { ...one.cluster, configuration: { usable_regions: 1 } } })).to.match(/one region only/);
  });

  it('not by a status that does not tell, and by no status nothing is said', () => {
    expect(why(null)).to.equal('no-answer');
    const cutOff = { ...out(['dc2']).cluster, recovery_state: { name: 'all_logs_recruited' } };
    expect(why({ ...out(['dc2']), cluster: cutOff })).to.match(/may serve others/);
    for (const status of [{}, out(['dc2'], { available: null }), out([])]) expect(why(status)).not.to.be.oneOf(['may', 'serves']);
  });
});

describe('a forced recovery of FoundationDB', () => {
  /** FoundationDB that tells these, one a look, the last for ever. */
  function recovery(
    told: readonly (ClusterStatus | null)[],
    result: FdbcliResult = { kind: 'done', said: '' },
    served: string | null = null,
  ) {
    const forced: string[] = [];
    let looks = 0;
    const clock = new SteppedClock();
    const given: ForcedRecovery = {
      cluster: {
        status: () => Promise.resolve(told[Math.min(looks++, told.length - 1)] ?? null),
        force: (dc) => {
          forced.push(dc);
          return Promise.resolve(result);
        },
      },
      clock,
      forcing: FORCING,
      servedBy: () => Promise.resolve(served),
    };
    return { given, forced, clock };
  }
  /** What it comes to, and when. Time goes on by itself. */
  async function play<T>(clock: SteppedClock, work: Promise<T>): Promise<{ result: T; afterMs: number }> {
    const played = work.then((result) => ({ result, afterMs: clock.monotonicMs() }));
    await clock.until(LONG_MS);
    return await played;
  }
  const force = async ({ given, clock }: ReturnType<typeof recovery>) => (await play(clock, forceRecovery(given, NEVER))).result;
  const wait = async (told: readonly (ClusterStatus | null)[]): Promise<{ why: string | null; afterMs: number }> => {
    const { given, clock } = recovery(told);
    const { result, afterMs } = await play(clock, waitUntilMayForce(given, PATIENCE_MS, NEVER));
    return { why: result, afterMs };
  };
  const OUT = out(['dc2']);

  it('waits for as long as patience asks, and longer where anything else answered meanwhile', async () => {
    expect(await wait([OUT])).to.deep.equal({ why: null, afterMs: PATIENCE_MS });
    const broken = [...Array.from({ length: 30 }, () => OUT), out(['dc2', 'dc3']), OUT];
    expect(await wait(broken)).to.deep.equal({ why: null, afterMs: PATIENCE_MS + 31_000 });
    expect(await wait([null, null, OUT, null, OUT])).to.deep.equal({ why: null, afterMs: PATIENCE_MS + 2000 });
  });

  it('does not force what fails over by itself within it, what another data centre still has, or what nobody sees', async () => {
    expect((await wait([OUT, OUT, null, serving('dc2', 2)])).why).to.match(/serves/);
    expect(await wait([out(['dc2', 'dc3'])]))
      .to.deep.include({ afterMs: PATIENCE_MS })
      .and.to.have.property('why')
      .that.matches(/dc3/);
    expect((await wait([null])).why).to.match(/^FoundationDB tells no status: .*is fdbcli of their version/);
  });

  it('does not make a second database of one that still commits for a region on the other side of a cut', async () => {
    const { given, clock } = recovery([OUT], undefined, 'us-central1');
    const { result } = await play(clock, waitUntilMayForce(given, PATIENCE_MS, NEVER));
    expect(result).to.match(/still commits for us-central1/);
  });

  it('is done when it is read back, not when fdbcli says so', async () => {
    const once = recovery([null, OUT, serving('dc2', 1)]);
    expect(await force(once)).to.deep.equal({ kind: 'done' });
    expect(once.forced).to.deep.equal(['dc2']);
    // It had recovered by itself: the command does nothing then, and says nothing of it.
    for (const status of [serving('dc1', 2), serving('dc2', 2)])
      expect(await force(recovery([status]))).to.have.property('kind', 'not-done');
    expect(await force(recovery([OUT]))).to.have.property('kind', 'undecided');
    expect(await force(recovery([OUT], { kind: 'refused', said: 'Usage:' }))).to.deep.equal({
      kind: 'not-done',
      why: 'Usage:',
    });
  });

  it('is undecided where fdbcli did not finish, unless it is seen to be done', async () => {
    const unknown: FdbcliResult = { kind: 'unknown', said: 'Specified timeout reached' };
    expect(await force(recovery([serving('dc1', 2)], unknown))).to.have.property('kind', 'undecided');
    expect(await force(recovery([OUT, serving('dc2', 1)], unknown))).to.deep.equal({ kind: 'done' });
  });
});
