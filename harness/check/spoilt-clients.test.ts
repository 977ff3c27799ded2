import { expect } from 'chai';
import type { EventBody } from '../history/event.ts';
import { at, failover, type Handmade } from '../testing/handmade.ts';
import { editOf, objected, sorted, spoilt, type Edit } from '../testing/judged.ts';
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
});
