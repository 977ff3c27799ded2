import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'dist/harness/main.js');

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function gameday(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [...nodeArgs, MAIN, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FDB_BIN: '/nowhere' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const limit = setTimeout(() => child.kill('SIGKILL'), 20_000);
    child.once('close', (code) => {
      clearTimeout(limit);
      done({ code, output });
    });
  });
}

/** The turn of this machine is held by the test: whoever waits for it is killed and has no exit code. */
describe('gameday run, refused before it waits for its turn', function () {
  this.timeout(30_000);
  let folder: string;
  const turn = createServer();
  before((done) => {
    folder = mkdtempSync(join(tmpdir(), 'run-input-'));
    turn.once('error', () => done()); // a game day holds it already: as good
    turn.listen('\0coditect-dr-gameday', () => done());
  });
  after(() => {
    turn.close();
    rmSync(folder, { recursive: true });
  });

  const cases: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    ['--reports on /proc', () => ['--reports', '/proc'], /^--reports \/proc: no folder can be made in it \(\w+\); name a folder/],
    ['--reports below /proc', () => ['--reports', '/proc/1/reports'], /^--reports \/proc\/1\/reports: no folder can be made in it/],
    ['--reports on a file', () => ['--reports', 'README.md'], /^--reports README.md: it is a file, or lies below one; name a folder/],
    ['--reports below a file', () => ['--reports', 'README.md/reports'], /^--reports README.md\/reports: it is a file/],
    [
      '--system with --platform local',
      () => ['--reports', folder, '--platform', 'local', '--system', 'system.yaml'],
      /^--system names a system that is there already, and --platform local plays on a lab of its own/,
    ],
    [
      '--system with --engine',
      () => ['--reports', folder, '--engine', 'dist/src/main.js', '--system', 'system.yaml'],
      /^--system names a system that is there already, with its own engine, and --engine one to start: leave/,
    ],
    // They were played as they are, on the embedded database.
    [
      '--set with files',
      () => ['--reports', folder, '--set', 'foundationdb'],
      /^--set foundationdb plays the package's scenarios of that set, and files .*: leave one of them out, or --database foundationdb/,
    ],
    ['--engine on nothing', () => ['--reports', folder, '--engine', 'nothing.js'], /^--engine .*nothing.js: there is no such file/],
    [
      '--engine on nothing, and no folder is made for its reports',
      () => ['--reports', join(folder, 'fresh'), '--engine', 'nothing.js'],
      /^--engine .*nothing.js: there is no such file/,
    ],
    ['an option twice', () => ['--reports', folder, '--seed', '1', '--seed', '2'], /option '--seed <n>' is given twice: leave one/],
    ['more repetitions than anybody plays', () => ['--repeat', '9007199254740991'], /must be a whole number from 1 to 10000\./],
    ['--engine on a folder', () => ['--reports', folder, '--engine', 'src'], /^--engine .*src: is no file/],
    [
      '--engine on a text',
      () => ['--reports', folder, '--engine', 'README.md'],
      /^--engine .*README.md: is no engine: .* ended with 1 \(.*Error/,
    ],
    [
      '--engine on a program that is none',
      () => ['--reports', folder, '--engine', program()],
      /is no engine: .* must end with 2 and ended with 0/,
    ],
  ];
  const program = (): string => {
    const file = join(folder, 'hello.js');
    writeFileSync(file, 'console.log("hello")\n');
    return file;
  };
  for (const [what, args, says] of cases)
    it(`${what}: exit 2, with what to do`, async () => {
      const { code, output } = await gameday(['run', ...args(), 'scenarios/null.yaml']);
      expect(output)
        .to.match(says)
        .and.not.match(/\n\s+at /);
      expect(code).to.equal(2);
    });

  it('a lab on FoundationDB that is asynchronous is refused: no program of the engine would start there', async () => {
    const { code, output } = await gameday(['lab', 'up', '--reports', folder, '--database', 'foundationdb', '--replication', 'async']);
    expect(output).to.match(/^--replication async: FoundationDB replicates by itself, .*; leave it out/);
    expect(code).to.equal(2);
  });

  it('two scenarios of one name are refused, which no report could tell apart; one that is named twice is played twice', async () => {
    const copy = join(folder, 'hello.yaml');
    const text = readFileSync(join(ROOT, 'scenarios/null.yaml'), 'utf8');
    writeFileSync(copy, text.replace('question: ', 'question: Otherwise, '));
    const args = ['--reports', folder, '--engine', 'nothing.js', 'scenarios/null.yaml'];
    const { code, output } = await gameday(['run', ...args, copy]);
    expect(output).to.match(/^scenarios\/null\.yaml and .*hello\.yaml: both scenarios are called null; give each its own name/);
    expect(code).to.equal(2);
    expect((await gameday(['run', ...args, 'scenarios/null.yaml'])).output).to.match(/nothing\.js: there is no such file/);
    rmSync(copy);
  });

  it('manifests for which no clusters are named are refused: nothing would be asked whether they select something', async () => {
    const { code, output } = await gameday(['doctor', '--manifest', 'nofile.yaml']);
    expect(output).to.match(/^--manifest: .*--system.*gameday chaos explain/);
    expect(code).to.equal(2);
  });

  it('a set on a layout on which a part of it is played asks for what that part needs', async () => {
    const args = ['--reports', folder, '--set', 'foundationdb', '--database', 'foundationdb:two_regions'];
    const { code, output } = await gameday(['run', ...args]);
    expect(output).to.match(/^inconclusive, nothing was started:\n/);
    expect(output.match(/^scenarios\/.*: no fdbserver in/gm)).to.have.lengthOf(11);
    expect(code).to.equal(3);
  });

  it('a certificate of a shortened commit is refused, of which no record would be', async () => {
    const args = ['--reports', folder, '--tag', 'v1.0.0', '--commit', '0a1b2c3', 'scenarios/null.yaml'];
    const { code, output } = await gameday(['digest', ...args]);
    expect(output).to.match(/'0a1b2c3' is invalid\. must be all digits of a commit, as git rev-parse HEAD tells them/);
    expect(code).to.equal(2);
  });

  it('and leaves no run folder', () => {
    expect(readdirSync(folder).filter((name) => name !== 'hello.js')).to.deep.equal([]);
  });
});

describe('gameday under an old Node', () => {
  it('says which one it needs, before it loads what that one does not understand', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process,"version",{value:"v20.19.0"})';
    const { code, output } = await gameday(['--help'], ['--import', old]);
    expect(output.trim()).to.match(/^gameday needs Node 24, this is v20\.19\.0; .*$/);
    expect(code).to.equal(2);
  });
});
