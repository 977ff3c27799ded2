import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findFoundationdb } from './foundationdb-programs.ts';

describe('FoundationDB on a machine', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fdb-programs-'));
    for (const name of ['bin', 'lib']) mkdirSync(join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const find = (more: object = {}) => findFoundationdb({ FDB_BIN: join(folder, 'bin'), ...more });
  function put(name: string): string {
    const file = join(folder, name);
    writeFileSync(file, '');
    chmodSync(file, 0o755);
    return file;
  }

  it('is not there without its server, its fdbcli, or the library that is named', () => {
    expect(find()).to.equal(`no fdbserver in ${join(folder, 'bin')} (FDB_BIN)`);
    mkdirSync(join(folder, 'bin/fdbserver'));
    expect(find(), 'a folder is no program').to.match(/^no fdbserver in /);
    rmSync(join(folder, 'bin/fdbserver'), { recursive: true });
    put('bin/fdbserver');
    expect(find()).to.match(/^no fdbcli in /);
    put('bin/fdbcli');
    expect(find({ FDB_LIB: '/nonexistent/libfdb_c.so' })).to.equal('no /nonexistent/libfdb_c.so (FDB_LIB)');
  });

  it('is where FDB_BIN says, with the library beside its programs or in lib/ beside their folder, unless FDB_LIB names one', () => {
    const [fdbserver, fdbcli] = [put('bin/fdbserver'), put('bin/fdbcli')];
    const apart = put('lib/libfdb_c.so');
    expect(find()).to.deep.equal({ fdbserver, fdbcli, library: apart });
    const beside = put('bin/libfdb_c.so');
    expect(find()).to.deep.equal({ fdbserver, fdbcli, library: beside });
    expect(find({ FDB_LIB: apart })).to.deep.equal({ fdbserver, fdbcli, library: apart });
  });

  it('has the programs of a pair beside its server, or the agent where the package of the server puts it', () => {
    const bin = [put('bin/fdbserver'), put('bin/fdbcli'), put('bin/fdbdr')];
    put('lib/libfdb_c.so');
    expect(find()).not.to.have.property('pair');
    mkdirSync(join(folder, 'lib/foundationdb/backup_agent'), { recursive: true });
    const drAgent = put('lib/foundationdb/backup_agent/dr_agent');
    expect(find()).to.deep.include({ pair: { fdbdr: bin[2], drAgent } });
    const beside = put('bin/dr_agent');
    expect(find()).to.deep.include({ pair: { fdbdr: bin[2], drAgent: beside } });
  });
});
