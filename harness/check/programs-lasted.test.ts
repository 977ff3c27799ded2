import { expect } from 'chai';
import type { PodChanged, RunEvent } from '../history/event.ts';
import { at, SCENARIO } from '../testing/handmade.ts';
import { judged, objections, outcomeOf, sorted, withScenario } from '../testing/judged.ts';

/** What the record of a failover says of one pod's program, which nobody misses. */
const withPod =
  (pod: string, ...changes: readonly (Partial<PodChanged> & { readonly atMs: number })[]) =>
  (events: readonly RunEvent[]): readonly RunEvent[] =>
    sorted([
      ...events,
      ...changes.map(({ atMs, ...change }) =>
        at(atMs, { kind: 'pod', pod, region: pod.replace(/^\w+-/, ''), change: 'exited', pid: 7, ...change }),
      ),
    ]);
const of = (pod: string, ...changes: Parameters<typeof withPod> extends [string, ...infer Rest] ? Rest : never) =>
  judged({ edit: withPod(pod, ...changes) });

describe('programs-lasted', () => {
  const CRASH = { exitCode: 1, signal: null } as const;

  it('fails where a program of the engine crashed that nothing had been done to, though it was there again at once', () => {
    const result = of('db-us-east1', { atMs: 3000, ...CRASH }, { atMs: 3000.5, change: 'restart-scheduled' });
    expect(objections(result)).to.deep.equal(['programs-lasted']);
    expect(result.verdict.reason).to.equal(
      'programs-lasted: db-us-east1 ended by itself (exit code 1) at 3.000 s, and nothing had been done to it',
    );
    expect(outcomeOf(of('db-us-east1', { atMs: 3000, exitCode: 0, signal: null }), 'programs-lasted'), 'nor is it done').to.equal('fail');
    expect(outcomeOf(of('api-us-east1', { atMs: 3000, exitCode: null, signal: 'SIGSEGV' }), 'programs-lasted')).to.equal('fail');
  });

  it('passes where nobody ended by himself', () => {
    const killed = of('db-us-east1', { atMs: 2990, change: 'killed', signal: 'SIGTERM' }, { atMs: 3000, exitCode: 143, signal: null });
    expect(outcomeOf(killed, 'programs-lasted')).to.equal('pass');
    expect(outcomeOf(of('db-us-east1', { atMs: 500, ...CRASH }), 'programs-lasted'), 'before all was ready').to.equal('pass');
    expect(outcomeOf(of('db-us-east1', { atMs: 8209.5, ...CRASH }), 'programs-lasted'), 'when all was stopped').to.equal('pass');
    const another = of('db-us-east1', { atMs: 2990, change: 'killed', pid: 6, signal: 'SIGTERM' }, { atMs: 3000, ...CRASH });
    expect(outcomeOf(another, 'programs-lasted'), 'one before it was killed').to.equal('fail');
  });

  it('tells of what may be an answer to what was done, or is no program of the engine, and goes by', () => {
    const told = (result: ReturnType<typeof judged>): string => {
      expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
      return result.verdict.findings.find((one) => one.check === 'programs-lasted' && one.outcome === 'warn')?.message ?? '';
    };
    expect(told(of('api-us-central1', { atMs: 3000, ...CRASH }))).to.match(/; a fault had hit it$/);
    expect(outcomeOf(of('api-us-central1', { atMs: 1900, ...CRASH }), 'programs-lasted'), 'not yet').to.equal('fail');
    expect(told(of('etcd-us-east1', { atMs: 3000, ...CRASH }, { atMs: 3500, pid: 8, ...CRASH }))).to.match(
      /, 2 times; it is a server of the lab$/,
    );
    expect(told(of('db-us-east1', { atMs: 3000, exitCode: null, signal: 'SIGKILL' }))).to.match(/; somebody else killed it$/);
    const crashedLater = of('db-us-east1', { atMs: 3000, exitCode: null, signal: 'SIGKILL' }, { atMs: 3500, pid: 8, ...CRASH });
    expect(objections(crashedLater), 'which is no excuse for the next one').to.deep.equal(['programs-lasted']);
    const damage = { do: 'damage', how: 'fill-disk', object: null, of: null, region: 'us-east1' } as const;
    const scenario = withScenario({ method: [damage, ...SCENARIO.method] });
    const { findings } = judged({ scenario, edit: withPod('db-us-east1', { atMs: 3000, ...CRASH }) }).verdict;
    expect(findings.find((one) => one.check === 'programs-lasted')?.message).to.match(/; the scenario damages what it needs\)$/);
  });
});
