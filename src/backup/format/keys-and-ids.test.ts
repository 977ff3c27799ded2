import { expect } from 'chai';
import fc from 'fast-check';
import { EngineError } from '../../platform/errors.ts';
import { deriveEpochKeys, newEpochKey } from './epoch-keys.ts';
import { FORMAT_VECTORS as V } from './format-vectors.ts';
import { backupId, blobId, idTimeMs, isBackupId, listRoot, packId } from './ids.ts';
import { indexName, isNamePart, keyWrapName, manifestName, objectAad, packName, type ObjectIdentity } from './object-name.ts';

const keys = deriveEpochKeys(Uint8Array.from({ length: 32 }, (_, n) => n));
const blobs = [blobId(keys.id, Buffer.from('first blob')), blobId(keys.id, Buffer.from('second blob'))];

describe('epoch keys', () => {
  it('are derived as another implementation does', () => {
    const shown = Object.fromEntries(
      Object.entries(keys).map(([name, key]) => [name, typeof key === 'string' ? key : key.toString('hex')]),
    );
    expect(shown).to.deep.equal(V.keys);
  });

  it('differ for every epoch key, and a short one is refused', () => {
    expect(deriveEpochKeys(newEpochKey()).kid).not.to.equal(deriveEpochKeys(newEpochKey()).kid);
    expect(() => deriveEpochKeys(Buffer.alloc(31))).to.throw(EngineError);
  });
});

describe('ids', () => {
  it('are computed as another implementation does', () => {
    expect(blobs.map((id) => id.toString('hex'))).to.deep.equal(V.blobs);
    expect(packId(keys.id, blobs).toString('hex')).to.equal(V.packId);
    expect(listRoot(keys.id, blobs).toString('hex')).to.equal(V.listRoot);
  });

  it('depend on key, content, order, and on what they name', () => {
    const other = deriveEpochKeys(newEpochKey());
    expect(blobId(other.id, Buffer.from('first blob')).equals(blobs[0]!)).to.equal(false);
    expect(listRoot(keys.id, blobs).equals(listRoot(keys.id, blobs.toReversed()))).to.equal(false);
    expect(listRoot(keys.id, []).equals(blobId(keys.id, new Uint8Array()))).to.equal(false);
    expect(() => listRoot(keys.id, [Buffer.alloc(16)])).to.throw(EngineError);
  });

  it('of backups sort by time and are well formed', () => {
    const id = fc.tuple(fc.nat({ max: 2 ** 48 - 1 }), fc.uint8Array({ minLength: 10, maxLength: 10 }));
    fc.assert(
      fc.property(id, id, ([timeA, randomA], [timeB, randomB]) => {
        const [a, b] = [backupId(timeA, randomA), backupId(timeB, randomB)];
        expect(isBackupId(a) && isBackupId(b)).to.equal(true);
        if (timeA !== timeB) expect(a < b).to.equal(timeA < timeB);
      }),
    );
    expect(backupId(1469918176385, new Uint8Array(10))).to.equal('01ARYZ6S410000000000000000'); // the time of the ULID specification's example
    expect(idTimeMs('01ARYZ6S410000000000000000')).to.equal(1469918176385);
    expect(idTimeMs('no id')).to.equal(Number.POSITIVE_INFINITY);
    expect(() => backupId(2 ** 48, new Uint8Array(10))).to.throw(EngineError);
  });
});

describe('object names', () => {
  const identity: ObjectIdentity = { type: 'pack', name: packName(V.packId), repo: V.repo, kid: V.keys.kid, epoch: V.epoch };

  it('are bound by an AAD as another implementation writes it', () => {
    expect(objectAad(identity).toString('hex')).to.equal(V.packAad);
  });

  it('give another AAD for another type, name, repository, key or epoch', () => {
    const others: readonly ObjectIdentity[] = [
      { ...identity, type: 'index' },
      { ...identity, name: packName('0'.repeat(32)) },
      { ...identity, repo: V.repo.replace('0', '1') },
      { ...identity, kid: '0'.repeat(32) },
      { ...identity, epoch: 8n },
    ];
    const all = [identity, ...others].map((each) => objectAad(each).toString('hex'));
    expect(new Set(all).size).to.equal(all.length);
  });

  it('are never built from parts that could leave their folder', () => {
    for (const part of ['..', 'a/b', '', '.hidden', 'a..b', 'x'.repeat(129), 'ü']) {
      expect(isNamePart(part), part).to.equal(false);
      expect(() => manifestName(part, 'b1'), part).to.throw(EngineError);
    }
    expect(manifestName('c1', 'b1')).to.equal('manifests/c1/b1');
    expect(indexName(3n, V.packId)).to.equal(`index/3/${V.packId}`);
    expect(keyWrapName(V.keys.kid, V.packId)).to.equal(`keys/${V.keys.kid}/${V.packId}.json`);
    expect(() => packName('ABC')).to.throw(EngineError);
    expect(() => objectAad({ ...identity, repo: 'none' })).to.throw(EngineError);
  });
});
