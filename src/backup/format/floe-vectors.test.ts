import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FloeParameters } from './floe-core.ts';
import { OWN_FLOE_VECTORS } from './floe-vectors.ts';
import { decryptFloeStream, openFloe } from './floe.ts';

/** The published vectors are not part of the repository; beside a checkout they are in ../shared. */
const folder = ['../shared/vectors/floe', '../../shared/vectors/floe']
  .map((path) => join(process.cwd(), path))
  .find((path) => existsSync(path));
const publicKey = Buffer.alloc(32);
const publicAad = Buffer.from('This is AAD');

function parametersOf(name: string): FloeParameters {
  if (name.includes('_4K')) return { segmentBytes: 4096, rotationBits: 20 };
  if (name.includes('_64')) return { segmentBytes: 64, rotationBits: 20 };
  return { segmentBytes: 40, rotationBits: name.includes('rotation') ? 2 : 20 };
}

async function streamed(vector: { key: Buffer; aad: Buffer; sealed: Buffer; parameters: FloeParameters }): Promise<Buffer> {
  const source = async function* (): AsyncGenerator<Buffer> {
    yield vector.sealed;
  };
  const parts: Buffer[] = [];
  for await (const part of decryptFloeStream(vector.key, vector.aad, source(), vector.parameters)) parts.push(part);
  return Buffer.concat(parts);
}

describe('FLOE vectors', () => {
  it('opens the published vectors of the four reference implementations', async function () {
    if (folder === undefined) return this.skip(); // reason: ../shared/vectors/floe is not beside this checkout
    const hex = (file: string): Buffer => Buffer.from(readFileSync(join(folder, file), 'utf8').trim(), 'hex');
    const names = readdirSync(folder)
      .filter((file) => file.endsWith('_ct.txt'))
      .map((file) => file.slice(0, -'_ct.txt'.length));
    expect(names.length).to.be.at.least(17);
    for (const name of names) {
      const vector = { key: publicKey, aad: publicAad, sealed: hex(`${name}_ct.txt`), parameters: parametersOf(name) };
      const plain = hex(`${name}_pt.txt`);
      expect(openFloe(vector.key, vector.aad, vector.sealed, vector.parameters).equals(plain), name).to.equal(true);
      expect((await streamed(vector)).equals(plain), `${name}, streamed`).to.equal(true);
    }
  });

  it('opens our own vectors, which another implementation wrote', async () => {
    expect(OWN_FLOE_VECTORS).to.have.length.above(3);
    for (const own of OWN_FLOE_VECTORS) {
      const vector = {
        key: Buffer.from(own.key, 'hex'),
        aad: Buffer.from(own.aad, 'hex'),
        sealed: Buffer.from(own.sealed, 'hex'),
        parameters: { segmentBytes: own.segmentBytes, rotationBits: own.rotationBits },
      };
      expect(openFloe(vector.key, vector.aad, vector.sealed, vector.parameters).toString('hex'), own.name).to.equal(own.plain);
      expect((await streamed(vector)).toString('hex'), own.name).to.equal(own.plain);
    }
  });
});
