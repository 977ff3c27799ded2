import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect } from 'chai';
import type { ResultDocument } from '../report/result-shape.ts';
import { THREE_DAYS_MS, untilOneSays } from '../testing/until-one-says.ts';
import { withWindows } from '../testing/with-windows.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const GAMEDAY = `"${process.execPath}" "${path.join(ROOT, 'dist/harness/main.js')}"`;

/** A lab that was started by itself, and game days that are only told its addresses: from its shell, as a person would. */
describe('gameday run --system, a system by its addresses', function () {
  this.timeout(THREE_DAYS_MS);
  let folder: string;
  /** Of the lab whose quiet day said something. */
  let place: string;
  let lab: ChildProcess | undefined;
  let output = '';

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'addresses-'));
    await untilOneSays(async (again) => {
      place = path.join(folder, `played${again}`);
      mkdirSync(place);
      await playAll();
      return textOf('null.code') === '3' ? textOf('null.txt') : {};
    });
  });
  after(() => {
    if (lab?.exitCode === null) lab.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** In a lab of its own: in one that was played in before, the quiet day would be refused. */
  async function playAll(): Promise<void> {
    const quiet = withWindows(path.join(ROOT, 'scenarios/null.yaml'), { observe: '2s' }, place);
    const commands = [
      'cp "$GAMEDAY_SYSTEM" system.yaml',
      run('isolation', path.join(ROOT, 'scenarios/region-isolation.yaml')),
      run('null', quiet),
      run('again', quiet),
    ];
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/harness/main.js'), 'lab', 'up', '--reports', path.join(place, 'lab')], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    lab = child;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stdin.end([`cd ${place}`, ...commands].join('\n'));
    await new Promise((resolve) => child.once('close', resolve));
  }
  const run = (name: string, scenario: string): string =>
    `${GAMEDAY} run --system system.yaml --reports ${name} ${scenario} >${name}.txt 2>&1; echo $? >${name}.code`;
  const textOf = (file: string): string => {
    try {
      return readFileSync(path.join(place, file), 'utf8').trim();
    } catch {
      return `no ${file}; the lab said:\n${output.slice(-4000)}`;
    }
  };
  const resultOf = (name: string): ResultDocument => {
    const [, report = ''] = /^(.*)report\.html$/m.exec(textOf(`${name}.txt`)) ?? [];
    return JSON.parse(readFileSync(path.join(place, report, 'result.json'), 'utf8')) as ResultDocument;
  };

  it('plays and judges what only measures', () => {
    expect(textOf('null.code'), textOf('null.txt')).to.equal('0');
    const { verdict, scenario, vantages, writes } = resultOf('null');
    expect(verdict.outcome, verdict.reason).to.equal('pass');
    expect(scenario.platform).to.equal('addresses');
    expect(vantages.map(({ vantage }) => vantage)).to.have.members(['us-central1', 'us-east1', 'europe-west1', 'outside']);
    expect(writes.acknowledged).to.be.above(100);
    expect(writes.readBackRegion).to.equal('us-central1');
  });

  it('refuses what would break something, before anything is sent', () => {
    expect(textOf('isolation.code'), textOf('isolation.txt')).to.equal('2');
    expect(textOf('isolation.txt')).to.match(
      /known by its addresses, where a scenario can only observe.*it asks for inject, await-recovery, heal/s,
    );
  });

  it('refuses a system that holds data already', () => {
    expect(textOf('again.code'), textOf('again.txt')).to.equal('3');
    expect(textOf('again.txt')).to.match(/holds \d+ entries already/);
  });
});
