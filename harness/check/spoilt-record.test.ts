import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { at, failover, nullHistory, SCENARIO, type Asked, type Handmade } from '../testing/handmade.ts';
import { editOf, judged, objected, sorted, spoilt, type Edit } from '../testing/judged.ts';
import { judge } from './judge.ts';
import type { RunResult } from './verdict.ts';

/** Records of a run that passes, each spoilt so that nobody can know any more what the run was. None may pass; each names the check that must say so. */

describe('records that are spoilt', () => {
  it('pass before they are', () => {
    for (const result of [judged(), judge(nullHistory(), CHECKS)]) expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
  });

  describe('record-in-order', () => {
    it('an event that was recorded before the one above it', () => {
      const late: Edit = (events) => [
        ...events.slice(0, -1).filter(({ kind }) => kind !== 'dns'),
        at(3000, { kind: 'note', message: 'x' }),
        ...events.slice(-1),
      ];
      expect(objected(spoilt(late), 'record-in-order')).to.match(/the clock went back/);
    });
    it('an answer that came before the question, or that was recorded before it came', () => {
      const early = editOf('op', (op) => (op.seq === 100 ? { ...op, completedMs: op.intendedMs - 1 } : op));
      expect(objected(spoilt(early), 'record-in-order')).to.match(/ended before it began/);
      const ahead = editOf('op', (op) => (op.seq === 100 ? { ...op, completedMs: op.completedMs + 1 } : op));
      expect(objected(spoilt(ahead), 'record-in-order')).to.match(/in the record before it had ended/);
    });
    it('more after the end of the run, or two ends', () => {
      const more: Edit = (events) => [...events, at((events.at(-1)?.atMs ?? 0) + 1, { kind: 'note', message: 'x' })];
      expect(objected(spoilt(more), 'record-in-order')).to.match(/goes on after its end/);
      const twice: Edit = (events) => [
        ...events.slice(0, -1),
        at(events.at(-1)?.atMs ?? 0, { kind: 'run-ended', leftovers: ['netns x'] }),
        ...events.slice(-1),
      ];
      expect(objected(spoilt(twice), 'record-in-order')).to.match(/goes on after its end/);
    });
    it('a machine that was suspended while the service was away: its own clock did not count that', () => {
      const asleep: Edit = (events) =>
        events.map((event) => (event.atMs > 3000 ? { ...event, wall: new Date(Date.parse(event.wall) + 60_000).toISOString() } : event));
      expect(objected(spoilt(asleep), 'record-in-order')).to.match(/the wall clock moved by 60000 ms against the clock that measures/);
      // Written down a second after it was stamped, by a writer that had to wait for a processor.
      const waited: Edit = (events) =>
        events.map((event, index) =>
          index % 50 === 0 ? { ...event, wall: new Date(Date.parse(event.wall) + 1000).toISOString() } : event,
        );
      expect(spoilt(waited).verdict.outcome).to.equal('pass');
    });
    it('a fault that was injected or healed twice, a region that was read back twice', () => {
      const again =
        (kind: 'fault-injected' | 'fault-healed', ms: number): Edit =>
        (events) =>
          sorted([...events, at(ms, { kind, fault: 'isolation', requestedMs: ms - 4, acknowledgedMs: ms - 1 })]);
      expect(objected(spoilt(again('fault-healed', 2300)), 'record-in-order')).to.match(/fault-healed of isolation is there 2 times/);
      expect(objected(spoilt(again('fault-injected', 5000)), 'record-in-order')).to.match(/fault-injected of isolation is there 2 times/);
      const read: Edit = (events) => events.flatMap((event): readonly RunEvent[] => (event.kind === 'readback' ? [event, event] : [event]));
      expect(objected(spoilt(read), 'record-in-order')).to.match(/readback of us-central1 is there 2 times/);
    });
  });

  describe('steady-before', () => {
    it('the service had left its region before any client was there to see it', () => {
      const started = (primaryRegion: string): Edit => editOf('run-started', (event) => ({ ...event, primaryRegion }));
      expect(objected(spoilt(started('us-east1')), 'steady-before')).to.match(/had moved already \(us-east1 → us-central1\)/);
      expect(spoilt(started('us-central1')).verdict.outcome).to.equal('pass');
    });
    it('a steady state that was shorter than the scenario asks for', () => {
      const edit: Edit = (events) =>
        sorted(editOf('phase', (event) => (event.phase === 'steady' ? { ...event, atMs: 1995 } : event))(events));
      expect(objected(spoilt(edit), 'steady-before')).to.match(/steady for 5 ms only, of 1000/);
    });
    it('a steady state so short that nothing was due in it', () => {
      const short: Edit = editOf('phase', (event) => (event.phase === 'steady' ? { ...event, atMs: 1999 } : event));
      const edit: Edit = (events) =>
        sorted(short(events).filter((event) => event.kind !== 'op' || event.completedMs < 1990 || event.intendedMs > 2000));
      const scenario: Scenario = { ...SCENARIO, steadyMs: 1 };
      const { findings } = judged({ scenario, edit }).verdict;
      expect(findings.find(({ check }) => check === 'steady-before')?.outcome).to.equal('inconclusive');
    });
    // Somebody looks for half a second at the links that are to be cut.
    const looked: Edit = (events) =>
      sorted(editOf('phase', (event) => (event.phase === 'inject' ? { ...event, atMs: 1500 } : event))(events)).map((event) =>
        event.kind === 'phase' && event.phase === 'steady' ? { ...event, atMs: 500 } : event,
      );
    it('a service that went away between the steady state and the fault', () => {
      expect(judged({ edit: (events) => sorted(looked(events)) }).verdict.outcome).to.equal('pass');
      const gone = (op: Asked) => (op.intendedMs > 1600 ? failover({ ...op, intendedMs: Math.max(op.intendedMs, 2000) }) : failover(op));
      const result = judged({ answer: gone, edit: (events) => sorted(looked(events)) });
      expect(objected(result, 'steady-before')).to.match(/before the fault: \d+ of \d+ operations failed/);
    });
    it('a service whose answers had not come any more when the fault came', () => {
      const hung = (op: Asked) => (op.intendedMs > 1600 && op.intendedMs < 2000 ? { ...failover(op), latencyMs: 900 } : failover(op));
      const result = judged({ answer: hung, edit: (events) => sorted(looked(events)) });
      expect(objected(result, 'steady-before')).to.match(/before the fault: \d+ of \d+ operations were slow/);
    });
  });

  describe('steady-before, where the method waits before the fault', () => {
    const T0_MS = 5000;
    const method: Scenario['method'] = [{ do: 'observe', forMs: 2500 }, ...SCENARIO.method];
    const phases: Edit = (events) => {
      const atMs = [2000, T0_MS - 10, T0_MS + 100];
      let index = 0;
      return sorted(
        events.map((event) =>
          event.kind === 'phase' && ['observe', 'inject'].includes(event.phase)
            ? at(atMs[index++] ?? 0, { kind: 'phase', phase: event.phase })
            : event,
        ),
      );
    };
    /** It is out between the first two instants too, by nothing that anybody did. */
    const waited = (fromMs: number, toMs: number, movedMs = T0_MS + 300): RunResult =>
      judged({
        scenario: { ...SCENARIO, method },
        loadEndMs: 9000,
        fault: { t0Ms: T0_MS, t1Ms: [T0_MS + 2, T0_MS + 6], healedMs: 8000 },
        edit: phases,
        answer: ({ intendedMs: ms }) => {
          const [region, epoch] = ms < movedMs ? (['us-central1', 1] as const) : (['us-east1', 2] as const);
          const isOut = (ms >= fromMs && ms < toMs) || (ms > T0_MS && ms < T0_MS + 300);
          return { outcome: isOut ? 'failed' : 'ok', latencyMs: 5, region, epoch };
        },
      });
    it('a service that was out before the fault came, whose recovery would be counted from the fault', () => {
      expect(waited(0, 0).verdict.outcome, waited(0, 0).verdict.reason).to.equal('pass');
      expect(objected(waited(2500, 5500), 'steady-before')).to.match(/before the fault: \d+ of \d+ operations failed/);
      expect(objected(waited(2500, 4500), 'steady-before')).to.match(/before the fault: \d+ of \d+ operations failed/);
    });
    it('a service that had moved before the fault came', () => {
      expect(objected(waited(0, 0, 4000), 'steady-before')).to.match(/had moved already \(us-central1 → us-east1\)/);
    });
  });

  describe('method-followed', () => {
    const withMethod = (method: Scenario['method']): Partial<Handmade> => ({ scenario: { ...SCENARIO, method } });
    it('a step that was never taken', () => {
      const method: Scenario['method'] = [...SCENARIO.method, { do: 'observe', forMs: 100 }];
      expect(judged(withMethod(method)).verdict.outcome).to.equal('pass');
      const skipped: Edit = editOf('phase', (event) => (event.phase === 'observe' && event.atMs > 5000 ? null : event));
      expect(objected(spoilt(skipped, withMethod(method)), 'method-followed')).to.match(/asks for inject, observe, heal, observe/);
    });
    it('an observation that was cut short', () => {
      const shorter: Edit = (events) =>
        sorted(editOf('phase', (event) => (event.phase === 'heal' ? { ...event, atMs: 2500 } : event))(events));
      const result = judge(nullHistory({ edit: shorter }), CHECKS);
      expect(objected(result, 'method-followed')).to.match(/observed for 500 ms, not for 3000/);
    });
  });

  describe('fault-effective', () => {
    it('nobody looked at the state before the fault', () => {
      const edit = editOf('fault-effect', (event) => (event.moment === 'before' ? null : event));
      expect(objected(spoilt(edit), 'fault-effective')).to.match(/nobody looked at the state before it/);
    });
    it('its effect was seen only when it had been healed already, or before it was injected', () => {
      const moved =
        (ms: number): Edit =>
        (events) =>
          sorted(
            events.map((event) =>
              (event.kind === 'fault-effect' || event.kind === 'reachability') && event.moment === 'during'
                ? { ...event, atMs: ms }
                : event,
            ),
          );
      expect(objected(spoilt(moved(6030)), 'fault-effective')).to.match(/looked for its effect when it had been healed/);
      expect(objected(spoilt(moved(1999.5)), 'fault-effective')).to.match(/looked for its effect before it was injected/);
    });
    it('whether it was gone was looked at before it was healed', () => {
      const edit: Edit = (events) =>
        sorted(
          events.map((event) =>
            (event.kind === 'fault-effect' || event.kind === 'reachability') && event.moment === 'after-heal'
              ? { ...event, atMs: 5900 }
              : event,
          ),
        );
      expect(objected(spoilt(edit), 'fault-healed')).to.match(/before it was healed/);
    });
  });

  describe('fault-healed', () => {
    it('a fault that outlived the duration of its manifest', () => {
      const lasting = (durationMs: number): Edit => editOf('fault-planned', (event) => ({ ...event, durationMs }));
      expect(spoilt(lasting(60_000)).verdict.outcome, 'healed early, as the method says').to.equal('pass');
      expect(objected(spoilt(lasting(200)), 'fault-healed')).to.match(/lets it last .+, and it was healed .+ after that/);
    });
  });

  describe('outage-seen', () => {
    it('an outage that is one late answer', () => {
      const late =
        (count: number): Handmade['answer'] =>
        ({ intendedMs }) => ({
          outcome: 'ok',
          latencyMs: intendedMs >= 3000 && intendedMs < 3000 + 20 * count ? 300 : 5,
          region: 'us-central1',
          epoch: 1,
        });
      const scenario = { ...SCENARIO, expect: { ...SCENARIO.expect, failover: 'none' } } as const;
      const of = (count: number) => judged({ scenario, answer: late(count) });
      expect(objected(of(1), 'outage-seen')).to.match(/a busy machine has that too/);
      expect(of(20).verdict.outcome, of(20).verdict.reason).to.equal('pass');
    });
  });

  describe('replicas-converged', () => {
    it('a region of the lab was neither asked nor read back', () => {
      const edit = editOf('readback', (event) => (event.region === 'europe-west1' ? null : event));
      expect(objected(spoilt(edit), 'replicas-converged')).to.equal('europe-west1 was never read back');
    });
    it('nobody asked FoundationDB itself, but only the engine', () => {
      const scenario = { ...SCENARIO, database: 'foundationdb' } as const;
      expect(
        objected(
          spoilt((events) => events, { scenario }),
          'replicas-converged',
        ),
      ).to.equal('the database itself was never read back');
    });
    it('redundancy was there before the fault, and nobody saw it afterwards', () => {
      const edit: Edit = (events) => sorted(editOf('redundancy-restored', (event) => ({ ...event, atMs: 1500 }))(events));
      const result = spoilt(edit);
      expect(result.verdict.outcome, result.verdict.reason).to.equal('fail');
      expect(result.verdict.reason).to.match(/redundancy was not seen to be restored/);
    });
  });
});
