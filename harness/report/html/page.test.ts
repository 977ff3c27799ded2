import { expect } from 'chai';
import { sampleRun } from '../../testing/sample-run.ts';
import { toResultDocument } from '../result.ts';
import { reportPage } from './page.ts';

const CANARY = `"><script>alert('canary')</script><img src=x onerror="alert(1)">`;

describe('report.html', () => {
  it('escapes whatever a scenario, a check, a write or the engine says', () => {
    const run = sampleRun({ name: CANARY, reason: CANARY, lost: 1, outcome: 'fail' });
    const document = toResultDocument(run);
    const hostile = JSON.parse(JSON.stringify(document), (_, value: unknown) =>
      typeof value === 'string' && !OUTCOMES.has(value) ? CANARY : value,
    );
    for (const page of [reportPage(document), reportPage(hostile as typeof document)]) {
      expect(page).to.contain('&lt;script&gt;');
      expect(page).to.not.contain('<script').and.not.contain('<img').and.not.contain('onerror="');
    }
  });

  it('is one file: no script, no link, nothing from anywhere else, and a policy that forbids it', () => {
    const page = reportPage(toResultDocument(sampleRun()));
    expect(page).to.match(/<meta\s+http-equiv="Content-Security-Policy"\s+content="default-src &#39;none&#39;/);
    expect(page.match(/\b(?:src|href|action|data|poster)\s*=/g)).to.equal(null);
    expect(page).to.not.match(/https?:|url\(|@import|javascript:/);
  });

  it('shows the verdict, the three figures and what the run does not prove', () => {
    const page = reportPage(toResultDocument(sampleRun({ lost: 10, outcome: 'fail', reason: '10 writes are gone' })));
    for (const text of ['Failed', '10 writes are gone', '2.41–2.46 s', '182 ms', 'What this does not prove', 'client-us-central1/489']) {
      expect(page).to.contain(text);
    }
  });

  it('does not say of a pause of writes that nobody asked for it where the scenario does', () => {
    const result = toResultDocument(sampleRun());
    const asked = { name: 'write-pause', asked: 3000, unit: 'ms', measured: 2446, text: '2.45 s', outcome: 'pass' } as const;
    expect(reportPage(result)).to.contain('Longest pause of writes');
    expect(reportPage({ ...result, targets: [...result.targets, asked] })).to.not.contain('Longest pause of writes');
  });

  it('draws where the time went for the worst of many faults only', () => {
    const result = toResultDocument(sampleRun());
    const [fault] = result.faults;
    if (fault === undefined) throw new Error('no fault');
    const many = { ...result, faults: Array.from({ length: 30 }, (_, n) => (n === 7 ? fault : { ...fault, fault: `flap-${n}` })) };
    const headings = reportPage(many).match(/Where the time went: [\w-]+/g);
    expect(headings).to.deep.equal([`Where the time went: ${fault.fault}`]);
  });

  it('draws a run without fault, one without operations and one that was aborted', () => {
    const empty = toResultDocument(
      sampleRun({ fault: false, outcome: 'inconclusive', recovery: { state: 'not-measured', reason: 'no load' } }),
    );
    const aborted = {
      ...empty,
      availability: [],
      vantages: [],
      lag: [],
      reigns: [],
      aborted: { code: 'lab-failed', message: 'no namespaces' },
    };
    expect(reportPage(toResultDocument(sampleRun({ fault: false })))).to.contain('no outage');
    expect(reportPage(aborted)).to.contain('The run was aborted').and.not.contain('NaN').and.not.contain('undefined');
  });
});

/** Words of the schema that choose a shape; everything else is text. */
const OUTCOMES = new Set([
  'pass',
  'fail',
  'inconclusive',
  'warn',
  'skipped',
  'recovered',
  'recovery-time',
  'recovery-point',
  'lost-writes',
  'ms',
  'writes',
]);
