import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { VerdictOutcome } from '../check/verdict.ts';
import { toResultDocument } from '../report/result.ts';
import type { ResultDocument } from '../report/result-shape.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { playedRun, playedShape, type PlayedRun } from './failover.ts';
import { failoverHolds, warning } from './failover-table.ts';
import { keptRuns, type KeptRuns } from './kept-runs.ts';
import { playKept } from './play-kept.ts';

const result = (name: string, outcome: VerdictOutcome, isComplete = true): ResultDocument => {
  const document = toResultDocument(sampleRun({ name, outcome }));
  const complete = {
    check: 'run-complete',
    outcome: isComplete ? ('pass' as const) : ('inconclusive' as const),
    message: '',
    evidence: [],
  };
  return { ...document, findings: [...document.findings, complete] };
};

describe('game days of a bench in pieces', () => {
  let folder = '';
  let kept: KeptRuns<PlayedRun>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kept-'));
    kept = keptRuns('some', playedShape, folder);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const SCENARIOS = ['one-way-mute', 'one-way-deaf'];
  /** `results`: what the program tells; null: it ends without a word. `interrupted`: somebody ends the bench meanwhile. */
  async function play(results: readonly ResultDocument[] | null, interrupted = false): Promise<void> {
    const bench = new AbortController();
    const day = {
      name: 'one-way',
      revision: 'c0ffee',
      scenarios: SCENARIOS,
      play: async () => {
        if (interrupted) bench.abort(new Error('interrupted'));
        if (results === null) throw new Error('ended without a result');
        return await Promise.resolve(results);
      },
      runOf: (one: ResultDocument) => playedRun('scenarios/one-way.yaml', one, 1),
    };
    await playKept(kept, day, bench.signal).catch(() => undefined);
  }
  const told = (): readonly string[] => kept.all().map(({ scenario, verdict }) => `${scenario} ${verdict.outcome}`);

  it('are kept, each run of them', async () => {
    await play([result('one-way-mute', 'pass'), result('one-way-deaf', 'fail')]);
    expect(told()).to.deep.equal(['one-way-mute pass', 'one-way-deaf fail']);
    expect(kept.brokenOff()).to.deep.equal([]);
  });

  it('that somebody interrupts leave what they had shown: a run that failed is not played again until it passes', async () => {
    await play([result('one-way-mute', 'fail'), result('one-way-deaf', 'inconclusive', false)], true);
    expect(told()).to.deep.equal(['one-way-mute fail']);
    await play([result('one-way-mute', 'fail', false)], true);
    expect(told(), 'in the middle').to.deep.equal(['one-way-mute fail', 'one-way-mute fail']);
    await play([result('one-way-mute', 'pass'), result('one-way-deaf', 'inconclusive')], true);
    expect(told().slice(2)).to.deep.equal(['one-way-mute pass', 'one-way-deaf inconclusive']);
    await play(null, true);
    expect(kept.brokenOff()).to.deep.equal([]);
  });

  it('that break off are missed, whatever is played later', async () => {
    await play(null);
    await play([result('one-way-mute', 'pass')]);
    await play([result('one-way-mute', 'pass'), result('one-way-deaf', 'pass')]);
    kept.begin({ begun: 'one-way', wall: '2026-11-29T00:00:00.000Z', revision: 'c0ffee' }); // and somebody kills the bench
    const brokenOff = kept.brokenOff();
    expect(brokenOff.map(({ begun }) => begun)).to.deep.equal(['one-way', 'one-way', 'one-way']);
    const asked = { scenarios: SCENARIOS, repeat: 1 };
    const one = { runId: 'a', verdict: { outcome: 'pass', reason: '' }, revision: 'c0ffee', expectFailover: 'ordered' } as const;
    const checks = { lostWrites: 'pass', singlePrimary: 'pass', expectedFailover: 'pass' } as const;
    const runs = kept.all().map((run) => ({ ...run, ...one, checks }));
    expect(failoverHolds(runs, asked)).to.equal(true);
    expect(failoverHolds(runs, { ...asked, brokenOff })).to.equal(false);
    expect(warning(runs, { ...asked, brokenOff }).join('\n')).to.contain('- one-way, begun 2026-11-29T00:00:00.000Z: broke off');
    kept.clear();
    expect(kept.brokenOff()).to.deep.equal([]);
  });
});
