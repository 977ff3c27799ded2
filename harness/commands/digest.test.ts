import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { RunEvent } from '../history/event.ts';
import { failoverHistory } from '../testing/handmade.ts';
import { digest, type DigestOptions } from './digest.ts';
import { PACKAGE_ROOT } from './places.ts';

const SCENARIO = resolve(PACKAGE_ROOT, 'scenarios/region-isolation.yaml');

describe('gameday digest', () => {
  let reports: string;
  let said = '';
  beforeEach(() => {
    reports = mkdtempSync(join(tmpdir(), 'digest-'));
    said = '';
  });
  afterEach(() => rmSync(reports, { recursive: true, force: true }));

  function record(folder: string, events: readonly RunEvent[], torn = ''): void {
    mkdirSync(join(reports, folder));
    writeFileSync(join(reports, folder, 'events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join('') + torn);
  }
  function run(scenarios: readonly string[], options: Partial<DigestOptions> = {}): Promise<number> {
    const write = (text: string): void => void (said += text);
    const output = { color: false, columns: 0, text: write, json: () => undefined, progress: write };
    return digest(scenarios, { reports, times: 1, annotate: false, subject: undefined, ...options }, output);
  }

  it('judges the records, not what a result.json beside them says', async () => {
    record(
      '20261127T000000000Z-region-isolation',
      failoverHistory({ edit: (events) => events.filter(({ kind }) => kind !== 'fault-healed') }),
    );
    writeFileSync(join(reports, '20261127T000000000Z-region-isolation', 'result.json'), '{"verdict":{"outcome":"pass"}}');
    expect(await run([SCENARIO])).to.be.oneOf([1, 3]);
    expect(readFileSync(join(reports, 'digest.md'), 'utf8')).to.match(/^# Game days: (FAIL|INCONCLUSIVE)\n/);
  });

  it('passes with the record of a run that passes, and no longer with a torn one beside it', async () => {
    record('20261127T000000000Z-region-isolation', failoverHistory());
    expect(await run([SCENARIO]), said).to.equal(0);
    record('20261127T000000001Z-region-isolation', failoverHistory(), '{"kind":"half');
    expect(await run([SCENARIO])).to.equal(3);
    expect(said).to.match(/torn record/);
  });

  it('takes a folder in which nothing was recorded for a run that broke off', async () => {
    record('20261127T000000000Z-region-isolation', failoverHistory());
    mkdirSync(join(reports, '20261127T000000001Z-region-isolation'));
    expect(await run([])).to.equal(3);
    expect(said).to.match(/broken off/);
  });

  it('certifies nothing where a scenario was not played as often as it had to be', async () => {
    record('20261127T000000000Z-region-isolation', failoverHistory());
    const subject = { tag: 'v1.0.0', commit: 'c0ffee' };
    expect(await run([SCENARIO], { times: 3, subject })).to.equal(3);
    expect(readFileSync(join(reports, 'certificate.md'), 'utf8')).to.match(/^# v1\.0\.0: NOT CERTIFIED\n/);
    expect(await run([SCENARIO], { subject })).to.equal(0);
    const certificate = JSON.parse(readFileSync(join(reports, 'certificate.json'), 'utf8')) as {
      certified: boolean;
      runs: readonly { sha256: Record<string, string> }[];
    };
    expect(certificate.certified).to.equal(true);
    expect(certificate.runs[0]?.sha256['events.ndjson']).to.match(/^[0-9a-f]{64}$/);
  });
});
