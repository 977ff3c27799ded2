import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { CHECKS } from '../registry.ts';
import { at, failover, failoverHistory, nullHistory, SCENARIO, type Asked } from '../testing/handmade.ts';
import { judge } from './judge.ts';
import { linearizableWithin } from './linearizable.ts';
import { editOf, judged, objections, sorted, withScenario, type Edit } from '../testing/judged.ts';
import type { RunResult } from './verdict.ts';

/** The same history, with these events as well. */
const withAlso =
  (...more: readonly RunEvent[]): Edit =>
  (events) =>
    sorted([...events, ...more]);
const claimsIn = ({ verdict }: RunResult) => verdict.findings.find((one) => one.check === 'engine-claims');

/** Histories that look like a pass and are none. Each names the check that must say so. */
describe('histories that look like a pass', () => {
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
      return claimsIn(judge(nullHistory({ edit: withAlso(complete(to)) }), CHECKS))?.outcome;
    };
    expect(claims('us-central1')).to.equal('pass');
    expect(claims('us-east1')).to.equal('inconclusive');
  });

  it('a failover that had promoted when the record ended may have moved the service; one that ended, or promoted nobody, has not', () => {
    const said = (action: string, details = {}) =>
      at(5000, { kind: 'engine-log', pod: 'c', action, line: { correlation_id: 'f2', details } });
    const claims = (...said: readonly RunEvent[]) => {
      const unsaid = (event: RunEvent) => event.kind !== 'engine-log' || event.action !== 'failover_complete';
      const edit = (events: readonly RunEvent[]) => sorted([...events.filter(unsaid), ...said]);
      return claimsIn(judged({ edit }))?.outcome;
    };
    const [begun, promoted] = [said('failover_initiated'), said('promoted', { region: 'us-east1' })];
    expect(claims(begun, promoted)).to.equal('pass');
    expect(claims(begun)).to.equal('inconclusive');
    expect(claims(promoted), 'of no failover').to.equal('inconclusive');
    expect(claims(begun, promoted, said('failover_undone'))).to.equal('inconclusive');
    expect(claims(begun, said('promoted', { region: 'us-central1' }))).to.equal('inconclusive');
  });

  it('a failover that promoted long before the record ended, and never was complete, has hung', () => {
    const claims = (laterMs: number) => {
      const edit = (events: readonly RunEvent[]) => {
        const readbackMs = events.findLast((event) => event.kind === 'phase' && event.phase === 'readback')!.atMs;
        const unfinished = events.filter((event) => event.kind !== 'engine-log' || event.action !== 'failover_complete');
        const said = [
          at(5000, { kind: 'engine-log', pod: 'c', action: 'failover_initiated', line: { correlation_id: 'f2' } }),
          at(5001, { kind: 'engine-log', pod: 'c', action: 'promoted', line: { correlation_id: 'f2', details: { region: 'us-east1' } } }),
        ];
        return [...unfinished, ...said]
          .map((event) => (event.atMs >= readbackMs ? { ...event, atMs: event.atMs + laterMs } : event))
          .toSorted((a, b) => a.atMs - b.atMs);
      };
      return claimsIn(judged({ edit }))?.outcome;
    };
    expect([claims(0), claims(40_000)]).to.deep.equal(['pass', 'inconclusive']);
  });

  it('a region that the log says was promoted under an epoch, under which another one answered', () => {
    const claims = (region: string, epoch: number, ...others: readonly string[]) => {
      const said = [region, ...others].map((one, index) =>
        at(3990 + index, { kind: 'engine-log', pod: 'c', action: 'promoted', line: { details: { region: one, epoch } } }),
      );
      return claimsIn(judged({ edit: withAlso(...said) }));
    };
    expect(claims('europe-west1', 2)?.message).to.match(
      /europe-west1 was promoted under epoch 2, and clients had answers under it from us-east1/,
    );
    expect(claims('us-east1', 2)?.outcome).to.equal('pass');
    expect(claims('europe-west1', 2, 'us-east1')?.outcome, 'which took its place').to.equal('pass');
    expect(claims('europe-west1', 3)?.outcome, 'under which nobody answered').to.equal('pass');
  });

  it('a database that says that it takes writes when another does so under a newer epoch, though nobody was there to write', () => {
    const claims = (atMs: number, change: object = {}) => {
      const status = (region: string, epoch: number, statusMs: number, over: object) =>
        at(statusMs, { kind: 'engine-status', region, program: 'db', ok: true, body: { role: 'primary', writable: true, epoch, ...over } });
      const said = [status('us-east1', 2, 3900, {}), status('us-central1', 1, atMs, change)];
      return claimsIn(judged({ edit: withAlso(...said) }));
    };
    expect(claims(7100)?.message).to.match(
      /^us-central1 said 1 time\(s\) that it takes writes under epoch 1, when us-east1 did so under epoch 2$/,
    );
    expect(claims(6800)?.outcome, 'it may have been asked before').to.equal('pass');
    for (const change of [{ writable: false }, { role: 'standby' }, { epoch: 3 }]) expect(claims(7100, change)?.outcome).to.equal('pass');
  });

  it('a loss that is greater than the log had told, or than was accepted', () => {
    const approve = ['approve', '--accept-data-loss=1'];
    const lossOf = (fromMs: number, estimatedLossSeconds: number) => {
      const line = { details: { blocker: 'loss', estimatedLossSeconds } };
      const said = [
        at(1950, { kind: 'engine-log', pod: 'dr-controller-us-east1', action: 'awaiting_approval', line }),
        at(3990, { kind: 'order', args: approve, givenMs: 3000, endedMs: 3990, exitCode: 0 }),
      ];
      const scenario = withScenario({
        replication: 'async',
        foundationdb: 'pair',
        database: 'foundationdb',
        expect: { ...SCENARIO.expect, loss: 'allowed' },
        targets: { ...SCENARIO.targets, recoveryPointMs: 60_000, lostWrites: null },
        method: [...SCENARIO.method, { do: 'order', args: approve, exits: 0, atMostMs: 5000 }],
        workload: { ...SCENARIO.workload, timeoutMs: 300 },
      });
      const edit = withAlso(...said);
      const isGone = (op: Asked): boolean => op.op !== 'get' && op.intendedMs >= fromMs && op.intendedMs < 2000;
      const answer = (op: Asked) => (isGone(op) ? { ...failover(op), applied: false } : failover(op));
      return objections(judged({ scenario, edit, answer })).filter((check) => ['engine-claims', 'operator-orders'].includes(check));
    };
    expect(lossOf(1600, 1)).to.deep.equal([]);
    expect(lossOf(1300, 0.2), 'within what was accepted').to.deep.equal(['engine-claims']);
    expect(lossOf(600, 2), 'as it was told').to.deep.equal(['operator-orders']);
  });

  it('a search for an order that takes too long is undecided, never a pass', () => {
    const result = judge(failoverHistory(), [linearizableWithin(5)]);
    expect(result.verdict.outcome).to.equal('inconclusive');
    expect(result.verdict.reason).to.match(/more than 5 steps for \d+ operations; not decided/);
  });

  it('keeps a pass where nothing is wrong', () => {
    expect(judged({ scenario: withScenario({}) }).verdict.outcome).to.equal('pass');
  });
});
