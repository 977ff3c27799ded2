import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { DATABASE_ITSELF, type RunEvent } from '../history/event.ts';
import type { AskedDatabase } from '../scenario/scenario.ts';
import { failoverHistory, type Handmade } from '../testing/handmade.ts';
import { digest, type DigestOptions } from './digest.ts';
import { PACKAGE_ROOT } from './places.ts';
import { load } from './scenarios.ts';

const MANIFEST = readFileSync(resolve(PACKAGE_ROOT, 'chaos/region-isolation.yaml'), 'utf8');
/** What the handmade history plays. */
const scenario = (recoveryTime: string): string => `
name: region-isolation
question: Does it come back?
seed: 1
workload: {period: 20ms, timeout: 1s, goodWithin: 250ms, sustained: {operations: 10, for: 200ms}}
steady: 1s
method:
  - {inject: isolation, manifest: isolation.yaml}
  - awaitRecovery: 5s
  - heal: isolation
settle: 1s
expect: {failover: one, outage: expected, loss: none, mustRecover: [us-east1, outside]}
targets: {recoveryTime: ${recoveryTime}, recoveryPoint: 0s, lostWrites: 0}
`;

describe('gameday digest', () => {
  let reports: string;
  let SCENARIO: string;
  let said = '';
  beforeEach(() => {
    reports = mkdtempSync(join(tmpdir(), 'digest-'));
    SCENARIO = join(reports, 'scenario.yaml');
    write('scenario.yaml', scenario('3s'));
    write('isolation.yaml', MANIFEST);
    said = '';
  });
  afterEach(() => rmSync(reports, { recursive: true, force: true }));
  const write = (file: string, text: string): void => writeFileSync(join(reports, file), text);

  /** A run of what the files say now. */
  function history({ edit = (events) => events }: Partial<Handmade> = {}, database?: AskedDatabase): readonly RunEvent[] {
    const [loaded] = load([SCENARIO], database);
    if (loaded === undefined) throw new Error('no scenario');
    const manifestSha256 = loaded.faults.get('isolation')?.[0]?.sha256 ?? '';
    return failoverHistory({
      scenario: loaded.scenario,
      edit: (events) =>
        edit(
          events.flatMap((event): readonly RunEvent[] => {
            if (event.kind === 'fault-planned') return [{ ...event, manifestSha256 }];
            // FoundationDB is asked itself as well.
            const isLast = database !== undefined && event.kind === 'readback' && event.region === 'europe-west1';
            return isLast ? [event, { ...event, region: DATABASE_ITSELF }] : [event];
          }),
        ),
    });
  }

  function record(folder: string, events: readonly RunEvent[], torn = ''): void {
    mkdirSync(join(reports, folder));
    writeFileSync(join(reports, folder, 'events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join('') + torn);
  }
  function run(scenarios: readonly string[], options: Partial<DigestOptions> = {}): Promise<number> {
    const say = (text: string): void => void (said += text);
    const output = { color: false, columns: 0, text: say, json: () => undefined, progress: say };
    return digest(scenarios, { reports, times: 1, annotate: false, subject: undefined, all: [SCENARIO], ...options }, output);
  }

  it('judges the records, not what a result.json beside them says', async () => {
    record('20261127T000000000Z-region-isolation', history({ edit: (events) => events.filter(({ kind }) => kind !== 'fault-healed') }));
    writeFileSync(join(reports, '20261127T000000000Z-region-isolation', 'result.json'), '{"verdict":{"outcome":"pass"}}');
    expect(await run([SCENARIO])).to.be.oneOf([1, 3]);
    expect(readFileSync(join(reports, 'digest.md'), 'utf8')).to.match(/^# Game days: (FAIL|INCONCLUSIVE)\n/);
  });

  it('passes with the record of a run that passes, and no longer with a torn one beside it', async () => {
    record('20261127T000000000Z-region-isolation', history());
    expect(await run([SCENARIO]), said).to.equal(0);
    record('20261127T000000001Z-region-isolation', history(), '{"kind":"half');
    expect(await run([SCENARIO])).to.equal(3);
    expect(said).to.match(/torn record/);
  });

  it('takes a folder in which nothing was recorded for a run that broke off', async () => {
    record('20261127T000000000Z-region-isolation', history());
    mkdirSync(join(reports, '20261127T000000001Z-region-isolation'));
    expect(await run([])).to.equal(3);
    expect(said).to.match(/broken off/);
  });

  it('certifies nothing where a scenario was not played as often as it had to be', async () => {
    record('20261127T000000000Z-region-isolation', history());
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

  it('certifies a part as a part, and names what was not asked for: a scenario is its file, whoever else has its name', async () => {
    record('20261127T000000000Z-region-isolation', history());
    const subject = { tag: 'v1.0.0', commit: 'c0ffee' };
    const certificate = (): string => readFileSync(join(reports, 'certificate.md'), 'utf8');
    write('easy.yaml', scenario('60s').replace('name: region-isolation', 'name: easy'));
    expect(await run([SCENARIO], { subject, all: [SCENARIO, join(reports, 'easy.yaml')] })).to.equal(0);
    expect(certificate()).to.match(/^# v1\.0\.0: CERTIFIED IN PART ONLY\n[^]*Not asked for: easy\./);
    write('other.yaml', scenario('1s'));
    expect(await run([SCENARIO], { subject, all: [join(reports, 'other.yaml')] })).to.equal(0);
    expect(certificate()).to.match(/^# v1\.0\.0: CERTIFIED IN PART ONLY\n[^]*Not asked for: region-isolation\./);
  });

  it('certifies nothing by what another engine, or a system that somebody else started, has passed', async () => {
    const of = (engine: string) => (events: readonly RunEvent[]) =>
      events.map((event) => (event.kind === 'run-started' ? { ...event, versions: { engine } } : event));
    record('20261127T000000000Z-region-isolation', history({ edit: of('what notes.yaml describes') }));
    expect(await run([SCENARIO]), said).to.equal(0);
    expect(await run([SCENARIO], { subject: { tag: 'v1.0.0', commit: 'c0ffee' } })).to.equal(3);
    expect(readFileSync(join(reports, 'certificate.md'), 'utf8')).to.match(/^# v1\.0\.0: NOT CERTIFIED\n/);
  });

  it('certifies nothing by what this engine has passed before it was what the tag names', async () => {
    record('20261127T000000000Z-region-isolation', history());
    expect(await run([SCENARIO], { subject: { tag: 'v1.0.0', commit: 'decade' } })).to.equal(3);
    expect(readFileSync(join(reports, 'certificate.md'), 'utf8')).to.match(
      /^# v1\.0\.0: NOT CERTIFIED\n[^]*of 1 revision: c0ffee; decade was to be played/,
    );
  });

  it('asks for a scenario as it is on the database on which it had to be played, as `gameday run` plays it there', async () => {
    record('20261127T000000000Z-region-isolation', history({}, 'foundationdb'));
    expect(await run([SCENARIO])).to.equal(3);
    expect(said).to.match(/region-isolation\b/);
    expect(await run([SCENARIO], { database: 'foundationdb' }), said).to.equal(0);
    expect(await run([SCENARIO], { database: 'foundationdb:two_regions' })).to.equal(3);
    const nobody = await run([], { database: 'foundationdb' }).catch((error: unknown) => error);
    expect(String(nobody)).to.match(/--database foundationdb: says on what .*: name the scenarios/);
  });

  it('asks for a scenario that names the clients of a system that was there already', async () => {
    record('20261127T000000000Z-region-isolation', history());
    write('theirs.yaml', scenario('3s').replace('[us-east1, outside]', '[browser]').replace('name: region-isolation', 'name: theirs'));
    const theirs = [join(reports, 'theirs.yaml')];
    const stranger = await run(theirs).catch((error: unknown) => error);
    expect(String(stranger)).to.match(/unknown vantage `browser`/);
    expect(await run(theirs, { clients: ['browser'] })).to.equal(3);
    expect(said).to.match(/not played: theirs/);
  });

  it('certifies a part where the scenarios of the package were played on another database than they say', async () => {
    record('20261127T000000000Z-region-isolation', history({}, 'foundationdb'));
    const subject = { tag: 'v1.0.0', commit: 'c0ffee' };
    expect(await run([SCENARIO], { subject, database: 'foundationdb' }), said).to.equal(0);
    const certificate = readFileSync(join(reports, 'certificate.md'), 'utf8');
    expect(certificate).to.match(/^# v1\.0\.0: CERTIFIED IN PART ONLY\n[^]*Not asked for: region-isolation\./);
  });

  it('takes a run for none of a scenario, or of a manifest, that asks for something else by now', async () => {
    record('20261127T000000000Z-region-isolation', history());
    write('scenario.yaml', scenario('1s'));
    expect(await run([SCENARIO])).to.equal(3);
    expect(said).to.match(/1 run of a scenario or a manifest that was another then, not played: region-isolation/);
    write('scenario.yaml', scenario('3s'));
    expect(await run([SCENARIO])).to.equal(0);
    write('isolation.yaml', `${MANIFEST}\n# harder\n`);
    expect(await run([SCENARIO])).to.equal(3);
  });

  it('says in a line where no digest can be written: on a file, in /proc', async () => {
    for (const place of [SCENARIO, '/proc']) {
      const refusal = await run([], { reports: place }).catch((error: unknown) => error);
      expect(refusal).to.have.property('code', 'bad-input');
      expect(String(refusal)).to.match(/--reports \S+: .*; name a folder that can be written to$/);
    }
  });

  it('says in a line where something else has the name of the digest', async () => {
    mkdirSync(join(reports, 'digest.md'));
    const refusal = await run([]).catch((error: unknown) => error);
    expect(refusal).to.have.property('code', 'bad-input');
    expect(String(refusal)).to.match(/digest\.md is a folder: move it away/);
  });

  it('leaves no digest of before where it cannot make one', async () => {
    record('20261127T000000000Z-region-isolation', history());
    const subject = { tag: 'v1.0.0', commit: 'c0ffee' };
    expect(await run([SCENARIO], { subject })).to.equal(0);
    write('scenario.yaml', 'name: no scenario');
    await run([SCENARIO], { subject }).catch(() => undefined);
    for (const name of ['digest.md', 'certificate.json', 'certificate.md']) expect(existsSync(join(reports, name)), name).to.equal(false);
  });

  it('certifies nothing in particular for nobody, and tells scenarios of one name apart for nobody', async () => {
    record('20261127T000000000Z-region-isolation', history());
    const refusal = async (scenarios: readonly string[], options: Partial<DigestOptions> = {}): Promise<string> =>
      await run(scenarios, options).then(
        (code) => `ended with ${code}`,
        (error: unknown) => (error as Error).message,
      );
    expect(await refusal([], { subject: { tag: 'v1.0.0', commit: 'c0ffee' } })).to.match(/name the scenarios that had to be/);
    write('other.yaml', scenario('1s'));
    expect(await refusal([SCENARIO, join(reports, 'other.yaml')])).to.match(/both scenarios are called region-isolation/);
    expect(await refusal([SCENARIO, SCENARIO])).to.equal('ended with 0');
  });
});
