import { expect } from 'chai';
import { playedRun } from '../bench/failover.ts';
import { judge } from '../check/judge.ts';
import type { RunResult } from '../check/verdict.ts';
import { shortResult } from '../commands/run.ts';
import type { EventBody } from '../history/event.ts';
import { bulkValue, recordedEntries } from '../measure/bulk-values.ts';
import { CHECKS } from '../registry.ts';
import type { Step } from '../scenario/scenario.ts';
import { at, failoverHistory, SCENARIO } from '../testing/handmade.ts';
import { digestMarkdown, digestOf } from './digest.ts';
import { reportPage } from './html/page.ts';
import { toResultDocument } from './result.ts';
import { summaryMarkdown } from './summary.ts';
import { resultsTable } from './table.ts';

const STEP: Step = { do: 'bulk', name: 'many', perSecond: 100, forMs: 1000, valueBytes: 100, mayFail: 0 };
const LOAD: EventBody = {
  kind: 'bulk',
  name: 'many',
  startedMs: 0,
  endedMs: 1000,
  exitCode: 0,
  summary: { metrics: { iterations: { count: 100 }, http_reqs: { count: 100 }, http_req_failed: { value: 0, fails: 100 } } },
  acknowledged: Array.from({ length: 100 }, (_, n) => n),
};

/** Of a hundred acknowledged writes of a bulk load so many are gone, where fifty may be lost. */
function losing(count: number): RunResult {
  const scenario = {
    ...SCENARIO,
    method: [STEP, ...SCENARIO.method],
    expect: { ...SCENARIO.expect, loss: 'allowed' as const },
    targets: { ...SCENARIO.targets, recoveryPointMs: null, lostWrites: 50 },
  };
  const kept = Array.from({ length: 100 - count }, (_, n) => `bulk/many/${n}`);
  const values = Object.entries(recordedEntries(new Map(kept.map((key) => [key, bulkValue(key, 100)]))));
  const events = failoverHistory({
    scenario,
    copy: (store) => values.forEach(([key, value]) => store.set(key, value)),
    edit: (plain) => [...plain, at(6050, LOAD)].toSorted((a, b) => a.atMs - b.atMs),
  });
  return judge(events, CHECKS);
}

describe('acknowledged writes of a bulk load that are gone', () => {
  const run = losing(30);
  const result = toResultDocument(run);

  it('are lost in every report, also where so many may be', () => {
    expect(run.verdict.outcome).to.equal('pass');
    expect(run.verdict.reason).to.match(/0 of \d+ acknowledged writes lost, and 30 of the bulk load/);
    expect(result.targets.find(({ name }) => name === 'lost-writes')).to.include({ measured: 30, text: '30 writes', outcome: 'pass' });
    expect(summaryMarkdown(result))
      .to.match(/\| lost writes \| ≤ 50 \| 30 writes \| pass \|/)
      .and.match(/30 of them are of a bulk load/);
    expect(resultsTable([result], { color: false })).to.match(/region-isolation +pass .* 30 +≤/);
    expect(digestMarkdown(digestOf([{ folder: 'x', result }], { names: [], times: 1 }))).to.match(/\| pass \| [^|]+ \| 30 \|/);
    expect(shortResult({ folder: 'x', result }).lostWrites).to.equal(30);
    expect(playedRun('x.yaml', result, 0).lost).to.equal(30);
    expect(reportPage(result))
      .to.include('30 acknowledged writes of a bulk load are missing')
      .and.not.include('No acknowledged write is missing');
  });

  it('are told only where there are some', () => {
    const whole = losing(0);
    expect(whole.verdict.reason).to.match(/0 of \d+ acknowledged writes lost$/);
    expect(reportPage(toResultDocument(whole)))
      .to.include('No acknowledged write is missing')
      .and.not.include('of a bulk load are missing');
  });
});

it('where no copy could be read nothing is told of what is lost', () => {
  const events = failoverHistory({
    edit: (plain) =>
      plain.map((event) => (event.kind === 'readback' ? at(event.atMs, { kind: 'readback', region: event.region, ok: false }) : event)),
  });
  const page = reportPage(toResultDocument(judge(events, CHECKS)));
  expect(page).to.include('nothing can be said').and.not.include('Every one of them is kept');
});
