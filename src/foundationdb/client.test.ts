import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { EngineError } from '../platform/errors.ts';
import { howToLoad, openCluster, type ClientSettings } from './client.ts';

describe('client of FoundationDB that is not there', () => {
  let folder: string;
  let clusterFile: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fdb-client-'));
    clusterFile = join(folder, 'fdb.cluster');
    writeFileSync(clusterFile, 'test:test@127.0.0.1:1\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  function problem(change: Partial<ClientSettings>): string {
    try {
      openCluster({ clusterFile, library: null, tls: null, ...change });
    } catch (error) {
      if (error instanceof EngineError && error.code === 'bad-config') return error.message;
      throw error;
    }
    return '';
  }

  it('says which library cannot be loaded, and what to do', () => {
    const said = problem({ library: '/nowhere/libfdb_c.so' });
    expect(said).to.contain('/nowhere/libfdb_c.so').and.to.contain('foundationdb-clients').and.to.contain('database.client_library');
  });

  it('says so of a file that is no library', () => {
    expect(problem({ library: clusterFile })).to.contain('the FoundationDB client library cannot be loaded');
  });

  it('says that the cluster file is not there before it looks for anything else', () => {
    expect(problem({ clusterFile: join(folder, 'none') })).to.match(/^database\.cluster_file: .*none is not there; copy /);
  });

  // What is no cluster file is a cluster that never answers to the client: the program began, and said nothing of it.
  for (const [what, text] of [
    ['empty', ''],
    ['a comment', '# test:test@127.0.0.1:1'],
    ['something else', '{"cluster": "test"}'],
    ['a line without coordinators', 'test:test@'],
  ] as const)
    it(`says so of a cluster file that is ${what}`, () => {
      const file = join(folder, 'other.cluster');
      writeFileSync(file, text);
      expect(problem({ clusterFile: file })).to.match(/^database\.cluster_file: .*other\.cluster is no cluster file: .*4500/);
    });

  it('says of a processor that the npm package is not built for what that one needs, which no client package brings', () => {
    expect(howToLoad(new Error('No native build was found for platform=linux arch=arm64\n    loaded from: x'))).to.match(
      /x86-64 only.*npm rebuild/,
    );
    expect(howToLoad(new Error('libfdb_c.so: cannot open'))).to.contain('foundationdb-clients');
    expect(howToLoad(Object.assign(new Error('x'), { code: 'MODULE_NOT_FOUND' }))).to.contain('npm install foundationdb@2.0.1');
  });

  it('says so of a folder in the place of a cluster file', () => {
    expect(problem({ clusterFile: folder })).to.match(/^database\.cluster_file: .* cannot be read/);
  });

  for (const text of [
    '# made by hand\n \ttest_1:Ab1@127.0.0.1:1:tls,[::1]:1:tls # here\r\n',
    'test:test@fdb-1.example.com:4500,\n10.0.0.1:4500',
    ':@1.2.3.4:5',
  ])
    it(`takes what FoundationDB takes: ${JSON.stringify(text)}`, () => {
      const file = join(folder, 'other.cluster');
      writeFileSync(file, text);
      expect(problem({ clusterFile: file, library: '/nowhere/libfdb_c.so' })).to.contain('/nowhere/libfdb_c.so');
    });
});
