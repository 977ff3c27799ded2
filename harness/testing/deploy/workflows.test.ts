import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const FOLDER = path.join(ROOT, '.github/workflows');
/** Without git there is no checkout, and so no script: the one step that is a command. */
const BEFORE_CHECKOUT = 'apt-get update && apt-get install -y --no-install-recommends git ca-certificates';

interface Step {
  readonly run?: string;
  readonly uses?: string;
}
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(path.join(FOLDER, name), 'utf8') }));
const steps = files.flatMap(({ name, text }) => {
  const { jobs } = parse(text) as { readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>> };
  return Object.values(jobs).flatMap((job) => job.steps.map((step) => ({ name, step })));
});
const runs = steps.flatMap(({ name, step }) => (step.run === undefined || step.run === BEFORE_CHECKOUT ? [] : [{ name, run: step.run }]));

describe('.github/workflows', () => {
  it('actionlint finds nothing', function () {
    this.timeout(30_000);
    const env = { ...process.env, PATH: `${process.env['PATH']}:${path.join(homedir(), '.cache/coditect-dr/bin')}` };
    const { status, stdout, error } = spawnSync('actionlint', ['-no-color'], { cwd: ROOT, env, encoding: 'utf8' });
    if (error !== undefined) {
      process.stdout.write('    skipped: no actionlint (./scripts/setup)\n');
      return this.skip();
    }
    expect(status, stdout).to.equal(0);
  });

  it('every action is named by its commit, with its version beside it', () => {
    const uses = files.flatMap(({ text }) => [...text.matchAll(/uses: (.*)$/gm)].map((match) => match[1]));
    expect(uses.length).to.be.greaterThan(5);
    for (const one of uses) expect(one).to.match(/^[a-z-]+\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('every step that runs something is one command: a script of ours that is there, with a step that it has', () => {
    expect(runs.length).to.be.greaterThan(10);
    for (const { name, run } of runs) {
      const [script = '', step = ''] = run.split(' ');
      expect(run, name).not.to.match(/[\n;|&`]|\$\(/);
      accessSync(path.join(ROOT, script), constants.X_OK);
      if (!/^scripts\/(workflow|kind)$/.test(script)) continue;
      const { stdout, status } = spawnSync(path.join(ROOT, script), ['--help'], { encoding: 'utf8' });
      expect(status, stdout).to.equal(0);
      expect(stdout, `${name}: ${run}`).to.match(new RegExp(`^ *${script} ${step}\\b`, 'm'));
    }
  });

  it('where every scenario is played, FoundationDB is there: some are of it, and the whole could never pass', () => {
    const folder = path.join(ROOT, 'scenarios');
    const scenarios = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(scenarios.some((name) => /^database: foundationdb$/m.test(readFileSync(path.join(folder, name), 'utf8')))).to.equal(true);
    const plays = files.flatMap(({ text }) => {
      const { jobs } = parse(text) as { readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>> };
      return Object.values(jobs)
        .map((job) => job.steps.flatMap(({ run }) => (run === undefined ? [] : [run])))
        .filter((commands) => commands.some((run) => /^scripts\/workflow (play|certify) /.test(run)));
    });
    expect(plays).to.have.length(2);
    for (const commands of plays) {
      const played = commands.findIndex((run) => /^scripts\/workflow (play|certify) /.test(run));
      expect(commands.slice(0, played)).to.include('scripts/setup --with-foundationdb');
    }
  });

  it('only jobs that run nothing of what is tested may write', () => {
    for (const { name, text } of files) {
      const { permissions, jobs } = parse(text) as {
        readonly permissions: unknown;
        readonly jobs: Readonly<Record<string, { readonly permissions?: object; readonly steps: readonly Step[] }>>;
      };
      expect(permissions, name).to.deep.equal({ contents: 'read' });
      for (const job of Object.values(jobs).filter((one) => one.permissions !== undefined))
        for (const { run } of job.steps) if (run !== undefined) expect(run).to.match(/^scripts\/workflow (issue|pending|publish) /);
    }
  });
});

/** Keeps what it is called with, and what it was given in files; answers as GitHub's client does. */
const GH = `#!/bin/bash
printf '%s\\n' "$*" >> "$CALLS"
while [ $# -gt 0 ]; do case "$1" in --body-file | --notes-file) cp "$2" "$CALLS.body" ;; esac; set -- "\${@:2}" ; done
line=$(tail -n 1 "$CALLS")
case "$line" in
  'issue list'*) printf '%s' "$ISSUE" ;;
  'release view'*) [ -n "$RELEASE" ] || exit 1; printf '%b' "$RELEASE" ;;
esac
`;

describe('scripts/workflow', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'workflow-'));
    mkdirSync(path.join(folder, 'bin'));
    writeFileSync(path.join(folder, 'bin/gh'), GH, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function workflow(
    args: readonly string[],
    answers: { readonly ISSUE?: string; readonly RELEASE?: string; readonly SCENARIOS?: string } = {},
  ) {
    const calls = path.join(folder, 'calls');
    rmSync(calls, { force: true });
    rmSync(`${calls}.body`, { force: true });
    const env = { ISSUE: '', RELEASE: '', ...process.env, ...answers, CALLS: calls, PATH: `${folder}/bin:${process.env['PATH']}` };
    const { status, stderr } = spawnSync(path.join(ROOT, 'scripts/workflow'), args, { encoding: 'utf8', env });
    const text = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    return { status, stderr, calls: text(calls).trim().split('\n'), body: text(`${calls}.body`) };
  }
  function digest(name: string, text: string): string {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'digest.md'), text);
    return path.join(folder, name);
  }

  describe('issue', () => {
    it('opens one where a digest is no PASS, or is not there, with what the digest says', () => {
      const lab = digest('lab', '# Game days: FAIL\n\n1 of 2 runs passed, 1 failed.\n');
      const { status, calls, body, stderr } = workflow(['issue', `lab=${lab}`, `kind=${folder}/none`]);
      expect(status, stderr).to.equal(0);
      expect(calls.find((call) => call.startsWith('issue create'))).to.match(/--title Nightly game days did not pass: lab kind/);
      expect(body)
        .to.match(/### Game days: FAIL/)
        .and.to.match(/## kind\n\nNo digest: the job broke off/);
    });
    it('brings the one that is open up to date instead of opening another', () => {
      const { calls } = workflow(['issue', `lab=${folder}/none`], { ISSUE: '7' });
      expect(calls.map((call) => call.split(' ').slice(0, 3).join(' '))).to.deep.equal([
        'issue list --label',
        'issue edit 7',
        'issue comment 7',
      ]);
    });
    it('closes it when all passed, and what decides nothing neither opens nor keeps one', () => {
      const lab = digest('lab', '# Game days: PASS\n');
      const kind = digest('kind', '# Game days: INCONCLUSIVE\n');
      expect(workflow(['issue', `lab=${lab}`, `kind?=${kind}`], { ISSUE: '7' }).calls.at(-1)).to.match(/^issue close 7 /);
      expect(workflow(['issue', `lab=${lab}`, `kind?=${kind}`]).calls).to.have.length(1);
      expect(workflow(['issue', `lab=${lab}`, `kind=${kind}`]).calls.at(-1)).to.match(/^issue create /);
    });
    it('leaves it open when some scenarios were played only: what it tells of may be among the others', () => {
      const lab = digest('lab', '# Game days: PASS\n');
      const { status, calls } = workflow(['issue', `lab=${lab}`], { ISSUE: '7', SCENARIOS: 'scenarios/null.yaml' });
      expect(status).to.equal(0);
      expect(calls.filter((call) => !call.startsWith('issue list'))).to.deep.equal([]);
      const nightly = files.find(({ name }) => name === 'gameday-nightly.yml')?.text ?? '';
      const { jobs } = parse(nightly) as { readonly jobs: { readonly issue: { readonly env: Readonly<Record<string, string>> } } };
      expect(jobs.issue.env['SCENARIOS'], 'told by the workflow').to.equal('${{ inputs.scenarios }}');
    });
    it('takes no other verdict that begins alike for a PASS', () => {
      const lab = digest('lab', '# Game days: PASSED BY\n');
      expect(workflow(['issue', `lab=${lab}`]).calls.at(-1)).to.match(/^issue create /);
    });
  });

  describe('a release', () => {
    const certified = (tag: string, verdict = 'CERTIFIED'): string => {
      const at = path.join(folder, 'certification');
      mkdirSync(at, { recursive: true });
      writeFileSync(path.join(at, 'certificate.json'), '{}');
      writeFileSync(path.join(at, 'certificate.md'), `# ${tag}: ${verdict}\n`);
      writeFileSync(path.join(at, 'records.tar.gz'), 'records');
      const { stdout } = spawnSync('sha256sum', ['certificate.json', 'certificate.md', 'records.tar.gz'], { cwd: at, encoding: 'utf8' });
      writeFileSync(path.join(at, 'SHA256SUMS'), stdout);
      return at;
    };

    it('is visibly not certified as soon as its tag is there', () => {
      const { status, calls, body } = workflow(['pending', 'v1.2.3']);
      expect(status).to.equal(0);
      expect(calls.at(-1)).to.match(
        /^release create v1\.2\.3 --verify-tag --title v1\.2\.3 \(NOT CERTIFIED: under way\) --prerelease=true/,
      );
      expect(body).to.match(/^<!-- certificate -->\n# v1\.2\.3: NOT CERTIFIED\n/);
    });
    it('that is certified says so, has certificate and records, and keeps what people wrote', () => {
      const before = '<!-- certificate -->\\n# v1.2.3: NOT CERTIFIED\\n<!-- end of certificate -->\\nWhat is new: all.\\n';
      const { status, calls, body, stderr } = workflow(['publish', 'v1.2.3', certified('v1.2.3')], { RELEASE: before });
      expect(status, stderr).to.equal(0);
      expect(calls[1]).to.match(/^release edit v1\.2\.3 --title v1\.2\.3 --prerelease=false/);
      expect(calls[2]).to.match(
        /^release upload v1\.2\.3 --clobber .*certificate\.json .*certificate\.md .*records\.tar\.gz .*SHA256SUMS$/,
      );
      expect(body).to.equal('<!-- certificate -->\n# v1.2.3: CERTIFIED\n\n<!-- end of certificate -->\nWhat is new: all.\n');
    });
    it('keeps what people wrote also where they took the end of the block away', () => {
      const { body } = workflow(['pending', 'v1.2.3'], { RELEASE: '<!-- certificate -->\\nWhat is new: all.\\n' });
      expect(body).to.include('What is new: all.');
    });
    it('that was certified in part is a pre-release, and says in which', () => {
      const { calls, body, stderr } = workflow(['publish', 'v1.2.3', certified('v1.2.3', 'CERTIFIED IN PART ONLY')]);
      const edited = calls.find((call) => /^release (create|edit)/.test(call));
      expect(edited, stderr).to.match(/--title v1\.2\.3 \(CERTIFIED IN PART ONLY\) --prerelease=true/);
      expect(body).to.match(/^<!-- certificate -->\n# v1\.2\.3: CERTIFIED IN PART ONLY\n/);
    });
    it('is not certified by a certificate that says otherwise, is of another tag, not whole, changed, or not there', () => {
      const bad: readonly (() => string)[] = [
        () => certified('v1.2.3', 'NOT CERTIFIED'),
        () => certified('v1.2.4'),
        () => {
          const at = certified('v1.2.3');
          rmSync(path.join(at, 'records.tar.gz'));
          return at;
        },
        () => {
          const at = certified('v1.2.3');
          writeFileSync(path.join(at, 'records.tar.gz'), 'other records');
          return at;
        },
        () => path.join(folder, 'nowhere'),
      ];
      for (const [n, make] of bad.entries()) {
        const { calls, body, stderr } = workflow(['publish', 'v1.2.3', make()]);
        const edited = calls.find((call) => /^release (create|edit)/.test(call));
        expect(edited, `${n}: ${stderr}`).to.match(/--title v1\.2\.3 \(NOT CERTIFIED\) --prerelease=true/);
        expect(body, String(n)).to.match(/^<!-- certificate -->\n# v1\.2\.3: NOT CERTIFIED\n/);
      }
    });
  });

  it('refuses what is no release, no tag that is here, and no number, before anything is played', () => {
    for (const args of [
      ['certify', 'main', '1'],
      ['certify', 'v999.0.0', '1'],
      ['pending', 'latest'],
      ['play', path.join(folder, 'new'), '0'],
      ['play', folder, '1'],
      ['nothing'],
      [],
    ]) {
      const { status, stderr } = workflow(args);
      expect(status, `${args.join(' ')}: ${stderr}`).to.equal(2);
      expect(stderr).to.match(/^workflow: /);
    }
  });
});
