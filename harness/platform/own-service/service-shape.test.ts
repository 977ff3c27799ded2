import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { NOTES_LEDGER } from '../../testing/notes/notes-description.ts';
import { HarnessError } from '../errors.ts';
import { namesService, readServiceFile } from './service-shape.ts';

describe("the description of somebody's service", function () {
  this.timeout(60_000);
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(tmpdir(), 'service-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const written = (document: object): string => {
    const file = path.join(folder, 'system.yaml');
    writeFileSync(file, stringify(document));
    return file;
  };
  const clients = { outside: 'https://notes.example:8443' };

  it('has its clients, its ledger, and secrets by reference; paths are relative to it', () => {
    for (const name of ['token', 'ca.crt', 'tls.crt', 'tls.key']) writeFileSync(path.join(folder, name), `the ${name}\n`);
    const headers = { 'X-Tenant': 'gameday', Authorization: { file: 'token' } };
    const tls = { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' };
    const file = written({ service: { clients, ledger: NOTES_LEDGER, headers, tls } });
    expect(namesService(file)).to.equal(true);
    const service = readServiceFile(file);
    expect(service.headers).to.deep.equal({ 'x-tenant': 'gameday', authorization: 'the token' });
    expect(service.tls).to.deep.equal({
      ca: path.join(folder, 'ca.crt'),
      cert: path.join(folder, 'tls.crt'),
      key: path.join(folder, 'tls.key'),
    });
    expect(service.ledger.read).to.deep.include({ method: 'GET', absent: [404, 410] });
  });

  it('is told from clusters, which have a service too', () => {
    expect(namesService(written({ kubeconfig: 'k', service: {} }))).to.equal(false);
  });

  it('is refused where TLS is described and a client would go past it in the clear', () => {
    writeFileSync(path.join(folder, 'ca.crt'), 'the ca.crt');
    const service = { clients: { ...clients, plain: 'HTTP://10.0.0.1:80' }, ledger: NOTES_LEDGER, tls: { ca: 'ca.crt' } };
    expect(() => readServiceFile(written({ service }))).to.throw(
      HarnessError,
      /^\S+system\.yaml:4:\d+: service\.clients\.plain: is http:\/\/, where `tls` is passed over[^\n]*$/,
    );
    expect(readServiceFile(written({ service: { ...service, tls: {} } })).clients).to.have.keys('outside', 'plain');
  });

  it('is refused with each mistake and its place', () => {
    const service = {
      clients: { 'US East': clients.outside, outside: 'https://user:secret@notes.example/api' },
      ledger: NOTES_LEDGER,
      headers: { authorization: { file: 'nowhere' }, 'x-two': 'a\nb', 'Content-Length': '7' },
      tls: { cert: 'tls.crt' },
    };
    try {
      readServiceFile(written({ service }));
      expect.fail('it was taken');
    } catch (error) {
      expect(error).to.be.instanceOf(HarnessError).with.property('code', 'bad-input');
      const { message } = error as Error;
      expect(message).to.match(/system\.yaml:\d+:\d+: service\.clients\.US East: must be lower-case letters, digits and dashes/);
      expect(message).to.match(/service\.clients\.outside: must be http:\/\/HOST:PORT or https:\/\/HOST:PORT; paths are in `ledger`/);
      expect(message).to.match(/service\.headers\.authorization/);
      expect(message).to.match(/service\.headers\.x-two: has a line break/);
      expect(message).to.match(/service\.headers\.Content-Length: is no name of a header that can be given/);
      expect(message).to.not.include('secret');
    }
  });
});
