import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { HarnessError } from '../platform/errors.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { allureFiles } from './allure.ts';
import { duration, span, whole } from './figures.ts';
import { reportPage } from './html/page.ts';
import { junitXml } from './junit.ts';
import { toResultDocument } from './result.ts';
import { resultShape } from './result-shape.ts';
import { summaryMarkdown } from './summary.ts';
import { resultsTable } from './table.ts';
import { writeReports, writeUnjudged } from './write.ts';

describe('reports of a run', () => {
  it('result.json keeps its published schema, for every kind of run', () => {
    const runs = [
      sampleRun(),
      sampleRun({ lost: 10, outcome: 'fail' }),
      sampleRun({ fault: false }),
      sampleRun({ recovery: { state: 'censored', lowerMs: 12_000, vantage: 'client-outside', fault: 'isolate-primary' }, outcome: 'fail' }),
      sampleRun({ recovery: { state: 'not-measured', reason: 'the load never started' }, outcome: 'inconclusive' }),
      { ...sampleRun(), events: [] },
    ];
    for (const run of runs) {
      const document = toResultDocument(run);
      expect(resultShape.parse(JSON.parse(JSON.stringify(document)))).to.deep.equal(document);
    }
  });

  it('tells the platform that it was played on, whatever the scenario says, and what that does not prove', () => {
    const run = sampleRun();
    const events = run.events.map((event) => (event.kind === 'run-started' ? { ...event, platform: 'kubernetes' } : event));
    const result = toResultDocument({ ...run, events });
    expect(result.scenario.platform).to.equal('kubernetes');
    expect(result.whatThisDoesNotProve.join(' ')).to.include("stood in for Chaos Mesh's");
    expect(toResultDocument(run).whatThisDoesNotProve.join(' ')).to.not.include("stood in for Chaos Mesh's");
    const addresses = run.events.map((event) => (event.kind === 'run-started' ? { ...event, platform: 'addresses' } : event));
    const known = toResultDocument({ ...run, events: addresses });
    expect(known.whatThisDoesNotProve.join(' '))
      .to.include('nothing was injected')
      .and.not.include('regions of the lab')
      .and.not.include('standby');
    for (const report of [reportPage, summaryMarkdown]) {
      expect(report(toResultDocument(run))).to.include('local lab, sync replication, policy lab');
      expect(report(known), 'nobody knows how it is set')
        .to.include('known by its addresses')
        .and.not.match(/policy lab|sync replication|, sync,/);
    }
  });

  it('tells what the operator ordered and how it ended, in every report for people', () => {
    const run = sampleRun();
    const order = { kind: 'order', args: ['failback', '--x=<b>'], givenMs: 12_000, endedMs: 14_500, exitCode: null } as const;
    const result = toResultDocument({ ...run, events: [...run.events, { atMs: 14_500, wall: '', ...order }] });
    expect(resultShape.parse(result).orders).to.deep.equal([
      { command: 'coditect-dr failback --x=<b>', givenMs: 12_000, endedMs: 14_500, exitCode: null },
    ]);
    expect(summaryMarkdown(result)).to.match(/\| coditect-dr failback --x=\\<b\\> \| 12\.0 s \| 2\.50 s \| killed \|/);
    expect(reportPage(result)).to.contain('coditect-dr failback --x=&lt;b&gt;').and.to.contain('killed');
    expect(reportPage(toResultDocument(run))).to.not.contain('Orders of the operator');
  });

  it('tells of backups what the harness found, in every report for people', () => {
    const run = sampleRun();
    const copy = {
      stateMs: { fromMs: 8000, toMs: 8020 },
      problems: [],
      lines: [],
      entries: 40,
      bulkEntries: 2,
      bulkAtLeast: 2,
      bytes: 5_000_000,
    };
    const restore = {
      name: 'copy',
      args: ['restore', 'x', '--a=<b>'],
      live: false,
      elapsedMs: 900,
      exitCode: 0,
      bounded: true,
      hasBeforeMs: 1000,
      unread: null,
    };
    const backups = {
      made: [
        {
          name: 'first',
          id: 'x',
          pod: 'backup-us-east1',
          givenMs: 8000,
          endedMs: 9000,
          exitCode: 0,
          storedBytes: 1_000_000,
          objects: 4,
          logicalBytes: 5_000_000,
          line: 3,
        },
      ],
      restores: [
        { ...restore, copy, backupId: 'x', line: 4, copyLine: 5 },
        {
          ...restore,
          name: 'bad',
          copy: { ...copy, stateMs: null, problems: ['the copy lacks <b>'] },
          backupId: 'x',
          line: 6,
          copyLine: 7,
        },
      ],
      checks: [{ command: 'verify' as const, backupId: 'x', elapsedMs: 300, exitCode: 0, endedMs: 9500 }],
      recoveryPoint: { ageMs: 2000, atLeastMs: 0, backupId: 'x', fault: 'isolate-primary' },
      bulk: [
        {
          name: 'many',
          iterations: 600,
          requests: 600,
          acknowledged: 570,
          known: false,
          kept: 570,
          startedMs: 0,
          endedMs: 9000,
          dropped: 3,
          failedShare: 0.05,
          perSecond: 59.9,
          exitCode: 99,
          crossed: ['dropped_iterations count==0'],
          latencyMs: { median: 8, p95: 30, max: 90 },
          line: 8,
        },
      ],
    };
    const result = toResultDocument({ ...run, measurement: { ...run.measurement, backups } });
    expect(resultShape.parse(JSON.parse(JSON.stringify(result))).backups).to.deep.equal(result.backups);
    expect(result.backups?.made[0]).to.include({ logicalBytesPerSecond: 5_000_000, ratio: 5, elapsedMs: 1000 });
    expect(summaryMarkdown(result))
      .to.match(/\| first \| 1\.00 s \| 1\.0 MB \| 5\.0 MB\/s \| 5\.00 \| 0 \|/)
      .and.match(/\| bad \|.*\| the copy lacks \\<b\\> \|/)
      .and.match(/\| many \| 600 \| 3 \| 5\.0 % \| 30 ms \|/)
      .and.match(/Newest proved backup when isolate-primary took effect: 2\.00 s old/);
    expect(reportPage(result)).to.contain('5.0 MB/s').and.contain('the copy lacks &lt;b&gt;').and.contain('crossed: dropped_iterations');
    expect(reportPage(toResultDocument(run))).to.not.contain('Backups');
    // 570 are there and 570 were acknowledged; whether they are the same ones nobody knows.
    expect(result.whatThisDoesNotProve.join(' ')).to.match(/bulk load many: 30 of its 600 are not there, 570 were acknowledged.*Up to 30/);
    for (const sure of [{ kept: 600 }, { known: true }]) {
      const whole = { ...backups, bulk: backups.bulk.map((load) => ({ ...load, ...sure })) };
      const told = toResultDocument({ ...run, measurement: { ...run.measurement, backups: whole } });
      expect(told.whatThisDoesNotProve.join(' ')).to.not.include('bulk load');
    }
  });

  it('every difference of the timeline leads from one seen point to the next', () => {
    const [fault] = toResultDocument(sampleRun()).faults;
    expect(fault?.differences.map(({ from, to }) => `${from}>${to}`)[0]).to.equal('t0InjectCalled>t1Effect');
    for (const { from, to, ms } of fault?.differences ?? []) expect(ms).to.equal((fault?.points[to] ?? NaN) - (fault?.points[from] ?? NaN));
  });

  it('a run that is broken off leaves a junit.xml that is an error, and is broken to Allure; the reports replace both', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gameday-unjudged-'));
    const allure = async (): Promise<readonly unknown[]> => {
      const files = (await readdir(join(folder, 'allure-results'))).filter((name) => name.endsWith('-result.json'));
      return await Promise.all(
        files.map(async (name) => JSON.parse(await readFile(join(folder, 'allure-results', name), 'utf8')) as unknown),
      );
    };
    try {
      const run = join(folder, sampleRun().runId);
      await writeUnjudged(run, 'a <b>', '2026-11-22T12:00:00.000Z');
      const broken = await readFile(join(run, 'junit.xml'), 'utf8');
      expect(broken)
        .to.contain('tests="1" failures="0" errors="1"')
        .and.contain('name="a &lt;b&gt;"')
        .and.contain('<error type="inconclusive"');
      expect(await allure())
        .to.have.lengthOf(1)
        .and.have.nested.property('[0].status', 'broken');
      await writeReports(run, sampleRun());
      expect(await allure())
        .to.have.lengthOf(1)
        .and.have.nested.property('[0].status', 'passed');
      expect(await readFile(join(run, 'junit.xml'), 'utf8'))
        .to.contain('errors="0"')
        .and.not.contain('broken off');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are written all or none: those of two judgements never stand side by side', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gameday-half-'));
    try {
      await writeReports(folder, sampleRun());
      const before = await readFile(join(folder, 'result.json'), 'utf8');
      // As if there were no room for the last of them.
      await mkdir(join(folder, 'junit.xml.part'));
      const failed: unknown = await writeReports(folder, sampleRun({ lost: 3, outcome: 'fail' })).catch((error: unknown) => error);
      expect(failed).to.be.instanceOf(Error);
      expect(await readFile(join(folder, 'result.json'), 'utf8')).to.equal(before);
      expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).to.deep.equal(['junit.xml.part']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('where no report can be written, that is said with what to do', async () => {
    try {
      await writeReports('/sys/kernel', sampleRun());
      expect.fail('written');
    } catch (error) {
      expect(error).to.be.instanceOf(HarnessError).with.property('code', 'bad-input');
      expect((error as Error).message).to.match(/^\/sys\/kernel\/result\.json: cannot be written \(E\w+\); copy the run's folder/);
    }
  });

  it('junit.xml has one test case per check, with the verdict of each', () => {
    const xml = junitXml(toResultDocument(sampleRun({ lost: 3, outcome: 'fail' })));
    expect(xml.match(/<testcase /g)).to.have.length(9);
    expect(xml).to.contain('tests="9" failures="2" errors="0" skipped="1"');
    expect(xml).to.contain('<failure type="fail" message="3 acknowledged writes are missing.">events.ndjson, line 1500</failure>');
  });

  it('text of a scenario is never markup: XML, Markdown and terminal', () => {
    const hostile = '<script>alert(1)</script> & "x" \u001b[2J | `b` \u0000';
    const result = toResultDocument(sampleRun({ name: hostile, reason: hostile }));
    expect(junitXml(result)).to.contain('&lt;script&gt;').and.not.contain('<script>').and.not.contain('\u0000');
    expect(summaryMarkdown(result))
      .to.contain('\\<script\\>')
      .and.not.match(/[^\\]<script/);
    expect(resultsTable([result], { color: false })).to.not.contain('\u001b');
  });

  it('the table shows verdict, recovery interval, recovery point, lost writes and target of each run, and why one did not pass', () => {
    const results = [sampleRun(), sampleRun({ name: 'async-loss', lost: 10, outcome: 'fail', reason: '10 writes are gone' })].map(
      toResultDocument,
    );
    const lines = resultsTable(results, { color: false }).split('\n');
    expect(lines[1]).to.match(/^region-isolation +pass +2\.41–2\.46 s +0 ms +0 +≤ 10 s, 0 ms, 0 lost/);
    expect(lines[2]).to.match(/^async-loss +fail +2\.41–2\.46 s +182 ms +10 /);
    expect(lines).to.include('async-loss: 10 writes are gone');
    expect(lines.at(-1)).to.equal('1 passed, 1 failed, 0 inconclusive');
  });

  it('the table says what a target is of that is not the recovery time', () => {
    const result = toResultDocument(sampleRun({ fault: false }));
    const brownOut = { name: 'brown-out', asked: 2000, unit: 'ms', measured: null, text: 'none', outcome: 'pass' } as const;
    const lines = resultsTable([{ ...result, targets: [brownOut] }], { color: false }).split('\n');
    expect(lines[1]).to.contain('≤ 2 s brown-out');
  });

  it('figures carry their unit and no false precision', () => {
    expect([0, 0.2, 87.4, 999.6, 2412, 10_000, 185_000].map(duration)).to.deep.equal([
      '0 ms',
      '0 ms',
      '87 ms',
      '1.00 s',
      '2.41 s',
      '10.0 s',
      '3 min 5 s',
    ]);
    expect([span(2412, 2461), span(80, 95), span(30_000, 30_020), span(5, 5)]).to.deep.equal([
      '2.41–2.46 s',
      '80–95 ms',
      '30.00–30.02 s',
      '5 ms',
    ]);
    expect(whole(1234567)).to.equal('1\u202f234\u202f567');
  });

  it('writes every format, the Allure result and the index, and again without harm', async () => {
    const reports = await mkdtemp(join(tmpdir(), 'report-'));
    const folder = join(reports, 'a run');
    try {
      await writeReports(folder, sampleRun());
      const written = await writeReports(folder, sampleRun());
      await writeReports(join(reports, 'other'), { ...sampleRun({ name: '<b>other</b>', outcome: 'fail' }), runId: 'other' });
      expect(JSON.parse(await readFile(join(folder, 'result.json'), 'utf8'))).to.deep.equal(written);
      expect(await readFile(join(folder, 'summary.md'), 'utf8')).to.match(/^# region-isolation: PASS\n/);
      expect((await readdir(folder)).sort()).to.deep.equal(['junit.xml', 'report.html', 'result.json', 'summary.md']);
      const allure = await readdir(join(reports, 'allure-results'));
      expect(allure.filter((file) => file.endsWith('-result.json'))).to.have.length(2);
      expect(allure).to.have.length(2 * 4, 'each run a result and three attachments');
      const index = await readFile(join(reports, 'index.html'), 'utf8');
      expect(index).to.contain('href="a%20run/report.html"').and.contain('&lt;b&gt;other&lt;/b&gt;').and.not.contain('<b>other');
    } finally {
      await rm(reports, { recursive: true });
    }
  });

  it('no two runs are one test to Allure, which would show the last of them only', () => {
    const historyOf = (runId: string): unknown => {
      const files = allureFiles({ ...toResultDocument(sampleRun()), runId }, {});
      return (JSON.parse(files.at(-1)?.text ?? '') as { historyId: unknown }).historyId;
    };
    expect(historyOf('1')).not.to.equal(historyOf('2'));
    expect(historyOf('1')).to.equal(historyOf('1'));
  });

  it('an Allure result has a step per check and says broken where nothing was proved', () => {
    const files = allureFiles(toResultDocument(sampleRun({ outcome: 'inconclusive' })), { 'summary.md': 'text' });
    const result = JSON.parse(files.at(-1)?.text ?? '') as {
      status: string;
      steps: { status: string }[];
      attachments: { source: string }[];
    };
    expect(result.status).to.equal('broken');
    expect(result.steps.map((step) => step.status)).to.deep.equal([
      'passed',
      'passed',
      'passed',
      'passed',
      'passed',
      'passed',
      'skipped',
      'passed',
      'broken',
    ]);
    expect(files[0]).to.deep.equal({ name: result.attachments[0]?.source, text: 'text' });
  });
});
