import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** Contexts are told one by one, as kubectl does: who listens no longer breaks its pipe. */
const KUBECTL = `#!/bin/bash
echo "$*" >> "$CALLS"
case "$*" in
  'config get-contexts -o name') for one in europe-west1 us-central1 us-east1; do echo "$one" || exit 1; sleep 0.02; done ;;
  *'get lease'*) echo -n dr-controller-0 ;;
  *'get deployment/dr-controller'*) [ -z "\${RUNNING:-}" ] || [[ "$*" != *"$RUNNING"* ]] || echo deployment.apps/dr-controller ;;
esac
`;
const CODITECT_DR = `#!/bin/bash
echo "coditect-dr $*" >> "$CALLS"
exit "\${SET_UP_CODE:-0}"
`;
const KUSTOMIZE = `#!/bin/bash
echo 'kind: List'
`;

describe('scripts/enable-dr.sh', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'enable-dr-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const enable = (...args: string[]) => enableIn({}, ...args);
  function enableIn(
    environment: Readonly<Record<string, string>>,
    ...args: string[]
  ): { code: number | null; said: string; changes: readonly string[] } {
    for (const [name, text] of Object.entries({ kubectl: KUBECTL, kustomize: KUSTOMIZE, 'coditect-dr': CODITECT_DR })) {
      writeFileSync(path.join(folder, name), text);
      chmodSync(path.join(folder, name), 0o755);
    }
    const calls = path.join(folder, 'calls');
    const { status, stderr } = spawnSync('bash', [path.join(ROOT, 'scripts/enable-dr.sh'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, CALLS: calls, ...environment },
    });
    const all = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    return {
      code: status,
      said: stderr,
      changes: all.filter((call) => / (?:apply|delete|set-up) /.test(call) && !call.includes('--dry-run')),
    };
  }

  it('applies the standbys, then the primary', () => {
    const { code, said, changes } = enable();
    expect(code, said).to.equal(0);
    expect(changes.map((call) => /--context=(\S+)/.exec(call)?.[1])).to.deep.equal(['europe-west1', 'us-east1', 'us-central1']);
  });
  it('takes nothing away where a rehearsal was asked for, whichever comes first', () => {
    for (const args of [
      ['--dry-run', '--undo'],
      ['--undo', '--dry-run'],
    ]) {
      const { code, said, changes } = enable(...args);
      expect(changes).to.deep.equal([]);
      expect(code).to.equal(2);
      expect(said).to.match(/--dry-run and --undo do not go together/);
    }
  });
  it('refuses a primary that has no overlay', () => {
    const { code, said, changes } = enable('--primary', 'us-est1');
    expect({ code, changes }).to.deep.equal({ code: 2, changes: [] });
    expect(said).to.match(/--primary us-est1: there is no overlay/);
  });
  describe('with FoundationDB', () => {
    const DATABASE = ['--foundationdb', 'three_datacenter', '--config', 'engine.yaml'];
    const SET_UP = 'coditect-dr foundationdb set-up three_datacenter --config engine.yaml';

    it('sets that up before any program; nobody is to be paused where no controller runs', () => {
      const { code, said, changes } = enable(...DATABASE, '--new-database');
      expect(code, said).to.equal(0);
      expect(changes[0]).to.equal(`${SET_UP} --new --without-pause`);
      expect(changes).to.have.length(4);
    });
    it('keeps controllers that run from failing over meanwhile', () => {
      expect(enableIn({ RUNNING: '--context=' }, ...DATABASE).changes[0]).to.equal(SET_UP);
    });
    it('also those of regions that it is not told to touch', () => {
      expect(enableIn({ RUNNING: '--context=us-east1' }, ...DATABASE, 'us-central1').changes[0]).to.equal(SET_UP);
    });
    it('starts no program over a database that is not set up', () => {
      const { code, said, changes } = enableIn({ SET_UP_CODE: '1' }, ...DATABASE);
      expect({ code, changes }).to.deep.equal({ code: 1, changes: [`${SET_UP} --without-pause`] });
      expect(said).to.match(/FAILED: foundationdb: set-up/);
      const refused = enableIn({ SET_UP_CODE: '2' }, ...DATABASE);
      expect(refused.code, 'bad input, nothing changed').to.equal(2);
      expect(refused.said).to.match(/--foundationdb three_datacenter --config engine\.yaml: refused, see above/);
    });
    it('rehearses it, takes no database away, and wants the configuration', () => {
      expect(enable(...DATABASE, '--dry-run')).to.deep.include({ code: 0, changes: [] });
      for (const args of [[...DATABASE, '--undo'], ['--foundationdb', 'three_datacenter'], ['--new-database']])
        expect(enable(...args), args.join(' ')).to.deep.include({ code: 2, changes: [] });
    });
  });
});
