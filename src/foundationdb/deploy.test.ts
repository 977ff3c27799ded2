import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { regionsConfig, regionsProblems, type ConfiguredRegion } from './regions.ts';

const FOLDER = resolve(import.meta.dirname, '../../../deploy/foundationdb');
const REGIONS = ['europe-west1', 'us-central1', 'us-east1'];

/** Sections of a file that fdbmonitor reads, comments left out. */
function sections(file: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  for (const line of readFileSync(join(FOLDER, file), 'utf8').split('\n')) {
    const text = line.replace(/^\s*#.*$/, '').trim();
    const section = /^\[(.+)\]$/.exec(text)?.[1];
    if (section !== undefined) found.set(section, (current = new Map()));
    else if (text !== '') {
      const [key, ...value] = text.split('=');
      current.set((key as string).trim(), value.join('=').trim());
    }
  }
  return found;
}

describe('deploy/foundationdb', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.conf'));

  it('has a configuration for each region, and no other', () => {
    expect(files.map((name) => name.slice('fdb-dr.'.length, -'.conf'.length))).to.have.members(REGIONS);
  });

  for (const region of REGIONS)
    it(`places every process of ${region} in it, in a zone of it`, () => {
      const conf = sections(`fdb-dr.${region}.conf`);
      const defaults = conf.get('fdbserver') as ReadonlyMap<string, string>;
      expect(defaults.get('locality-dcid')).to.equal(region);
      expect(defaults.get('locality-zoneid')).to.match(new RegExp(`^${region}-[a-z]$`));
      expect(defaults.get('datadir')).to.contain('$ID');
      const processes = [...conf].filter(([name]) => /^fdbserver\.\d+$/.test(name));
      expect(processes.length).to.be.greaterThan(0);
      // The seed gave each process of the machine another region: nothing of a process may override where it stands.
      for (const [name, own] of processes)
        expect(
          [...own.keys()].filter((key) => /locality|datacenter|machine/.test(key)),
          name,
        ).to.deep.equal([]);
      expect(conf.get('general')?.get('cluster-file')).to.equal('/etc/foundationdb/fdb.cluster');
    });

  it('has the regions that the engine would configure', () => {
    const { regions } = JSON.parse(readFileSync(join(FOLDER, 'regions.json'), 'utf8')) as { regions: readonly ConfiguredRegion[] };
    expect(regionsProblems(regions)).to.deep.equal([]);
    expect(regions).to.deep.equal(regionsConfig({ primary: 'us-central1', remote: 'us-east1', satellite: 'europe-west1' }, 2));
  });
});
