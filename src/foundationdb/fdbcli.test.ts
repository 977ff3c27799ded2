import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fdbcli, judgeAnswer, statusByFdbcli } from './fdbcli.ts';

describe('answers of fdbcli', () => {
  it('are done where it exits with 0 and says no otherwise', () => {
    expect(judgeAnswer(0, 'Database created').kind).to.equal('done');
    expect(judgeAnswer(0, 'WARNING: Long delay (Ctrl-C to interrupt)').kind).to.equal('done');
  });

  it('are refused where it says so, whatever the exit code', () => {
    expect(judgeAnswer(1, "ERROR: Database already exists! To change configuration, don't say `new'").kind).to.equal('refused');
    expect(judgeAnswer(1, 'When usable_regions > 1, All regions with priority >= 0 must be fully replicated').kind).to.equal('refused');
    expect(judgeAnswer(0, 'ERROR: These changes would make the configuration invalid').kind).to.equal('refused');
  });

  it('are unknown where it did not finish, or exits with 1 and nothing said', () => {
    expect(judgeAnswer(null, 'no answer within 7000 ms').kind).to.equal('unknown');
    expect(judgeAnswer(1, 'exit code 1').kind).to.equal('unknown');
    expect(judgeAnswer(1, 'Specified timeout reached -- exiting...').kind).to.equal('unknown');
  });
});

describe('running fdbcli', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'fdbcli-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** A program in the place of fdbcli: what is tested is how it is called and ended. */
  function program(text: string): string {
    const path = join(folder, `fdbcli-${Math.random()}`);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it('gives it one command as one argument, a time limit in whole seconds, and the certificates', async () => {
    const cli = { program: program('printf "%s|" "$@"'), clusterFile: '/x/fdb.cluster', tls: { ca: 'a', cert: 'b', key: 'c' } };
    const result = await fdbcli(cli, "coordinators; status 'x'", 1500, new AbortController().signal);
    expect(result).to.deep.equal({
      kind: 'done',
      said: "-C|/x/fdb.cluster|--tls_certificate_file|b|--tls_key_file|c|--tls_ca_file|a|--timeout|2|--exec|coordinators; status 'x'|",
    });
  });

  it('finds the status among complaints, however long it is, and none where it gave up or was cut short', async () => {
    const status = async (text: string) =>
      await statusByFdbcli({ program: program(text), clusterFile: 'x' }, 5000, new AbortController().signal);
    const long = 'x'.repeat(100_000);
    const found = await status(`echo 'WARNING: Long delay' >&2; printf '{"client":{},"padding":"${long}","cluster":{"generation":7}}\\n'`);
    expect(found?.cluster?.generation).to.equal(7);
    expect(await status('exit 1')).to.equal(null);
    expect(await status(`printf '{"client":{},"cluster":{"generation":7'`)).to.equal(null);
  });

  it('does not wait for one that hangs', async () => {
    const ending = new AbortController();
    const running = fdbcli({ program: program('exec sleep 60'), clusterFile: 'x' }, 'status', 50_000, ending.signal);
    ending.abort();
    expect((await running).kind).to.equal('unknown');
  });

  it('has an answer where there is no such program', async () => {
    const result = await fdbcli({ program: join(folder, 'none'), clusterFile: 'x' }, 'status', 1000, new AbortController().signal);
    expect(result.kind).to.equal('unknown');
    expect(result.said).to.contain('ENOENT');
  });
});
