import { expect } from 'chai';
import type { RunEvent, Beacon, FaultEffect, ReachabilityCell } from '../history/event.ts';
import { at, SCENARIO } from '../testing/handmade.ts';
import { partitionEvents, type HandmadeFault } from '../testing/handmade-fault.ts';
import type { RunResult } from './verdict.ts';
import { judgeProcesses } from '../fault/process-effect.ts';
import { judgeFreeze } from '../fault/freeze-effect.ts';
import { judged, withScenario, objections, editOf } from '../testing/judged.ts';

/** Histories that look like a pass and are none. Each names the check that must say so. */
describe('histories that look like a pass', () => {
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
    it('one of its links was back for a moment, and lost again until it was healed', () => {
      expect(objections(judged({ edit: beacons('after-heal', { firstBackSentMs: 3010 }) }))).to.include('fault-healed');
    });
    it('its links lost nothing from the look at its effect until it was healed', () => {
      const passed = { lastArrivedSentMs: 6050, firstLostSentMs: null, lastLostSentMs: null, firstArrivedAgainSentMs: null };
      const edit = editOf('fault-effect', (event) => {
        if (event.moment !== 'after-heal' || event.evidence.kind !== 'links') return event;
        const { betweenMs: _, skewMs: __, ...others } = event;
        return { ...others, evidence: { kind: 'links', beacons: event.evidence.beacons.map((one) => ({ ...one, ...passed })) } };
      });
      expect(objections(judged({ edit }))).to.include('fault-healed');
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
    it('a pod came while it lasted, with another name than any that it was done to', () => {
      const came = (atMs: number, pod: string) => (events: readonly RunEvent[]) =>
        [...events, at(atMs, { kind: 'pod', pod, region: 'us-central1', change: 'started', pid: 9 })].toSorted((a, b) => a.atMs - b.atMs);
      const result = judged({ edit: came(3000, 'api-us-central1-x7k2p') });
      expect(objections(result)).to.include('fault-healed');
      expect(result.verdict.reason).to.match(/api-us-central1-x7k2p came while it lasted, and nobody saw its links/);
      for (const harmless of [came(1500, 'api-us-central1-x7k2p'), came(6050, 'api-us-central1-x7k2p'), came(3000, 'api-us-central1')])
        expect(objections(judged({ edit: harmless }))).to.deep.equal([]);
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
      const change = (atMs: number, pod: string, what: 'exited' | 'started' | 'killed', pid: number) =>
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
      // A node that is drained: its pods are deleted, and their owner makes others.
      const drained = history([change(3500, 'db-us-east1', 'killed', 7), change(3600, 'db-us-east1-x7k2p', 'started', 8)]);
      expect(objections(drained)).to.include('fault-healed');
      expect(drained.verdict.reason).to.match(/db-us-east1 was over 2500 ms before it was healed/);
      expect(objections(history([change(2003, 'db-us-east1', 'killed', 7)])), 'by the fault itself').to.deep.equal([]);
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
    /** beside: another fault of these pods, and when it was planned. */
    const history = (
      last: readonly RunEvent[],
      beside: { readonly pods: readonly string[]; readonly atMs: number } | null = null,
    ): RunResult => {
      const freeze = [seen(1999, 'before', 'S'), seen(2010, 'during', 'T'), ...last, seen(6010, 'after-heal', 'S')];
      const edit = (events: readonly RunEvent[]): readonly RunEvent[] => {
        const others = events.filter((event) => event.kind !== 'fault-effect' && event.kind !== 'reachability');
        const planned = others.flatMap((event): readonly RunEvent[] => {
          if (event.kind !== 'fault-planned') return [event];
          const own = { ...event, expected };
          return beside === null ? [own] : [own, { ...own, ...beside, fault: 'beside', expected: { ...expected, pods: beside.pods } }];
        });
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
    it('and that another fault held still as well', () => {
      const last = [seen(5990, 'before-heal', 'T')];
      const both = ['db-us-central1', 'db-us-east1'];
      const of = (pods: readonly string[], atMs: number): readonly string[] =>
        history(last, { pods, atMs }).verdict.findings.flatMap((one) =>
          /beside holds some of it still/.test(one.message) ? [one.check] : [],
        );
      expect(of(both, 1990)).to.include.members(['fault-effective', 'fault-healed']);
      expect(of(both, 4000), 'from then on').to.include('fault-healed');
      expect(of(['db-us-east1'], 1990)).to.deep.equal([]);
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
});
