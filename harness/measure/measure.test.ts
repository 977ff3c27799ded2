import { expect } from 'chai';
import fc from 'fast-check';
import type { RunEvent } from '../history/event.ts';
import { failover, failoverHistory, nullHistory, SCENARIO } from '../testing/handmade.ts';
import { editOf } from '../testing/judged.ts';
import { measure } from './measure.ts';
import { firstSustained, longestGapMs, type ServiceSample } from './service.ts';
import { viewRun } from './view.ts';

const measured = (events: readonly RunEvent[]) => measure(viewRun(events));

describe('measure', () => {
  it('finds nothing lost, stale, split or missing where a correct system answers at any speed and in any order', () => {
    const latencies = fc.array(fc.integer({ min: 1, max: 240 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(latencies, (ms) => {
        const answer = ({ seq }: { readonly seq: number }) =>
          ({ outcome: 'ok', latencyMs: ms[seq % ms.length] ?? 1, region: 'us-central1', epoch: 1 }) as const;
        // Some were late by their clients, or looked for the service for a while: they left when the rest of their time began.
        const late = editOf('op', (op) => {
          const tookMs = op.completedMs - op.intendedMs;
          return { ...op, lateMs: Math.round((tookMs * 10 * (op.seq % 3)) / 4) / 10, dnsMs: (tookMs * (op.seq % 5)) / 8 };
        });
        const { writes, reads, reigns, replicas, writePause } = measured(nullHistory({ answer, edit: late, loadEndMs: 3000 }));
        expect(writes).to.deep.include({ lost: [], holes: [], resurrected: [], phantoms: [], foreign: [], recoveryPointMs: 0 });
        expect(reads.stale).to.deep.equal([]);
        expect(reigns).to.deep.include({ changes: 0, splitBrain: [] });
        expect(replicas.differences).to.deep.equal([]);
        expect(writePause?.pauseMs).to.be.below(1000);
      }),
      { numRuns: 25 },
    );
  });

  it('counts exactly the unique writes that were dropped, whichever they are, and names them', () => {
    const chosen = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 12 });
    fc.assert(
      fc.property(chosen, (dropped) => {
        const gone: string[] = [];
        const history = nullHistory({
          loadEndMs: 2500,
          copy: (store) => {
            const keys = [...store.keys()].filter((key) => key.startsWith('outside/'));
            for (const index of dropped) {
              const key = keys[index];
              if (key !== undefined && store.delete(key)) gone.push(key);
            }
          },
        });
        expect(measured(history).writes.lost.map((write) => write.key)).to.have.members(gone);
      }),
      { numRuns: 20 },
    );
  });

  it('does not depend on what the vantages are called', () => {
    const events = failoverHistory({
      answer: (op) => (op.seq % 17 === 3 && op.intendedMs < 2000 ? { ...failover(op), applied: false } : failover(op)),
    });
    const renamed = JSON.parse(JSON.stringify(events).replaceAll('outside', 'faraway')) as RunEvent[];
    const [before, after] = [measured(events), measured(renamed)];
    expect(before.writes.lost.length).to.be.above(0);
    expect(after.writes.lost.length).to.equal(before.writes.lost.length);
    expect(after.writes.holes.length).to.equal(before.writes.holes.length);
    expect(after.recovery.state).to.equal(before.recovery.state);
  });

  it('measures the same from the recorded text as from memory', () => {
    const events = failoverHistory();
    expect(measured(JSON.parse(JSON.stringify(events)) as RunEvent[])).to.deep.equal(measured(events));
  });

  it('shows the longest pause of writes also where nothing fails over', () => {
    const answer = ({ intendedMs }: { readonly intendedMs: number }) =>
      ({
        outcome: 'ok',
        latencyMs: intendedMs > 2500 && intendedMs < 2700 ? 2710 - intendedMs : 5,
        region: 'us-central1',
        epoch: 1,
      }) as const;
    const { writePause, recovery } = measured(nullHistory({ answer }));
    expect(writePause?.pauseMs).to.be.within(180, 240);
    expect(recovery).to.deep.equal({ state: 'not-measured', reason: 'no fault was planned' });
  });
});

describe('sustained service', () => {
  const { workload } = SCENARIO;
  const sample = (index: number, good = true): ServiceSample => ({
    intendedMs: index * 20,
    completedMs: index * 20 + 5,
    outcome: good ? 'ok' : 'failed',
  });

  it('begins with the first of enough consecutive good operations', () => {
    const samples = Array.from({ length: 40 }, (_, index) => sample(index, index >= 7));
    expect(firstSustained(samples, workload)).to.equal(7);
    expect(firstSustained(samples.slice(0, 12), workload)).to.equal(-1);
  });
  it('is no service when operations are missing from the schedule', () => {
    const samples = Array.from({ length: 40 }, (_, index) => sample(index)).filter((_, index) => index < 8 || index > 20);
    expect(firstSustained(samples, workload)).to.equal(8);
  });
  it('knows the longest silence, at both ends too', () => {
    const samples = [sample(10), sample(11), sample(40)];
    expect(longestGapMs(samples, 0, 1000)).to.equal(29 * 20);
    expect(longestGapMs([], 0, 1000)).to.equal(1000);
  });
});
