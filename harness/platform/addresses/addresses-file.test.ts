import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { HarnessError } from '../errors.ts';
import { labAddresses } from '../local/lab-addresses.ts';
import { threeRegions } from '../local/topology.ts';
import { namesAddresses, readAddressesFile } from './addresses-file.ts';

describe('a system by its addresses', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'addresses-'));
    mkdirSync(path.join(folder, 'tls'));
    for (const file of ['ca.crt', 'tls.crt', 'tls.key']) writeFileSync(path.join(folder, 'tls', file), '');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const written = (text: string): string => {
    const file = path.join(folder, 'system.yaml');
    writeFileSync(file, text);
    return file;
  };
  const refused = (text: string): string => {
    try {
      readAddressesFile(written(text));
    } catch (error) {
      expect(error).to.be.instanceOf(HarnessError).with.property('code', 'bad-input');
      return (error as Error).message;
    }
    throw new Error('it was taken');
  };

  it('is what the lab says of itself', () => {
    const file = written(labAddresses(threeRegions(), folder));
    expect(namesAddresses(file)).to.equal(true);
    const { regions, authority, clients, credentials } = readAddressesFile(file);
    expect(regions['us-east1']).to.deep.equal({ api: '10.77.2.10', database: '10.77.2.11', controller: '10.77.2.12' });
    expect(authority).to.equal('10.77.9.53');
    expect(clients['outside']).to.deep.equal({ resolver: '10.77.9.14' });
    expect(credentials).to.equal(folder);
  });

  it('is told from one in clusters, also where the file has mistakes', () => {
    expect(namesAddresses(written('kubeconfig: k\nregions: {a: {context: b}}\nnamespaces: [c]\n'))).to.equal(false);
    expect(namesAddresses(written('clients: 7\n'))).to.equal(true);
  });

  it('is refused with each mistake and its place', () => {
    const text = 'regions:\n  a: { api: here, database: 10.0.0.1, controller: 10.0.0.2 }\nclients: {}\ncredentials: c\nports: 1\n';
    const message = refused(text);
    expect(message).to.match(/system\.yaml:2:\d+: regions\.a\.api: must be an IPv4 or IPv6 address/);
    expect(message).to.match(/clients: is empty; name each client/);
    expect(message).to.match(/`authority` is missing/);
    expect(message).to.match(/system\.yaml:5:1: ports: unknown field `ports`/);
    const elsewhere = labAddresses(threeRegions(), folder).replace('  outside:', '  us-west1:');
    expect(refused(elsewhere)).to.match(/clients\.us-west1: is no region of this system, and not `outside`/);
  });

  it('is refused where two regions have one API: who answered could not be told; other programs may share a host', () => {
    const text = labAddresses(threeRegions(), folder);
    expect(refused(text.replace('10.77.2.10', '10.77.1.10'))).to.match(
      /^\S+system\.yaml:\d+:\d+: regions\.us-east1\.api: is the api of us-central1 already; give each region its own$/,
    );
    expect(refused(text.replace('10.77.2.11', '10.77.1.11'))).to.match(
      /regions\.us-east1\.database: is the database of us-central1 already/,
    );
    const shared = text.replaceAll('10.77.2.14', '10.77.1.10').replace('10.77.9.53', '10.77.1.10').replace('10.77.1.12', '10.77.1.11');
    expect(readAddressesFile(written(shared)).authority).to.equal('10.77.1.10');
  });

  it('is refused without credentials, or with a region that is called as no file or as clients in none', () => {
    const text = labAddresses(threeRegions(), folder);
    expect(refused(text.replace(folder, './nowhere'))).to.match(
      /system\.yaml:\d+:\d+: credentials: has no tls\/ca\.crt, tls\/tls\.crt, tls\/tls\.key;/,
    );
    expect(refused(text.replaceAll('us-east1:', '"../../x":'))).to.match(/must be lower-case letters, digits and dashes/);
    expect(refused(text.replace('  us-east1:', '  outside:'))).to.match(/regions\.outside: is what clients in no region are called/);
  });
});
