import { expect } from 'chai';
import { DATABASE_ITSELF, type RunEvent } from '../history/event.ts';
import { at, failover, SCENARIO, type Asked, type Handmade } from '../testing/handmade.ts';
import { outcomeOf, judged, withScenario, without, isPut } from '../testing/judged.ts';

describe('judge', () => {
  describe('lost writes', () => {
    const lastAcknowledged = (op: Asked): boolean => isPut(op, 1800, 2000) && op.vantage === 'outside';
    const losing = (answer: typeof failover) => ({ answer, edit: without('divergent-tail') });

    it('fails when the last acknowledged writes are gone, and names exactly those', () => {
      const gone: string[] = [];
      const result = judged(
        losing((op) => (lastAcknowledged(op) ? (gone.push(op.key), { ...failover(op), applied: false }) : failover(op))),
      );
      expect(outcomeOf(result, 'lost-writes')).to.equal('fail');
      expect(result.measurement.writes.lost.map((write) => write.key)).to.have.members(gone);
    });
    it('fails on one write lost in the middle as a hole, even where a loss is allowed', () => {
      const scenario = withScenario({
        expect: { ...SCENARIO.expect, loss: 'allowed' },
        targets: { ...SCENARIO.targets, recoveryPointMs: 60_000, lostWrites: 100 },
      });
      const result = judged({
        scenario,
        answer: (op) => (isPut(op, 1200, 1220) && op.vantage === 'outside' ? { ...failover(op), applied: false } : failover(op)),
      });
      expect(result.measurement.writes.lost).to.have.length(1);
      expect(outcomeOf(result, 'no-holes')).to.equal('fail');
      expect(result.verdict.outcome).to.equal('fail');
    });
    it('believes what the database itself holds, not what an engine tells of it', () => {
      const scenario = withScenario({ database: 'foundationdb' });
      let gone = '';
      const asked =
        (keep: (key: string) => boolean) =>
        (events: readonly RunEvent[]): readonly RunEvent[] =>
          events.flatMap((event) => {
            if (event.kind !== 'readback' || event.region !== 'europe-west1') return [event];
            const copy = Object.entries(event.entries ?? {});
            gone = copy.find(([key]) => key.startsWith('outside/'))?.[0] ?? '';
            const entries = Object.fromEntries(copy.filter(([key]) => keep(key)));
            return [event, { ...event, region: DATABASE_ITSELF, entries }];
          });
      const honest = judged({ scenario, edit: asked(() => true) });
      expect(honest.verdict.outcome, honest.verdict.reason).to.equal('pass');
      const lying = judged({ scenario, edit: asked((key) => key !== gone) });
      expect(lying.measurement.writes.lost.map(({ key }) => key)).to.deep.equal([gone]);
      for (const check of ['lost-writes', 'replicas-converged']) expect(outcomeOf(lying, check), check).to.equal('fail');
    });
    it('does not count a lost tail of an earlier reign as a hole', () => {
      const result = judged({
        answer: (op) => (op.intendedMs >= 1800 && op.intendedMs < 2000 ? { ...failover(op), applied: false } : failover(op)),
      });
      expect(result.measurement.writes.lost).to.not.be.empty;
      expect(result.measurement.writes.holes).to.be.empty;
      expect(outcomeOf(result, 'lost-writes')).to.equal('fail');
    });
    it('passes an allowed loss that is a tail, fits the targets and was exported', () => {
      const scenario = withScenario({
        expect: { ...SCENARIO.expect, loss: 'allowed' },
        targets: { ...SCENARIO.targets, recoveryPointMs: 1000, lostWrites: 100 },
      });
      const tail: { epoch: number; index: number; op: string; key: string; value: string }[] = [];
      const answer = (op: Asked) => {
        if (op.intendedMs < 1800 || op.intendedMs >= 2000) return failover(op);
        if (op.op !== 'get')
          tail.push({ epoch: 1, index: tail.length, op: op.op, key: op.key, value: op.op === 'put' ? `${op.vantage}/${op.seq}` : '' });
        return { ...failover(op), applied: false };
      };
      const exported = (): RunEvent => at(8000, { kind: 'divergent-tail', region: 'us-central1', file: '1-1.ndjson', entries: tail });
      const edit = (events: readonly RunEvent[]) => [...events, exported()].toSorted((a, b) => a.atMs - b.atMs);
      const result = judged({ scenario, answer, edit });
      expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
      expect(result.measurement.writes.recoveryPointMs).to.be.within(180, 260);
      expect(outcomeOf(judged({ scenario, answer }), 'engine-claims'), 'a loss that no file holds').to.equal('inconclusive');
    });
    it('fails an allowed loss that is above its targets', () => {
      const answer = (op: Asked) => (op.intendedMs >= 1800 && op.intendedMs < 2000 ? { ...failover(op), applied: false } : failover(op));
      const expectLoss = { ...SCENARIO.expect, loss: 'allowed' } as const;
      const few = withScenario({ expect: expectLoss, targets: { ...SCENARIO.targets, recoveryPointMs: null, lostWrites: 3 } });
      expect(outcomeOf(judged({ scenario: few, answer }), 'lost-writes')).to.equal('fail');
      const short = withScenario({
        expect: expectLoss,
        targets: { ...SCENARIO.targets, recoveryPointMs: 100, lostWrites: null, writePauseMs: null },
      });
      expect(outcomeOf(judged({ scenario: short, answer }), 'recovery-point')).to.equal('fail');
    });
    it('takes a write that was read for acknowledged: gone with its reign, it is lost, and no read is stale for it', () => {
      const scenario = withScenario({
        expect: { ...SCENARIO.expect, loss: 'allowed' },
        targets: { ...SCENARIO.targets, recoveryPointMs: 1000, lostWrites: 100 },
      });
      const written = new Map<string, string>();
      const read = new Set<string>();
      const answer = (op: Asked) => {
        const mine = op.key.startsWith('reg/outside/');
        if (mine && op.op === 'put' && op.intendedMs >= 1300 && op.intendedMs < 2000) {
          if (op.intendedMs < 1700) written.set(op.key, `${op.vantage}/${op.seq}`);
          return { ...failover(op), outcome: 'unknown' as const, latencyMs: 300, applied: false };
        }
        const value = written.get(op.key);
        if (op.op !== 'get' || value === undefined || op.intendedMs < 1720 || op.intendedMs >= 2000) return failover(op);
        read.add(value);
        return { ...failover(op), read: value };
      };
      const result = judged({ scenario, answer });
      expect(outcomeOf(result, 'fresh-reads')).to.equal('pass');
      expect(read.size).to.be.above(0);
      expect(result.measurement.writes.lost.map((write) => write.value)).to.have.members([...read]);
    });
    it('counts a write without an answer that was read, and is not there after the run, where nobody read the register since', () => {
      const scenario = withScenario({ replication: 'async', expect: { ...SCENARIO.expect, loss: 'allowed' } });
      const last = new Map<string, string>();
      let read = '';
      const answer = (op: Asked) => {
        if (op.op === 'put' && op.key.startsWith('reg/') && op.intendedMs < 6000) last.set(op.key, `${op.vantage}/${op.seq}`);
        // From 6 s on no register is written; the last write of this one had no answer, and was read.
        if (op.op === 'put' && op.intendedMs >= 6000 && op.key.startsWith('reg/')) return { ...failover(op), outcome: 'failed' as const };
        if (`${op.vantage}/${op.seq}` === last.get('reg/outside/0') && op.intendedMs > 5500) {
          read = `${op.vantage}/${op.seq}`;
          return { ...failover(op), outcome: 'unknown' as const, applied: true };
        }
        return failover(op);
      };
      const before = judged({ scenario, answer });
      const kept = before.events.flatMap((event) =>
        event.kind === 'op' && event.key === 'reg/outside/0' && event.op === 'put' && event.outcome === 'ok' ? [event.value ?? ''] : [],
      );
      last.clear();
      const result = judged({ scenario, answer, copy: (store) => void store.set('reg/outside/0', kept.at(-1) ?? '') });
      expect(before.measurement.writes.lost).to.have.length(0);
      expect(result.measurement.writes.lost.map(({ value }) => value)).to.deep.equal([read]);
    });
    it('counts writes of unknown outcome neither way', () => {
      for (const applied of [true, false]) {
        const result = judged({
          answer: (op) => (op.intendedMs >= 2000 && op.intendedMs < 2200 ? { ...failover(op), outcome: 'unknown', applied } : failover(op)),
        });
        expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
        expect(result.measurement.writes.unknown).to.be.above(0);
      }
    });
    it('fails when a refused write is there, and on data that nobody wrote', () => {
      const refused = judged({
        answer: (op) => (op.intendedMs >= 2000 && op.intendedMs < 2200 ? { ...failover(op), applied: true } : failover(op)),
      });
      expect(outcomeOf(refused, 'no-holes')).to.equal('fail');
      const foreign = judged({ copy: (store) => void store.set('stranger', 'x') });
      expect(outcomeOf(foreign, 'no-holes')).to.equal('fail');
    });
    it('fails on what a client may yet have written, where it said at its end that it had not, or would have written it elsewhere', () => {
      // Clients send some 400 operations; the record of the second is without its last ones, and it never said how many there were.
      const next = (change: Partial<Handmade>, key = 'outside/450') =>
        outcomeOf(judged({ ...change, copy: (store) => void store.set(key, 'outside/450') }), 'no-holes');
      expect(next({})).to.equal('fail');
      const died = (events: readonly RunEvent[]): readonly RunEvent[] =>
        events.filter((event) => !(event.kind === 'client-finished' && event.vantage === 'outside'));
      expect(next({ edit: died })).to.equal('pass');
      expect(next({ edit: died }, 'reg/outside/2'), 'a register of its own').to.not.equal('fail');
      for (const key of ['stranger', 'outside/3', 'reg/us-east1/0']) expect(next({ edit: died }, key), key).to.equal('fail');
    });
    it('fails when a key holds another value than the one acknowledged', () => {
      const result = judged({ copy: (store) => void store.set('outside/0', 'outside/1') });
      expect(outcomeOf(result, 'lost-writes')).to.equal('fail');
    });
    it('fails when a register went back to an older value', () => {
      const result = judged({ copy: (store) => void store.set('reg/outside/0', 'outside/5') });
      expect(outcomeOf(result, 'lost-writes')).to.equal('fail');
    });
    it('is inconclusive without a copy of the region that serves', () => {
      const result = judged({ edit: (events) => events.filter((event) => event.kind !== 'readback' || event.region !== 'us-east1') });
      expect(outcomeOf(result, 'lost-writes')).to.equal('inconclusive');
      expect(result.verdict.outcome).to.equal('inconclusive');
    });
    it('fails when a deleted key is there again', () => {
      const result = judged({
        answer: (op) => (op.op === 'delete' && op.intendedMs < 1500 ? { ...failover(op), applied: false } : failover(op)),
      });
      expect(outcomeOf(result, 'no-resurrection')).to.equal('fail');
    });
  });

  describe('a region that begins a new history where it was (restored from a backup)', () => {
    const restored =
      (epoch: number) =>
      (op: Asked): ReturnType<Handmade['answer']> => {
        const answered = failover(op);
        const applied = !(op.intendedMs >= 1800 && op.intendedMs < 2000);
        return { ...answered, region: 'us-central1', epoch: op.intendedMs < 2000 ? 1 : epoch, ...(applied ? {} : { applied }) };
      };
    const scenario = withScenario({
      expect: { ...SCENARIO.expect, failover: 'none', loss: 'allowed' },
      targets: { ...SCENARIO.targets, recoveryPointMs: 500, lostWrites: null },
    });
    it('may have lost its end where that is allowed', () => {
      const result = judged({ scenario, answer: restored(2) });
      for (const check of ['lost-writes', 'no-holes', 'fresh-reads', 'expected-failover'])
        expect(outcomeOf(result, check), check).to.equal('pass');
      expect(result.measurement.writes.lost.length).to.be.greaterThan(5);
    });
    it('has a hole when it goes on under the same epoch', () => {
      expect(outcomeOf(judged({ scenario, answer: restored(1) }), 'no-holes')).to.equal('fail');
    });
    it('fails where no loss is allowed', () => {
      const strict = withScenario({ expect: { ...SCENARIO.expect, failover: 'none' } });
      expect(outcomeOf(judged({ scenario: strict, answer: restored(2) }), 'lost-writes')).to.equal('fail');
    });
  });
});
