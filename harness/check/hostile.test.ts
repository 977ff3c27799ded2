import { expect } from 'chai';
import { judgeProcesses } from '../fault/process-effect.ts';
import { judgeFreeze } from '../fault/freeze-effect.ts';
import type { Beacon, FaultEffect, ReachabilityCell, RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { at, failover, failoverHistory, nullHistory, SCENARIO, type Asked, type Handmade } from '../testing/handmade.ts';
import { partitionEvents, type HandmadeFault } from '../testing/handmade-fault.ts';
import { judge } from './judge.ts';
import { linearizableWithin } from './linearizable.ts';
import type { RunResult } from './verdict.ts';

/** Histories that look like a pass and are none. Each names the check that must say so. */

const judged = (change: Partial<Handmade> = {}): RunResult => judge(failoverHistory(change), CHECKS);
const withScenario = (change: Partial<Scenario>): Scenario => ({ ...SCENARIO, ...change });
function objections(result: RunResult): readonly string[] {
  return result.verdict.findings.filter((one) => one.outcome === 'fail' || one.outcome === 'inconclusive').map((one) => one.check);
}
/** What the check says of a service of which nothing fails, where these answers take 900 ms. */
function brownOut(late: (intendedMs: number) => boolean, change: Partial<Handmade> = {}, brownOutMs: number | null = null) {
  const answer = ({ intendedMs }: Asked) =>
    ({ outcome: 'ok', latencyMs: late(intendedMs) ? 900 : 5, region: 'us-central1', epoch: 1 }) as const;
  const played = nullHistory({ answer, loadEndMs: 12_000, ...change });
  const stated = played.map((event) => {
    if (event.kind !== 'run-started') return event;
    const scenario = event.scenario as Scenario;
    return { ...event, scenario: { ...scenario, targets: { ...scenario.targets, brownOutMs } } };
  });
  const found = judge(stated, CHECKS).verdict.findings.filter((one) => one.check === 'brown-out');
  return found.find((one) => one.outcome !== 'pass') ?? found[0] ?? { outcome: 'none', message: 'nobody asked' };
}
const editOf =
  <K extends RunEvent['kind']>(kind: K, change: (event: Extract<RunEvent, { kind: K }>) => RunEvent | null) =>
  (events: readonly RunEvent[]): readonly RunEvent[] =>
    events.flatMap((event) => (event.kind === kind ? (change(event as Extract<RunEvent, { kind: K }>) ?? []) : [event]));

describe('histories that look like a pass', () => {
  describe('operations missing from the record', () => {
    it('one acknowledged write that is lost, and whose line was dropped', () => {
      let dropped = '';
      const result = judged({
        answer: (op) => {
          const chosen = op.vantage === 'outside' && op.op === 'put' && !op.key.startsWith('reg/') && op.intendedMs === 1503;
          if (chosen) dropped = op.key;
          return chosen ? { ...failover(op), applied: false } : failover(op);
        },
        edit: (events) => events.filter((event) => event.kind !== 'op' || event.key !== dropped),
      });
      expect(dropped).to.not.equal('');
      expect(objections(result)).to.include('whole-record');
      expect(result.verdict.outcome).to.equal('inconclusive');
    });
    it('all clients fell silent right after the recovery', () => {
      const result = judged({ edit: editOf('op', (op) => (op.intendedMs > 4700 ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('a client that is not judged died silently, and with it the witness in its region', () => {
      const vantages = ['us-central1', 'us-east1', 'outside'];
      expect(judged({ vantages }).verdict.outcome).to.equal('pass');
      const result = judged({ vantages, edit: editOf('op', (op) => (op.vantage === 'us-central1' && op.intendedMs > 2500 ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('a client that is not judged never said a word', () => {
      const vantages = ['us-central1', 'us-east1', 'outside'];
      const result = judged({ vantages, edit: editOf('op', (op) => (op.vantage === 'us-central1' ? null : op)) });
      expect(objections(result)).to.include('enough-traffic');
      const told = result.verdict.findings.filter((one) => one.check === 'enough-traffic').map((one) => one.message);
      expect(told).to.deep.equal(['us-central1, a witness, never sent anything']);
    });
    it('a fifth of the schedule was never sent', () => {
      const skipped = (op: { readonly vantage: string; readonly intendedMs: number }): boolean =>
        op.vantage === 'outside' && Math.floor(op.intendedMs / 20) % 5 === 0 && op.intendedMs > 1000;
      const renumbered = new Map<string, number>();
      const result = judged({
        edit: editOf('op', (op) => {
          if (skipped(op)) return null;
          const seq = renumbered.get(op.vantage) ?? 0;
          renumbered.set(op.vantage, seq + 1);
          return { ...op, seq };
        }),
      });
      expect(objections(result)).to.include('enough-traffic');
    });
    it('one region was never read back', () => {
      const status = { kind: 'engine-status', region: 'europe-west1', program: 'db', ok: true, body: {} } as const;
      const result = judged({
        edit: (events) => [
          ...events.filter((event) => event.kind !== 'readback' || event.region !== 'europe-west1').slice(0, -1),
          at(8300, status),
          ...events.slice(-1),
        ],
      });
      expect(objections(result)).to.include('replicas-converged');
    });
  });

  describe('service that is not back', () => {
    it('outages that each fit the objective, but together do not', () => {
      const flapping = (op: Asked) =>
        op.intendedMs >= 4500 && op.intendedMs < 6300 ? { ...failover(op), outcome: 'failed' as const } : failover(op);
      const result = judged({ answer: flapping });
      expect(new Set(objections(result))).to.deep.equal(new Set(['stayed-back']));
      expect(result.verdict.outcome).to.equal('fail');
    });
    it('where no outage may be: answers that all come too late until the end', () => {
      expect(brownOut((ms) => ms >= 3000, { loadEndMs: 7000 }).outcome).to.equal('fail');
    });
    it('where no outage may be: answers that all come too late for five seconds, and then in time again', () => {
      const { outcome, message } = brownOut((ms) => ms >= 3000 && ms < 8000);
      expect(outcome, message).to.equal('fail');
      expect(message).to.match(/us-east1: answers came too late for 4\.9\d+ to 5\.\d+ s .*the limit is 2\.000 s \(by default\)/);
    });
    it('where no outage may be: every other answer comes too late for five seconds', () => {
      expect(brownOut((ms) => ms >= 3000 && ms < 8000 && Math.floor(ms / 20) % 2 === 0).outcome).to.equal('fail');
    });
    it('where no outage may be: too late again and again, each time for less than the limit', () => {
      expect(brownOut((ms) => ms >= 3000 && ms < 13_000 && ms % 2000 < 1400, { loadEndMs: 15_000 }).outcome).to.equal('fail');
    });
    it('where no outage may be: too late for longer than the limit that the scenario states', () => {
      const late = (ms: number) => ms >= 3000 && ms < 3600;
      expect(brownOut(late).outcome).to.equal('pass');
      expect(brownOut(late, {}, 500).outcome).to.equal('fail');
    });
    it('where no outage may be: what was late while the client stood still is nobody else’s, and proves nothing either', () => {
      const late = (ms: number) => ms >= 3000 && ms < 3400;
      const awake = brownOut(late, {}, 100);
      expect(awake.outcome, awake.message).to.equal('fail');
      const edit = editOf('op', (op) => (late(op.intendedMs) ? { ...op, completedMs: 3405, lateMs: 3400 - op.intendedMs } : op));
      const slept = brownOut(late, { edit }, 100);
      expect(slept.outcome, slept.message).to.equal('inconclusive');
      expect(brownOut(late, { edit }).outcome).to.equal('pass');
    });
  });

  it('a second region that acknowledges from an address that nobody knows', () => {
    const result = judged({
      edit: editOf('op', (op) =>
        op.vantage === 'outside' && op.intendedMs > 5000 && op.op === 'put' ? { ...op, address: '10.77.66.66', claimedEpoch: 7 } : op,
      ),
    });
    expect(objections(result)).to.include('single-primary');
  });

  describe('a fault that was not what was asked', () => {
    const partition = (change: Partial<HandmadeFault>) => (events: readonly RunEvent[]) => {
      const others = events.filter((event) => !('fault' in event));
      const told = { fault: 'isolation', t0Ms: 2000, t1Ms: [2002, 2006], healedMs: 6000, ...change } as const;
      return [...others, ...partitionEvents(told)].toSorted((a, b) => a.atMs - b.atMs);
    };
    const beacons = (moment: string, change: Partial<Beacon>) =>
      editOf('fault-effect', (event) =>
        event.moment === moment && event.evidence.kind === 'links'
          ? { ...event, evidence: { kind: 'links', beacons: event.evidence.beacons.map((one) => ({ ...one, ...change })) } }
          : event,
      );
    const sweeps = (moment: string, change: (cell: ReachabilityCell) => ReachabilityCell | null) =>
      editOf('reachability', (event) =>
        event.moment === moment ? { ...event, cells: event.cells.flatMap((cell) => change(cell) ?? []) } : event,
      );
    it('its record says that it was confirmed, and the sweep in the same record that it was not', () => {
      const passing = judged({ edit: sweeps('during', (cell) => ({ ...cell, received: cell.sent })) });
      expect(objections(passing)).to.include('fault-effective');
      expect(passing.verdict.outcome).to.equal('inconclusive');
      expect(passing.measurement.recovery.state).to.equal('not-measured');
    });
    it('half of the lab was not looked at while it lasted', () => {
      const result = judged({
        edit: sweeps('during', (cell) => (cell.from === 'api-europe-west1' && cell.to === 'api-us-east1' ? null : cell)),
      });
      expect(objections(result)).to.include('fault-effective');
      expect(result.verdict.reason).to.match(/not measured: api-europe-west1>api-us-east1\/4/);
    });
    it('its record holds no sweep', () => {
      expect(objections(judged({ edit: editOf('reachability', () => null) }))).to.include('fault-effective');
    });
    it('it was recorded as begun at another time than its beacons say', () => {
      const result = judged({
        edit: editOf('fault-effect', (event) => (event.moment === 'during' ? { ...event, betweenMs: [2500, 2510] } : event)),
      });
      expect(objections(result)).to.include('fault-effective');
      expect(result.verdict.reason).to.match(/recorded to have changed in \[2500, 2510\], but its own evidence says \[2002, 2006\]/);
    });
    it('its effect was there before anybody asked for it', () => {
      const result = judged({ edit: partition({ t1Ms: [1900, 1950] }) });
      expect(objections(result)).to.include('fault-effective');
    });
    it('it was never injected', () => {
      expect(objections(judged({ edit: editOf('fault-injected', () => null) }))).to.include('fault-effective');
    });
    it('it was over before it was healed', () => {
      const back = { lastLostSentMs: 3000, firstArrivedAgainSentMs: 3010 };
      expect(objections(judged({ edit: beacons('after-heal', back) }))).to.include('fault-healed');
    });
    it('one of its links was back before it was healed, and the others were not', () => {
      const edit = editOf('fault-effect', (event) => {
        if (event.moment !== 'after-heal' || event.evidence.kind !== 'links') return event;
        const [beacon] = event.evidence.beacons;
        const early = { ...beacon!, to: 'api-europe-west1', lastLostSentMs: 3000, firstArrivedAgainSentMs: 3010 };
        const skewMs = 6010 - 3000;
        return { ...event, skewMs, evidence: { kind: 'links', beacons: [beacon!, early] } };
      });
      const result = judged({ edit });
      expect(objections(result)).to.include('fault-healed');
      expect(result.verdict.reason).to.match(/api-us-central1>api-europe-west1\/4 was over 2990 ms before it was healed/);
    });
    it('nobody watched its links until it was healed', () => {
      const edit = editOf('fault-effect', (event) => {
        if (event.moment !== 'after-heal') return event;
        const { betweenMs: _, skewMs: __, ...others } = event;
        return { ...others, evidence: { kind: 'links', beacons: [] } };
      });
      expect(objections(judged({ edit }))).to.include('fault-healed');
    });
    it('one of the pods that it was to hold down had started again before it was healed', () => {
      const pods = ['db-us-central1', 'db-us-east1'];
      const expected = { kind: 'processes-gone', pods, afterwards: 'held' } as const;
      const run = (pid: number) => pods.map((pod) => ({ pod, pid, startedTicks: pid, command: 'node', state: 'S' }));
      const change = (atMs: number, pod: string, what: 'exited' | 'started', pid: number) =>
        at(atMs, { kind: 'pod', pod, region: 'us-central1', change: what, pid });
      const history = (early: readonly RunEvent[]): RunResult => {
        const changes = [...pods.flatMap((pod) => [change(2004, pod, 'exited', 7), change(6005, pod, 'started', 9)]), ...early];
        const seen = (atMs: number, moment: 'before' | 'during' | 'after-heal', now: ReturnType<typeof run>): RunEvent => {
          const requestedMs = moment === 'after-heal' ? 6000 : 2000;
          return at(
            atMs,
            judgeProcesses({ fault: 'isolation', moment, expected, before: run(7), now, changes: changes as never, requestedMs }),
          );
        };
        const told = [seen(1999, 'before', run(7)), seen(2010, 'during', []), seen(6010, 'after-heal', run(9))];
        const edit = (events: readonly RunEvent[]): readonly RunEvent[] => {
          const others = events.filter((event) => event.kind !== 'fault-effect' && event.kind !== 'reachability');
          const planned = others.map((event) => (event.kind === 'fault-planned' ? { ...event, expected } : event));
          return [...planned, ...changes, ...told].toSorted((a, b) => a.atMs - b.atMs);
        };
        return judged({ edit });
      };
      expect(objections(history([]))).to.deep.equal([]);
      const result = history([change(3000, 'db-us-east1', 'started', 8), change(5000, 'db-us-east1', 'exited', 8)]);
      expect(objections(result)).to.include('fault-healed');
      expect(result.verdict.reason).to.match(/db-us-east1 was over 3000 ms before it was healed/);
    });
  });

  describe('a program that stands still', () => {
    const expected = { kind: 'processes-frozen', pods: ['db-us-central1'], share: 1 } as const;
    const seen = (atMs: number, moment: FaultEffect['moment'], state: string, pid = 7): RunEvent => {
      const states = [{ atMs, pod: 'db-us-central1', pid, state }];
      const had = [{ atMs: 2010, pod: 'db-us-central1', pid: 7, state: 'T' }];
      const requestedMs = moment === 'after-heal' ? 6000 : 2000;
      return at(atMs, judgeFreeze({ fault: 'isolation', moment, expected, states, requestedMs, had }));
    };
    const history = (last: readonly RunEvent[]): RunResult => {
      const freeze = [seen(1999, 'before', 'S'), seen(2010, 'during', 'T'), ...last, seen(6010, 'after-heal', 'S')];
      const edit = (events: readonly RunEvent[]): readonly RunEvent[] => {
        const others = events.filter((event) => event.kind !== 'fault-effect' && event.kind !== 'reachability');
        const planned = others.map((event) => (event.kind === 'fault-planned' ? { ...event, expected } : event));
        return [...planned, ...freeze].toSorted((a, b) => a.atMs - b.atMs);
      };
      return judged({ edit });
    };
    it('until it is healed, passes', () => {
      const result = history([seen(5990, 'before-heal', 'T')]);
      expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
    });
    it('and went on, or was replaced by one that runs, before it was healed', () => {
      for (const last of [seen(5990, 'before-heal', 'S'), seen(5990, 'before-heal', 'S', 99), seen(5990, 'before-heal', 'T', 99)]) {
        const result = history([last]);
        expect(objections(result)).to.include('fault-healed');
        expect(result.verdict.reason).to.match(/over before it was healed/);
      }
    });
    it('and at which nobody looked before it was healed', () => {
      expect(objections(history([]))).to.include('fault-healed');
    });
  });

  describe('an armed fault', () => {
    const arm = { do: 'arm', fault: 'leader', manifest: 'leader.yaml', at: 'sealed' } as const;
    const outcomes = (result: RunResult) =>
      result.verdict.findings.flatMap((one) => (one.check.startsWith('fault-') && one.outcome === 'inconclusive' ? [one.message] : []));
    it('that never fired, beside another that did', () => {
      const result = judged({ scenario: withScenario({ method: [arm, ...SCENARIO.method] }) });
      expect(result.verdict.outcome, result.verdict.reason).to.equal('inconclusive');
      expect(objections(result)).to.include.members(['fault-effective', 'fault-healed']);
      expect(outcomes(result)).to.include('leader was never planned: no program that it selects logged sealed');
    });
    it('that never fired, alone', () => {
      const method = [arm, { do: 'observe', forMs: 3000 }] as const;
      const scenario = withScenario({ method, expect: { ...SCENARIO.expect, outage: 'allowed' } });
      expect(objections(judged({ scenario, fault: null }))).to.include.members(['fault-effective', 'fault-healed']);
    });
    it('that fired, and of whose effect nobody said anything', () => {
      const method = [{ ...arm, fault: 'isolation' }, ...SCENARIO.method.slice(1)];
      const unseen = editOf('fault-effect', (event) => (event.moment === 'during' ? null : event));
      expect(objections(judged({ scenario: withScenario({ method }), edit: unseen }))).to.include('fault-effective');
    });
    it('that did what it should is as good as an injected one', () => {
      const method = [{ ...arm, fault: 'isolation' }, ...SCENARIO.method.slice(1)];
      const result = judged({ scenario: withScenario({ method }) });
      expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
      expect(result.verdict.findings.find((one) => one.check === 'fault-effective')?.outcome).to.equal('pass');
    });
  });

  describe('a manifest of several experiments', () => {
    const twice =
      (change: (event: RunEvent) => RunEvent = (event) => event) =>
      (events: readonly RunEvent[]) =>
        events.flatMap((event): RunEvent[] =>
          'fault' in event && event.fault === 'isolation'
            ? [{ ...event, fault: 'isolation:NetworkChaos/a' }, change({ ...event, fault: 'isolation:NetworkChaos/b' })]
            : [event],
        );
    it('passes when each had its effect', () => {
      const result = judged({ edit: twice() });
      expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
    });
    it('is undecided when one of them had none', () => {
      const open = (event: RunEvent): RunEvent =>
        event.kind === 'reachability' ? { ...event, cells: event.cells.map((cell) => ({ ...cell, received: cell.sent })) } : event;
      const result = judged({ edit: twice(open) });
      expect(objections(result)).to.include('fault-effective');
    });
  });

  describe('reads that go back', () => {
    /** The last read of this client of this register gives what it held some writes before. */
    const lastReadOf = (vantage: string, key: string) => (events: readonly RunEvent[]) => {
      const operations = events.filter((event) => event.kind === 'op');
      const last = operations.findLast((op) => op.op === 'get' && op.vantage === vantage && op.key === key);
      const writes = operations.filter((op) => op.op === 'put' && op.key === key && op.outcome === 'ok');
      const older = writes.filter((op) => op.completedMs < (last?.intendedMs ?? 0)).at(-6);
      return events.map((event) => (event === last ? { ...last, value: older?.value ?? null } : event));
    };
    it("behind a client's own write", () => {
      const result = judged({ edit: lastReadOf('us-east1', 'reg/us-east1/1') });
      expect(objections(result)).to.include.members(['linearizable', 'session-guarantees']);
      const told = result.verdict.findings.filter((one) => one.check === 'session-guarantees').map((one) => one.message);
      expect(told.join()).to.match(
        /read your writes: broken 1 time\(s\): us-east1 read reg\/us-east1\/1 as us-east1\/\d+ after us-east1\/\d+/,
      );
    });
    it('behind what a client had read before', () => {
      const result = judged({ edit: lastReadOf('outside', 'reg/us-east1/1') });
      const told = result.verdict.findings.filter((one) => one.check === 'session-guarantees').map((one) => one.message);
      expect(told.join()).to.match(/monotonic reads: broken 1 time\(s\): outside read reg\/us-east1\/1/);
    });
    it('after the failover, to what the old primary had: allowed in async mode only for what may be lost', () => {
      const scenario = withScenario({ replication: 'async', expect: { ...SCENARIO.expect, loss: 'allowed' } });
      const result = judged({ scenario, edit: lastReadOf('outside', 'reg/us-east1/1') });
      expect(objections(result)).to.include('session-guarantees').and.not.include('linearizable');
      const unread = (events: readonly RunEvent[]) =>
        editOf('readback', (event) => ({ ...event, ok: false }))(lastReadOf('outside', 'reg/us-east1/1')(events));
      const unknown = judged({ scenario, edit: unread }).verdict.findings.find((one) => one.check === 'session-guarantees');
      expect(unknown?.outcome, 'what was lost is not known').to.equal('inconclusive');
    });
  });

  it('a failover that began anew and ended where it had begun is no lie of the engine: clients saw no change', () => {
    const complete = (to: string) =>
      at(5000, { kind: 'engine-log', pod: 'c', action: 'failover_complete', line: { correlation_id: 'f2', details: { to } } });
    const claims = (to: string) => {
      const edit = (events: readonly RunEvent[]) => [...events, complete(to)].toSorted((a, b) => a.atMs - b.atMs);
      return judge(nullHistory({ edit }), CHECKS).verdict.findings.find((one) => one.check === 'engine-claims')?.outcome;
    };
    expect(claims('us-central1')).to.equal('pass');
    expect(claims('us-east1')).to.equal('inconclusive');
  });

  it('a failover that had promoted when the record ended may have moved the service; one that ended, or promoted nobody, has not', () => {
    const said = (action: string, details = {}) =>
      at(5000, { kind: 'engine-log', pod: 'c', action, line: { correlation_id: 'f2', details } });
    const claims = (...said: readonly RunEvent[]) => {
      const unsaid = (event: RunEvent) => event.kind !== 'engine-log' || event.action !== 'failover_complete';
      const edit = (events: readonly RunEvent[]) => [...events.filter(unsaid), ...said].toSorted((a, b) => a.atMs - b.atMs);
      return judge(failoverHistory({ edit }), CHECKS).verdict.findings.find((one) => one.check === 'engine-claims')?.outcome;
    };
    const [begun, promoted] = [said('failover_initiated'), said('promoted', { region: 'us-east1' })];
    expect(claims(begun, promoted)).to.equal('pass');
    expect(claims(begun)).to.equal('inconclusive');
    expect(claims(promoted), 'of no failover').to.equal('inconclusive');
    expect(claims(begun, promoted, said('failover_undone'))).to.equal('inconclusive');
    expect(claims(begun, said('promoted', { region: 'us-central1' }))).to.equal('inconclusive');
  });

  it('a search for an order that takes too long is undecided, never a pass', () => {
    const result = judge(failoverHistory(), [linearizableWithin(5)]);
    expect(result.verdict.outcome).to.equal('inconclusive');
    expect(result.verdict.reason).to.match(/more than 5 steps for \d+ operations; not decided/);
  });

  describe('orders of the operator', () => {
    const step = { do: 'order', args: ['switchover', '--target=us-east1'], exits: 0, atMostMs: 5000 } as const;
    const order = (
      change: {
        readonly givenMs?: number;
        readonly endedMs?: number;
        readonly exitCode?: number | null;
        readonly args?: readonly string[];
      } = {},
    ) => at(change.endedMs ?? 4100, { kind: 'order', args: step.args, givenMs: 2000, endedMs: 4100, exitCode: 0, ...change });
    const ordered = (given: readonly RunEvent[], change: Partial<Scenario> = {}): RunResult => {
      const scenario = withScenario({
        method: [{ do: 'observe', forMs: 10 }, step],
        expect: { ...SCENARIO.expect, failover: 'ordered', outage: 'allowed' },
        targets: { recoveryTimeMs: null, recoveryPointMs: 0, lostWrites: 0, writePauseMs: 3000 },
        ...change,
      });
      const moved = at(4100, { kind: 'engine-log', pod: 'c', action: 'failover_complete', line: { correlation_id: 'f1' } });
      const edit = (events: readonly RunEvent[]) => [...events, ...given, moved].toSorted((a, b) => a.atMs - b.atMs);
      return judged({ scenario, fault: null, edit });
    };
    it('one that was obeyed passes', () => {
      const result = ordered([order()]);
      expect(objections(result), result.verdict.reason).to.deep.equal([]);
    });
    it('one that was refused, or never ended', () => {
      expect(objections(ordered([order({ exitCode: 1 })]))).to.include('operator-orders');
      expect(objections(ordered([order({ exitCode: null })]))).to.include('operator-orders');
      expect(ordered([]).verdict.findings.find((one) => one.check === 'operator-orders')?.outcome).to.equal('inconclusive');
    });
    it('a move before it was ordered', () => {
      const result = ordered([order({ givenMs: 5000, endedMs: 5100 })]);
      expect(objections(result)).to.include('expected-failover');
    });
    const failoverOf = (result: RunResult) => result.verdict.findings.find((one) => one.check === 'expected-failover');
    const obeyed = (args: readonly string[]): RunResult =>
      ordered([order({ args })], {
        method: [
          { do: 'observe', forMs: 10 },
          { ...step, args },
        ],
      });
    it('a move to another region than the ordered one', () => {
      for (const words of ['switchover --target=europe-west1', 'failover --target europe-west1 --force', 'failback']) {
        const found = failoverOf(obeyed(words.split(' ')));
        expect(found?.outcome, words).to.equal('fail');
        expect(found?.message).to.match(/us-east1 served from .* but (europe-west1|us-central1) was ordered/);
      }
      expect(failoverOf(obeyed(['failover', '--force', '--target', 'us-east1']))?.outcome).to.equal('pass');
    });
    it('an approval moves it to whomever the engine chose, but not before it was given', () => {
      const approve = ['approve', '--accept-data-loss=30'];
      expect(failoverOf(obeyed(approve))?.outcome).to.equal('pass');
      const early = ordered([order({ args: approve, givenMs: 5000, endedMs: 5100 })]);
      expect(failoverOf(early)?.outcome).to.equal('fail');
    });
    it('there and back again goes where it was ordered to', () => {
      const back = (op: Asked) =>
        op.intendedMs < 5500 ? failover(op) : ({ outcome: 'ok', latencyMs: 5, region: 'us-central1', epoch: 3 } as const);
      const home = (region: string) => {
        const second = { do: 'order', args: ['failback'], exits: 0, atMostMs: 5000 } as const;
        const given = [order(), at(5600, { kind: 'order', args: second.args, givenMs: 5450, endedMs: 5600, exitCode: 0 })];
        const scenario = withScenario({ method: [step, second], expect: { ...SCENARIO.expect, failover: 'ordered', outage: 'allowed' } });
        const edit = (events: readonly RunEvent[]) => [...events, ...given].toSorted((a, b) => a.atMs - b.atMs);
        const answer = (op: Asked) => (op.intendedMs < 5500 ? back(op) : { ...back(op), region });
        return failoverOf(judged({ scenario, fault: null, edit, answer }))?.outcome;
      };
      expect(home('us-central1')).to.equal('pass');
      expect(home('europe-west1')).to.equal('fail');
    });
    it('a rehearsal that moves the service', () => {
      const found = failoverOf(obeyed([...step.args, '--dry-run']));
      expect(found?.outcome, found?.message).to.equal('fail');
    });
    it('a pause of writes that is longer than the objective', () => {
      const targets = { recoveryTimeMs: null, recoveryPointMs: 0, lostWrites: 0, writePauseMs: 1500 };
      expect(objections(ordered([order()], { targets }))).to.deep.equal(['write-pause']);
    });
    it('more than one move where at most one is allowed', () => {
      const twice = (op: Asked) =>
        op.intendedMs < 5500 ? failover(op) : ({ outcome: 'ok', latencyMs: 5, region: 'europe-west1', epoch: 3 } as const);
      const once = withScenario({ expect: { ...SCENARIO.expect, failover: 'at-most-one' } });
      expect(objections(judged({ scenario: once, answer: twice }))).to.include('expected-failover');
      const result = judged({ scenario: { ...once, expect: { ...once.expect, failover: 'at-most-one' } } });
      expect(result.verdict.findings.find((one) => one.check === 'expected-failover')?.outcome).to.equal('pass');
    });
  });

  it('keeps a pass where nothing is wrong', () => {
    expect(judged({ scenario: withScenario({}) }).verdict.outcome).to.equal('pass');
  });
});
