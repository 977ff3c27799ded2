import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { stringify } from 'yaml';
import type { ResultDocument } from '../report/result-shape.ts';
import { NOTES_LEDGER } from '../testing/notes/notes-description.ts';
import { startNotes, type Notes } from '../testing/notes/notes-process.ts';
import { THREE_DAYS_MS, untilOneSays } from '../testing/until-one-says.ts';
import { ROOT, startRun, type Ended, type Run } from './testing/gameday-program.ts';

/** A game day on a service with an API of its own, described by templates; this test is who breaks it. */
describe('gameday run --system, a service with an API of its own', function () {
  this.timeout(THREE_DAYS_MS);
  let folder: string;
  let notes: Notes | undefined;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'own-service-'));
  });
  afterEach(async () => {
    await notes?.kill();
    notes = undefined;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const scenario = (name: string): string => {
    const file = path.join(folder, `${name}.yaml`);
    const document = {
      name,
      question: 'Does the service keep what it acknowledged when somebody restarts it?',
      workload: { period: '25ms', timeout: '3s', goodWithin: '1500ms', sustained: { operations: 10, for: '1s' } },
      steady: '1s',
      method: [{ observe: '4s' }],
      settle: '1s',
      expect: { failover: 'allowed', outage: 'allowed', loss: 'none', mustRecover: ['here', 'there'] },
      targets: { recoveryPoint: '0s', lostWrites: 0 },
    };
    writeFileSync(file, stringify(document));
    return file;
  };
  const system = (name: string, port: number): string => {
    const file = path.join(folder, `${name}-system.yaml`);
    const url = `http://127.0.0.1:${port}`;
    writeFileSync(file, stringify({ service: { clients: { here: url, there: url }, ledger: NOTES_LEDGER } }));
    return file;
  };

  it('a run that breaks off leaves a junit.xml, and no pass', async () => {
    const cluster = { server: 'https://127.0.0.1:1' };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 'none' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    };
    writeFileSync(path.join(folder, 'dead-kubeconfig'), stringify(kubeconfig));
    const file = path.join(folder, 'dead-system.yaml');
    // Neither a lab nor a service is described: nobody can be measured there, which the run itself finds out.
    writeFileSync(file, stringify({ kubeconfig: 'dead-kubeconfig', regions: { here: { context: 'x' } }, namespaces: ['n'] }));
    const reports = path.join(folder, 'dead');
    const { code, text } = await startRun(['--system', file, path.join(ROOT, 'scenarios/null.yaml')], reports).ended;
    expect(code, text).to.equal(3);
    expect(text).to.contain('broke off');
    const [run = ''] = readdirSync(reports);
    expect(readFileSync(path.join(reports, run, 'junit.xml'), 'utf8'), text).to.contain('failures="0" errors="1"');
  });

  /** Plays, and kills and restarts the service in the middle. */
  const restarted = (name: string, forgetful: boolean): Promise<Ended & { readonly run: Run }> =>
    untilOneSays((again) => restartedOnce(`${name}${again}`, forgetful));

  async function restartedOnce(name: string, forgetful: boolean): Promise<(Ended & { readonly run: Run }) | string> {
    await notes?.kill();
    const file = path.join(folder, `${name}.log`);
    notes = await startNotes(file, { forgetful });
    const { port } = notes;
    const others = { method: 'PUT', body: JSON.stringify({ note: { text: "somebody's" } }) };
    for (const title of ['here.0', 'reg.there.0'])
      expect((await fetch(`http://127.0.0.1:${port}/notes/${title}`, others)).status).to.equal(201);
    const run = startRun(['--system', system(name, port), scenario(name)], path.join(folder, name));
    let said: string | undefined;
    void run.ended.then(({ text }) => (said = text));
    while (said === undefined && !run.events().some((event) => event.kind === 'phase' && event.phase === 'observe')) await sleep(50);
    if (said !== undefined) return `it ended before anything was observed: ${said}`;
    await sleep(500); // some writes to be lost
    await notes.kill();
    notes = await startNotes(file, { port, forgetful });
    const { code, text } = await run.ended;
    return code === 3 ? text : { code, text, run };
  }
  const finding = ({ findings }: ResultDocument, check: string): string =>
    findings.flatMap((one) => (one.check === check ? [`${one.outcome}: ${one.message}`] : [])).join('; ');

  it('is measured and read back through its own API: one that keeps what it acknowledges passes, though it held other things before', async () => {
    const { code, text, run } = await restarted('keeps', false);
    const result = run.result();
    expect(code, text).to.equal(0);
    expect(result.verdict.outcome, result.verdict.reason).to.equal('pass');
    expect(result.writes.acknowledged).to.be.greaterThan(50);
    expect(result.writes.readBackRegion).to.equal('service');
    expect(finding(result, 'lost-writes')).to.match(/^pass: all \d+ acknowledged writes are accounted for/);
    expect(finding(result, 'linearizable')).to.match(/^pass/);
    for (const check of ['single-primary', 'expected-failover', 'engine-claims'])
      expect(finding(result, check)).to.match(/^skipped: not judged/);
    const operations = run.events().flatMap((event) => (event.kind === 'op' ? [`${event.op} ${event.outcome}`] : []));
    expect(operations).to.include.members(['put ok', 'get ok', 'delete ok']);
    expect(operations.filter((one) => !one.endsWith(' ok')).length, 'its end was seen').to.be.greaterThan(0);
  });

  it('one that acknowledges what it does not keep fails, with what is lost', async () => {
    const { code, text, run } = await restarted('forgets', true);
    expect(code, text).to.equal(1);
    expect(finding(run.result(), 'lost-writes')).to.match(/^fail: \d+ acknowledged write\(s\) lost: put /);
  });
});
