import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { REGIONS, testConfig } from '../testing/test-config.ts';
import { EngineError } from '../platform/errors.ts';
import { decodeConfig } from './load.ts';

const DATA_CENTERS = { 'us-central1': 'dc1', 'us-east1': 'dc2', 'europe-west1': 'dc3' };
const FOUNDATIONDB = { kind: 'foundationdb', experimental: true, cluster_file: 'fdb.cluster', data_centers: DATA_CENTERS };

function text(database: object | undefined, mode: 'sync' | 'async' = 'sync'): string {
  const settings = {
    mode,
    policy: 'lab',
    arbiter: { kind: 'etcd', endpoints: ['https://127.0.0.1:1'], prefix: '/x/' },
    dns: { kind: 'cloud-dns', managed_zone: 'none', name: 'x.', ttl_seconds: 1 },
    more: database === undefined ? {} : { database },
    pem: '',
    portOf: () => 1,
  } as const;
  const endpoints = [...settings.arbiter.endpoints];
  return testConfig({ ...settings, arbiter: { ...settings.arbiter, endpoints } }, 'database', REGIONS[0]);
}

interface Example {
  readonly database: object;
  readonly replication?: 'async';
}

function problemOf(database: object, mode?: 'sync' | 'async'): string {
  try {
    decodeConfig(text(database, mode), 'c.yaml');
  } catch (error) {
    if (error instanceof EngineError && error.code === 'bad-config') return error.message;
    throw error;
  }
  return '';
}

describe('configuration of the database', () => {
  it('is embedded where nothing is said', () => {
    expect(decodeConfig(text(undefined), 'c.yaml').database).to.deep.equal({ kind: 'embedded' });
  });

  for (const [page, blocks] of [
    ['deploy/foundationdb/README.md', 1],
    ['docs/runbooks/foundationdb-pair.md', 2],
  ] as const)
    it(`takes what ${page} says, as it is copied from there`, () => {
      const written = readFileSync(resolve(import.meta.dirname, '../../..', page), 'utf8');
      const examples = [...written.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, block]) => parse(block ?? '') as Example);
      expect(examples).to.have.lengthOf(blocks);
      for (const { database, replication } of examples)
        expect(decodeConfig(text(database, replication), 'c.yaml').database).to.have.property('kind', 'foundationdb');
    });

  it('takes FoundationDB, with a prefix of its own', () => {
    expect(decodeConfig(text(FOUNDATIONDB), 'c.yaml').database).to.deep.equal({ ...FOUNDATIONDB, prefix: 'coditect/' });
    const environment = { CODITECT_DR_DATABASE_CLUSTER_FILE: '/etc/foundationdb/fdb.cluster', CODITECT_DR_DATABASE_PREFIX: 'orders/' };
    expect(decodeConfig(text(FOUNDATIONDB), 'c.yaml', environment).database).to.include({
      cluster_file: '/etc/foundationdb/fdb.cluster',
      prefix: 'orders/',
    });
  });

  it('takes no FoundationDB from somebody who does not say that it is an experiment', () => {
    const { experimental: _said, ...silent } = FOUNDATIONDB;
    expect(problemOf(silent)).to.contain('database.experimental').and.to.contain('not for production');
  });

  const wrong: readonly (readonly [string, object, string])[] = [
    ['a region without a data centre', { 'us-central1': 'dc1', 'us-east1': 'dc2' }, 'no data centre is given for europe-west1'],
    ['a data centre of no region', { ...DATA_CENTERS, mars: 'dc4' }, 'mars is not under regions'],
    ['one data centre for two regions', { ...DATA_CENTERS, 'us-east1': 'dc1' }, 'data centre dc1 is given to two regions'],
  ];
  for (const [what, dataCenters, says] of wrong)
    it(`refuses ${what}`, () => {
      expect(problemOf({ ...FOUNDATIONDB, data_centers: dataCenters }))
        .to.match(/^c\.yaml:1:\d+: database\.data_centers: /)
        .and.to.contain(says);
    });

  it('says what a map of data centres looks like where there is none', () => {
    const { data_centers: _none, ...without } = FOUNDATIONDB;
    expect(problemOf(without)).to.match(/database\.data_centers: is missing: .*locality_dcid.*\{ us-central1: dc1/);
    expect(problemOf({ ...FOUNDATIONDB, data_centers: 'dc1' })).to.match(/database\.data_centers: must be a map; this is "dc1"/);
  });

  it('takes a pair of clusters, one of which is the one that it uses', () => {
    const pair = { east: 'fdb.cluster', west: 'west.cluster' };
    expect(decodeConfig(text({ ...FOUNDATIONDB, pair }), 'c.yaml', {}).database).to.deep.include({ pair });
    for (const [wrongPair, says] of [
      [{ east: 'fdb.cluster' }, 'a pair has two clusters'],
      [{ ...pair, north: 'north.cluster' }, 'a pair has two clusters'],
      [{ east: 'fdb.cluster', west: 'fdb.cluster' }, 'both are fdb.cluster'],
      [{ east: 'fdb.cluster', west: './fdb.cluster' }, 'both are fdb.cluster'],
      [{ east: 'east.cluster', west: 'west.cluster' }, 'neither is database.cluster_file (fdb.cluster)'],
      [{ east: 'fdb.cluster', 'the west': 'west.cluster' }, 'letters, digits'],
    ] as const)
      expect(problemOf({ ...FOUNDATIONDB, pair: wrongPair }))
        .to.match(/^c\.yaml:1:\d+: database\.pair/)
        .and.to.contain(says);
  });

  it('takes a cluster of the pair for each region, which is then what a program of that region uses; asynchronous, and nothing half said', () => {
    const pair = { central: 'central.cluster', east: 'fdb.cluster' };
    const homes = { 'us-central1': 'central', 'us-east1': 'east', 'europe-west1': 'east' };
    const moving = { ...FOUNDATIONDB, data_centers: { 'us-central1': 'dc1', 'us-east1': 'dc2' }, pair, pair_homes: homes };
    expect(decodeConfig(text(moving, 'async'), 'c.yaml').database).to.deep.include({ cluster_file: 'central.cluster', pair_homes: homes });
    expect(problemOf(moving)).to.contain('with database.pair_homes write async');
    const { pair: _pair, ...alone } = moving;
    for (const [wrong, says] of [
      [alone, 'there is no pair'],
      [{ ...moving, pair_homes: { 'us-central1': 'central', 'us-east1': 'east' } }, 'no cluster is given for europe-west1'],
      [{ ...moving, pair_homes: { ...homes, mars: 'east' } }, 'mars: not under regions'],
      [{ ...moving, pair_homes: { ...homes, 'us-east1': 'west' } }, 'west: not a cluster of the pair (central, east)'],
      [{ ...moving, pair_homes: { ...homes, 'us-central1': 'east' } }, 'no region serves from central'],
    ] as const)
      expect(problemOf(wrong, 'async'))
        .to.match(/c\.yaml:1:\d+: database\.pair_homes: /)
        .and.to.contain(says);
  });

  it('refuses async replication with it, and a prefix that keys of others could begin with', () => {
    expect(problemOf(FOUNDATIONDB, 'async')).to.contain('replication').and.to.contain('write sync');
    for (const prefix of ['', 'orders', '/', '\u00ff/'])
      expect(problemOf({ ...FOUNDATIONDB, prefix }), prefix).to.contain('database.prefix');
  });
});
