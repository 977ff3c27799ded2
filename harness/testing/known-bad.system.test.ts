import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { judge } from '../check/judge.ts';
import type { Verdict } from '../check/verdict.ts';
import { readEvents } from '../history/reader.ts';
import { CHECKS } from '../registry.ts';
import { CONTROL, engineProgram, KNOWN_BAD } from './known-bad.ts';
import { THREE_DAYS_MS, untilOneSays } from './until-one-says.ts';
import { withWindows } from './with-windows.ts';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));
const RUN_WITHIN_MS = 120_000;

/** Real game days, each engine in the lab; the judge sees nothing but the events. */
describe('known-bad engines', function () {
  this.timeout(THREE_DAYS_MS);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'known-bad-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const { engine, scenario, caughtBy, alsoBy = [], windows = {} } of KNOWN_BAD) {
    it(`${engine} fails ${scenario} by ${caughtBy}`, async () => {
      const verdict = await play(engine, withWindows(join(PACKAGE, scenario), windows, folder), folder);
      expect(verdict.outcome, explain(verdict)).to.equal('fail');
      const failing = verdict.findings.filter((finding) => finding.outcome === 'fail').map((finding) => finding.check);
      expect(failing, explain(verdict)).to.include.members([caughtBy, ...alsoBy]);
    });
  }
  for (const scenario of new Set(KNOWN_BAD.flatMap(({ scenario, ours }) => (ours === true ? [] : [scenario])))) {
    it(`the control passes ${scenario}`, async () => {
      const verdict = await play(CONTROL, scenario, folder);
      expect(verdict.outcome, explain(verdict)).to.equal('pass');
    });
  }
});

const play = (engine: string, scenario: string, folder: string): Promise<Verdict> =>
  untilOneSays(async (again) => {
    const verdict = await playOnce(engine, scenario, join(folder, `reports${again}`));
    return verdict.outcome === 'inconclusive' ? explain(verdict) : verdict;
  });

/** `gameday run` in a process of its own, then a judgement of our own from what it recorded. */
async function playOnce(engine: string, scenario: string, reports: string): Promise<Verdict> {
  const args = ['dist/harness/main.js', 'run', '--engine', engineProgram(engine), '--reports', reports, scenario];
  const child = spawn(process.execPath, args, { cwd: PACKAGE, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const timer = setTimeout(() => child.kill('SIGTERM'), RUN_WITHIN_MS);
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  const [run, ...others] = readdirSync(reports, { withFileTypes: true }).filter((entry) =>
    existsSync(join(reports, entry.name, 'events.ndjson')),
  );
  if (!run || others.length > 0) throw new Error(`expected one run in ${reports}:\n${output}`);
  return judge(readEvents(join(reports, run.name, 'events.ndjson')), CHECKS).verdict;
}

function explain({ reason, findings }: Verdict): string {
  const told = findings
    .filter(({ outcome }) => outcome !== 'skipped')
    .map(({ check, outcome, message }) => `${outcome} ${check}: ${message}`);
  return [reason, ...told].join('\n');
}
