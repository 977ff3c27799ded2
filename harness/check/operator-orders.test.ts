import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { at, failover, SCENARIO, type Asked } from '../testing/handmade.ts';
import type { RunResult } from './verdict.ts';
import { judged, withScenario, objections } from '../testing/judged.ts';

/** Histories that look like a pass and are none. Each names the check that must say so. */
describe('histories that look like a pass', () => {
  describe('orders of the operator', () => {
    const step = { do: 'order', args: ['switchover', '--target=us-east1'], exits: 0, atMostMs: 5000 } as const;
    const order = (
      change: {
        readonly givenMs?: number;
        readonly endedMs?: number;
        readonly exitCode?: number | null;
        readonly args?: readonly string[];
        readonly said?: string;
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
    it('one that was to be refused, and crashed', () => {
      const refused = (said?: string) => {
        const method = [{ do: 'observe', forMs: 10 }, step, { ...step, exits: 1 }] as const;
        const [obeyed, crashed] = [order(), order({ endedMs: 4300, exitCode: 1, ...(said === undefined ? {} : { said }) })];
        return objections(ordered([obeyed, crashed], { method }));
      };
      expect(refused('refused          there is a run already\n')).to.deep.equal([]);
      expect(refused('TypeError: x is not a function\n    at order (file:///dist/src/cli.js:10:5)\n')).to.include('operator-orders');
      expect(refused('')).to.include('operator-orders');
      expect(refused()).to.include('operator-orders');
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
});
