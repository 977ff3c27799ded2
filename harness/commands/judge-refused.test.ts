import { expect } from 'chai';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failoverHistory } from '../testing/handmade.ts';
import { judgeFolder } from './run.ts';

const PAGES = ['junit.xml', 'report.html', 'result.json', 'summary.md'];

describe('gameday judge, of a record that can no longer be judged', () => {
  let reports: string;
  let folder: string;
  let record: string;
  beforeEach(async () => {
    reports = mkdtempSync(join(tmpdir(), 'judge-refused-'));
    folder = join(reports, '20261127T000000000Z-region-isolation');
    record = join(folder, 'events.ndjson');
    mkdirSync(folder);
    writeFileSync(
      record,
      failoverHistory()
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(''),
    );
    expect((await judgeFolder(folder)).verdict.outcome).to.equal('pass');
  });
  afterEach(() => rmSync(reports, { recursive: true, force: true }));

  const page = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const allure = (): readonly string[] => readdirSync(join(reports, 'allure-results')).toSorted();
  const allureText = (end: string): string =>
    readFileSync(join(reports, 'allure-results', allure().find((name) => name.endsWith(end)) ?? 'none'), 'utf8');
  const index = (): string => readFileSync(join(reports, 'index.html'), 'utf8');

  async function refused(): Promise<string> {
    try {
      const { verdict } = await judgeFolder(folder);
      return expect.fail(`it was judged: ${verdict.outcome}`);
    } catch (error) {
      return (error as Error).message;
    }
  }

  function expectNoPass(reason: RegExp): void {
    expect(existsSync(join(folder, 'result.json'))).to.equal(false);
    expect(page('report.html')).to.match(reason).and.to.contain('Inconclusive').and.to.not.contain('Passed');
    expect(page('summary.md'))
      .to.match(/^# region-isolation: INCONCLUSIVE\n/)
      .and.to.match(reason);
    expect(page('junit.xml')).to.contain('tests="1" failures="0" errors="1"').and.to.match(reason).and.to.not.contain('broken off');
    expect(JSON.parse(allureText('-result.json'))).to.include({ status: 'broken', name: 'region-isolation' });
    expect(allureText('report-attachment.html')).to.match(reason);
    expect(allure().filter((name) => name.endsWith('.json'))).to.have.length(1, 'the result of before is not attached');
    expect(index()).to.contain('not judged').and.to.not.contain('aria-label="pass"');
  }

  it('no page of before says that it passed: they are set aside, and those in their places say why; the record is left as it is', async () => {
    appendFileSync(record, '{"kind":"half');
    const bytes = readFileSync(record);
    expect(await refused())
      .to.match(/events\.ndjson:\d+: torn record/)
      .and.to.match(/set aside as \*\.withdrawn/);
    expectNoPass(/torn record/);
    expect(JSON.parse(page('result.json.withdrawn'))).to.have.nested.property('verdict.outcome', 'pass');
    expect(readFileSync(record).equals(bytes)).to.equal(true);
    expect(await refused(), 'again, with nothing more to set aside').to.not.contain('withdrawn');
    expect(page('report.html.withdrawn')).to.contain('Passed');
  });

  it('a record that is whole again is judged as before, and what was set aside is gone', async () => {
    const { length } = readFileSync(record);
    appendFileSync(record, '{"kind":"half');
    await refused();
    truncateSync(record, length);
    expect((await judgeFolder(folder)).verdict.outcome).to.equal('pass');
    expect(readdirSync(folder).toSorted()).to.deep.equal(['events.ndjson', ...PAGES]);
    expect(page('report.html')).to.contain('Passed');
    expect(index()).to.contain('aria-label="pass"');
  });

  it('where the record is gone, or its first line is', async () => {
    rmSync(record);
    expect(await refused()).to.contain('give the folder of a run');
    expectNoPass(/cannot be read/);
    rmSync(join(folder, 'result.json.withdrawn'));
    writeFileSync(join(folder, 'result.json'), '{"schema": 0, "verdict": "pass"}');
    writeFileSync(record, '{}\n');
    await refused();
    expect(existsSync(join(folder, 'result.json'))).to.equal(false);
    expect(page('summary.md')).to.match(/^# 20261127T000000000Z-region-isolation: INCONCLUSIVE\n/);
  });

  it('where the record is gone and the result is of another version', async () => {
    const result = JSON.parse(page('result.json')) as object;
    writeFileSync(join(folder, 'result.json'), JSON.stringify({ ...result, schema: 0 }));
    rmSync(record);
    await refused();
    expectNoPass(/cannot be read/);
  });

  it('where the pages cannot be replaced, that is said too', async () => {
    appendFileSync(record, '{"kind":"half');
    mkdirSync(join(folder, 'result.json.withdrawn'));
    expect(await refused())
      .to.match(/torn record/)
      .and.to.match(/are no verdict, and could not be replaced: .*result\.json/);
  });

  it('where something else stands in the place of a page, that is said, and not that it is a bug', async () => {
    for (const [place, make] of [
      ['index.html', () => mkdirSync(join(reports, 'index.html'))],
      ['allure-results', () => writeFileSync(join(reports, 'allure-results'), 'mine')],
      ['result.json', () => mkdirSync(join(folder, 'result.json'))],
    ] as const) {
      rmSync(join(place === 'result.json' ? folder : reports, place), { recursive: true });
      make();
      const error: unknown = await judgeFolder(folder).catch((thrown: unknown) => thrown);
      expect(error, place).to.have.property('code', 'bad-input');
      expect(String(error)).to.match(new RegExp(`${place}\\S*: cannot be written \\(\\w+\\); something else has that name: move it away`));
      rmSync(join(place === 'result.json' ? folder : reports, place), { recursive: true });
      await judgeFolder(folder);
    }
  });

  it('a folder that is no run is not touched', async () => {
    folder = join(reports, 'notes');
    mkdirSync(folder);
    writeFileSync(join(folder, 'report.html'), 'mine');
    expect(await refused()).to.contain('give the folder of a run');
    expect(readdirSync(folder)).to.deep.equal(['report.html']);
    expect(page('report.html')).to.equal('mine');
  });
});
