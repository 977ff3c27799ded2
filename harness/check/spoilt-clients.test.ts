import { expect } from 'chai';
import type { EventBody } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import { at, failover, nullHistory, type Answered, type Asked, type Handmade } from '../testing/handmade.ts';
import { editOf, objected, objections, sorted, spoilt, withScenario, type Edit } from '../testing/judged.ts';
import { judge } from './judge.ts';
import type { RunResult } from './verdict.ts';

/** Records of a run that passes, spoilt by clients that did not tell all, died or stood still. None may pass; each names the check that must say so. */

const PLAN: EventBody = {
  kind: 'fault-planned',
  fault: 'kill',
  manifestFile: 'kill.yaml',
  manifestSha256: '0'.repeat(64),
  manifestKind: 'PodChaos',
  action: 'pod-kill',
  mode: 'all',
  seed: 1,
  sources: [{ pod: 'client-us-central1', region: 'us-central1' }],
  targets: [],
  expected: { kind: 'processes-gone', pods: ['client-us-central1'], afterwards: 'held' },
  notes: [],
};

describe('records that are spoilt by clients', () => {
  describe('whole-record', () => {
    it('a client that never said that it had told everything', () => {
      const message = objected(spoilt(editOf('client-finished', (event) => (event.vantage === 'outside' ? null : event))), 'whole-record');
      expect(message).to.equal('outside never said that it had told everything');
    });
    it('the last operations of a client are not there, an acknowledged write that is lost among them', () => {
      const answer: Handmade['answer'] = (op) =>
        op.vantage === 'outside' && op.intendedMs > 6900 ? { ...failover(op), applied: false } : failover(op);
      const edit = editOf('op', (op) => (op.vantage === 'outside' && op.intendedMs > 6900 ? null : op));
      expect(objected(spoilt(edit, { answer }), 'whole-record')).to.match(/outside: \d+ of \d+ operations are not in the record/);
    });
    it('records of before clients had an event for it have a note', () => {
      const note = editOf('client-finished', ({ atMs, vantage, issued }) =>
        at(atMs, { kind: 'note', message: `vantage ${vantage} finished: ${issued} operations` }),
      );
      expect(spoilt(note).verdict.outcome).to.equal('pass');
    });
  });

  describe('of a client that the fault killed as well', () => {
    // It is killed at 4 s, by a fault that is recorded beside the one that cuts off the region.
    const vantages = ['us-east1', 'outside', 'us-central1'];
    const kill: Edit = (events) =>
      sorted([
        ...events.filter((event) => !(event.kind === 'op' && event.vantage === 'us-central1' && event.completedMs > 4000)),
        at(3998, PLAN),
        at(4001, { kind: 'fault-injected', fault: 'kill', requestedMs: 4000, acknowledgedMs: 4001 }),
      ]).filter((event) => !(event.kind === 'client-finished' && event.vantage === 'us-central1'));
    const without =
      (fromMs: number, toMs: number): Edit =>
      (events) =>
        kill(events).filter(
          (event) => !(event.kind === 'op' && event.vantage === 'us-central1' && event.intendedMs > fromMs && event.intendedMs < toMs),
        );
    const found = (edit: Edit): readonly string[] =>
      spoilt(edit, { vantages }).verdict.findings.flatMap((one) =>
        ['whole-record', 'enough-traffic'].includes(one.check) && one.outcome !== 'pass' ? [one.message] : [],
      );
    it('what it had under way may be missing, and nothing else', () => {
      expect(found(kill)).to.deep.equal([]);
      expect(found(without(1000, 3000)).join('; ')).to.match(/us-central1: \d+ of \d+ operations are not in the record/);
    });
    it('what it had been answered long before must be there, also where it is less than it can have had under way', () => {
      expect(found(without(1495, 1510)).join('; ')).to.match(/us-central1: [12] of what it had sent long before it was killed/);
      expect(found(without(3500, 3600)), 'under way for as long as its limit').to.deep.equal([]);
    });
    it('it was there until then', () => {
      expect(found(without(2500, 5000)).join('; ')).to.match(/us-central1, a witness, sent nothing more from 2\.\d+ s on/);
    });
  });

  describe('outage-seen, by clients that stood still', () => {
    // The service was there all the time; both clients had no processor for so long, and what was due meanwhile is late, or more than they can send at once.
    const asleep = (forMs: number): RunResult => {
      const lateMs = (intendedMs: number): number => (intendedMs >= 2100 && intendedMs < 2100 + forMs ? 2100 + forMs - intendedMs : 0);
      const answer: Handmade['answer'] = ({ intendedMs, seq }) => {
        const late = lateMs(intendedMs);
        const [region, epoch] = intendedMs < 5000 ? (['us-central1', 1] as const) : (['us-east1', 2] as const);
        return { outcome: late > 0 && late < 300 && seq % 2 === 0 ? 'failed' : 'ok', latencyMs: late + 5, region, epoch };
      };
      const edit = editOf('op', (op) => {
        const late = lateMs(op.intendedMs);
        const told = late > 0 ? { ...op, lateMs: late, awakeMs: op.intendedMs - 2 } : op;
        return op.outcome === 'failed' ? { ...told, reason: 'dropped' } : told;
      });
      return spoilt(edit, { answer });
    };
    it('an outage that is nothing but their own sleep', () => {
      expect(objected(asleep(280), 'outage-seen')).to.match(/a busy machine has that too/);
      expect(objected(asleep(1800), 'outage-seen')).to.match(/a busy machine has that too/);
    });
    it('and one that was there while they slept a little, is one', () => {
      const edit = editOf('op', (op) => (op.intendedMs > 2500 && op.intendedMs < 2600 ? { ...op, lateMs: 2600 - op.intendedMs } : op));
      expect(spoilt(edit).verdict.outcome).to.equal('pass');
      // A server that gives up at once, and says that a time limit of its own had passed.
      const answer: Handmade['answer'] = (op) => (failover(op).outcome === 'failed' ? { ...failover(op), latencyMs: 60 } : failover(op));
      const refused = editOf('op', (op) => (op.outcome === 'failed' ? { ...op, reason: 'http-503-timeout' } : op));
      expect(spoilt(refused, { answer }).verdict.outcome).to.equal('pass');
    });
  });

  describe('enough-traffic', () => {
    const vantages = ['us-east1', 'outside', 'us-central1'];
    it('a witness that was frozen while the region that it watches was cut off, and then stamped all that had been due', () => {
      const frozen = (untilMs: number): Edit =>
        editOf('op', (op) => {
          const isLate = op.vantage === 'us-central1' && op.intendedMs > 2000 && op.intendedMs < untilMs;
          return isLate ? { ...op, lateMs: untilMs - op.intendedMs, outcome: 'failed', reason: 'dropped' } : op;
        });
      const answer =
        (untilMs: number): Handmade['answer'] =>
        (op) =>
          op.vantage === 'us-central1' && op.intendedMs > 2000 && op.intendedMs < untilMs
            ? { ...failover(op), outcome: 'failed', latencyMs: untilMs - op.intendedMs }
            : failover(op);
      const of = (untilMs: number): RunResult => spoilt(frozen(untilMs), { vantages, answer: answer(untilMs) });
      expect(objected(of(3500), 'enough-traffic')).to.match(/^us-central1, a witness, sent nothing from 1\.986 s to 3\.500 s$/);
      expect(of(2400).verdict.outcome, of(2400).verdict.reason).to.equal('pass');
    });
  });

  describe('no-outage and write-pause, by a client that stood still', () => {
    // From 2.5 s on; what was due meanwhile it sends when it wakes, 64 at a time, and the rest not at all.
    const SLEPT_MS = 1200;
    const asleep = (op: Asked): boolean => op.vantage === 'outside' && op.intendedMs >= 2500 && op.intendedMs < 2500 + SLEPT_MS;
    const lateMs = (op: Asked): number => (asleep(op) ? 2500 + SLEPT_MS - op.intendedMs : 0);
    const played = (change: (op: Asked) => Partial<Answered> = () => ({}), writePauseMs: number | null = null): RunResult => {
      let sent = 0;
      const targets = { recoveryTimeMs: null, recoveryPointMs: 0, lostWrites: 0, writePauseMs };
      const expectation = { failover: 'none', outage: 'none', loss: 'none', mustRecover: ['us-east1', 'outside'] } as const;
      const scenario = withScenario({ method: [{ do: 'observe', forMs: 3000 }], targets, expect: expectation });
      const answer: Handmade['answer'] = (op) => {
        const dropped = asleep(op) && ++sent > 64;
        const one = {
          outcome: dropped ? 'failed' : 'ok',
          latencyMs: lateMs(op) + (dropped ? 0 : 5),
          region: 'us-central1',
          epoch: 1,
        } as const;
        return { ...one, ...change(op) };
      };
      const edit = editOf('op', (op) => ({
        ...op,
        ...(lateMs(op) > 0 ? { lateMs: lateMs(op), awakeMs: 2500 } : {}),
        ...(op.outcome === 'failed' && op.completedMs - op.intendedMs === lateMs(op) ? { reason: 'dropped' } : {}),
      }));
      return judge(nullHistory({ scenario, answer, edit }), CHECKS);
    };
    it('nobody knows whether there was service', () => {
      expect(objected(played(), 'no-outage')).to.match(
        /^outside: 8 of \d+ operations failed \(dropped\), while the client itself stood still/,
      );
      const refused = played((op) => (op.vantage === 'outside' && op.intendedMs === 5003 ? { outcome: 'failed' } : {}));
      expect(objections(refused), 'one that is no doing of its own').to.include('no-outage');
      expect(refused.verdict.outcome).to.equal('fail');
    });
    it('one that had no more to send with as nobody answered is no doing of its own', () => {
      let [sent, others] = [0, 0];
      const hangs = (op: Asked): Partial<Answered> => {
        if (op.vantage !== 'us-east1' || op.intendedMs < 2500 || op.intendedMs >= 2500 + 1600) return {};
        return ++sent > 64 ? (others++, { outcome: 'failed', latencyMs: 0 }) : { latencyMs: 2500 + 1600 - op.intendedMs };
      };
      const result = played(hangs);
      expect(others).to.be.above(0);
      expect(result.events.filter((event) => event.kind === 'op' && event.reason === 'dropped').length).to.be.above(others);
      expect(result.verdict.findings.find((one) => one.check === 'no-outage')?.outcome).to.equal('fail');
    });
    it('nor for how long no write was acknowledged', () => {
      expect(objected(played(undefined, 1000), 'write-pause')).to.match(
        /for what the clients themselves stood still it was 0\.\d+ s at most$/,
      );
      expect(played(undefined, 1300).verdict.findings.find((one) => one.check === 'write-pause')?.outcome).to.equal('pass');
      expect(played(undefined, 10).verdict.findings.find((one) => one.check === 'write-pause')?.outcome).to.equal('fail');
    });
  });
});
