import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { EngineError } from '../platform/errors.ts';
import { openCluster, type ClientSettings } from './client.ts';

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
    expect(problem({ clusterFile: join(folder, 'none') })).to.match(/^database\.cluster_file: .*none is not there$/);
  });
});
