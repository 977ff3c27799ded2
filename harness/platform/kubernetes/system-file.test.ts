import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { NOTES_LEDGER } from '../../testing/notes/notes-description.ts';
import { openParts } from './parts.ts';
import { PROBE_COMMAND, readSystemFile } from './system-file.ts';

describe('the file that says what a game day may touch in clusters', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'system-file-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const read = (more: object): ReturnType<typeof readSystemFile> => {
    const file = path.join(folder, 'system.yaml');
    writeFileSync(file, stringify({ kubeconfig: 'kubeconfig', regions: { a: { context: 'x' } }, namespaces: ['shop'], ...more }));
    return readSystemFile(file);
  };
  const service = { clients: { outside: 'http://192.0.2.1:80' }, ledger: NOTES_LEDGER };

  it('allows probes in pods only where it names an image; program and port have defaults', () => {
    expect(read({ service }).probes).to.equal(undefined);
    const probes = { image: 'registry.example/coditect-dr:1' };
    expect(read({ service, probes }).probes).to.deep.equal({ ...probes, command: PROBE_COMMAND, port: 8477 });
    expect(read({ service, probes: { ...probes, command: ['node', 'p.js'], port: 9000 } }).probes?.command).to.deep.equal(['node', 'p.js']);
  });

  it('is named with what is wrong with the kubeconfig that it names', async () => {
    const error: unknown = await openParts(read({ kubeconfig: 'nowhere' })).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', 'bad-input');
    expect(String(error)).to.match(/system\.yaml: kubeconfig, regions\.a\.context: .*nowhere: is no kubeconfig/);
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['no image', { service, probes: {} }, /probes\.image|image/],
    ['no service whose pods they look into', { probes: { image: 'i' } }, /has `probes` without `service`/],
    ['a port that needs a right', { service, probes: { image: 'i', port: 53 } }, /probes\.port/],
    ['a word that it does not know', { service, probes: { image: 'i', images: 'i' } }, /images/],
  ];
  for (const [what, more, why] of refused)
    it(`refuses probes with ${what}`, () => {
      expect(() => read(more)).to.throw(why);
    });
});
