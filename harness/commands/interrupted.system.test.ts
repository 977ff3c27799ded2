import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { readEvents } from '../history/reader.ts';
import type { RunEvent } from '../history/event.ts';
import { THREE_DAYS_MS, untilOneSays } from '../testing/until-one-says.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const LIMIT_MS = 90_000;

/** One real game day, interrupted in the middle of a partition; while it lasts its processes are looked at. */
describe('gameday run, interrupted with Ctrl-C while a fault lasts', function () {
  this.timeout(THREE_DAYS_MS);
  let folder: string;
  let reports: string;
  let child: ChildProcess;
  let secrets: readonly string[] = [];
  let commandLines: readonly string[] = [];
  let code: number | null = null;
  let output = '';
  let events: readonly RunEvent[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'interrupted-'));
    const { closed } = await untilOneSays(startUntilInjected);
    commandLines = allCommandLines();
    secrets = secretsOfPods();
    child.kill('SIGINT');
    code = await closed;
    const [run = ''] = runs();
    events = readEvents(path.join(reports, run, 'events.ndjson'));
  });
  after(() => {
    if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** Its words where it ended before its fault, as one does whose service was not steady. */
  async function startUntilInjected(again: string): Promise<{ readonly closed: Promise<number | null> } | string> {
    reports = path.join(folder, `reports${again}`);
    mkdirSync(reports);
    const args = ['dist/harness/main.js', 'run', '--reports', reports, 'scenarios/region-isolation.yaml'];
    const started = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    output = '';
    for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const closed = new Promise<number | null>((resolve) => started.once('close', resolve));
    const isInjected = (): boolean => record().includes('"kind":"fault-injected"');
    await until(() => isInjected() || child.exitCode !== null);
    if (isInjected()) return { closed };
    await closed;
    return output;
  }
  const runs = (): readonly string[] => readdirSync(reports).filter((name) => existsSync(path.join(reports, name, 'events.ndjson')));
  const record = (): string => runs().map((run) => readFileSync(path.join(reports, run, 'events.ndjson'), 'utf8'))[0] ?? '';
  async function until(holds: () => boolean): Promise<void> {
    for (let waitedMs = 0; !holds(); waitedMs += 50) {
      if (waitedMs > LIMIT_MS) throw new Error(`not seen in time:\n${output}`);
      await sleep(50);
    }
  }

  it('ends with 130', () => {
    expect(code, output).to.equal(130);
  });
  it('heals the fault, cleans up, and says so in its record and its reports', () => {
    const kinds = events.map((event) => event.kind);
    expect(kinds).to.include.members(['fault-injected', 'fault-healed']);
    expect(events.find((event) => event.kind === 'run-aborted')).to.include({ code: 'interrupted' });
    expect(events.at(-1)).to.deep.include({ kind: 'run-ended', leftovers: [] });
    const [run = ''] = runs();
    const result = JSON.parse(readFileSync(path.join(reports, run, 'result.json'), 'utf8')) as { verdict: { outcome: string } };
    expect(result.verdict.outcome).to.equal('inconclusive');
  });
  it('had no secret in the command line of any process', () => {
    expect(secrets.length, 'keys of every pod that has one, and the TSIG secret').to.be.above(15);
    expect(commandLines.filter((line) => line.includes('/run/pod/config.yaml'))).to.have.length.above(8);
    expect(commandLines.filter((line) => secrets.some((secret) => line.includes(secret)))).to.deep.equal([]);
  });
});

function pids(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function allCommandLines(): readonly string[] {
  return pids().map((pid) => textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' '));
}

/** As the pods themselves see them: the lines of their private keys, and the key for DNS updates. */
function secretsOfPods(): readonly string[] {
  const found = pids().flatMap((pid) => {
    const key = textOf(`/proc/${pid}/root/run/pod/tls/tls.key`).split('\n')[1] ?? '';
    return [key, textOf(`/proc/${pid}/root/run/pod/secrets/tsig`).trim()];
  });
  return [...new Set(found)].filter((secret) => secret.length > 20);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
