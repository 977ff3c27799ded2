import { expect } from 'chai';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { EngineError } from '../../platform/errors.ts';
import { decodeBlobIndex, encodeBlobIndex, type BlobPlace } from './blob-index.ts';
import { decodeBlob, encodeBlob, MAX_BLOB_BYTES, openBlob } from './blob.ts';
import { blobId } from './ids.ts';

const idKey = randomBytes(32);

function expectDamaged(attempt: () => unknown, what: string): void {
  expect(attempt, what).to.throw(EngineError).with.property('code', 'backup-damaged');
}

describe('blob', () => {
  it('comes back from among others, compressed or not', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 2000 }), fc.constantFrom(null, 1, 3)), { maxLength: 6 }), (blobs) => {
        let rest: Uint8Array = Buffer.concat(blobs.map(([plain, level]) => encodeBlob(plain, level)));
        for (const [plain] of blobs) {
          const decoded = decodeBlob(rest);
          expect(decoded.plain.equals(plain)).to.equal(true);
          rest = decoded.rest;
        }
        expect(rest.length).to.equal(0);
      }),
    );
  });

  it('is compressed where that saves something, and is written as docs/backup-format.md says', () => {
    expect(encodeBlob(Buffer.alloc(10_000), 1).length).to.be.below(100);
    expect(encodeBlob(Buffer.alloc(10_000), 1)[0]).to.equal(1);
    const random = randomBytes(10_000);
    expect(encodeBlob(random, 1).subarray(0, 5).toString('hex')).to.equal('00904e904e');
    expect(encodeBlob(Buffer.from('ab'), null).toString('hex')).to.equal('0002026162');
    expect(() => encodeBlob(Buffer.alloc(MAX_BLOB_BYTES + 1), null)).to.throw(EngineError);
  });

  it('never decompresses to more than it states', () => {
    const bomb = zstdCompressSync(Buffer.alloc(8 * 1024 * 1024));
    const blob = (stated: number): Buffer => Buffer.concat([Buffer.of(1, stated), varint(bomb.length), bomb]);
    for (const stated of [0, 1, 100]) expectDamaged(() => decodeBlob(blob(stated)), `${stated} stated`);
    expectDamaged(() => decodeBlob(Buffer.concat([Buffer.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f), varint(bomb.length), bomb])), '4 GiB stated');
  });

  it('is taken only with the content of its id and nothing behind it', () => {
    const plain = randomBytes(1000);
    const blob = encodeBlob(plain, 1);
    expect(openBlob(blob, idKey, blobId(idKey, plain)).equals(plain)).to.equal(true);
    expectDamaged(() => openBlob(blob, idKey, randomBytes(32)), 'id');
    expectDamaged(() => openBlob(blob, randomBytes(32), blobId(idKey, plain)), 'key');
    expectDamaged(() => openBlob(Buffer.concat([blob, Buffer.of(0)]), idKey, blobId(idKey, plain)), 'trailing byte');
    expect(() => decodeBlob(Buffer.of(9, 0, 0)))
      .to.throw(EngineError)
      .with.property('code', 'backup-unsupported');
  });

  it('with any byte changed or cut is refused, or is provably the same', () => {
    for (const plain of [Buffer.from('text '.repeat(40)), randomBytes(50)]) {
      const id = blobId(idKey, plain);
      const blob = encodeBlob(plain, 1);
      for (let at = 0; at < blob.length; at++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const changed = Buffer.from(blob);
          changed[at] = value;
          try {
            expect(openBlob(changed, idKey, id).equals(plain)).to.equal(true);
          } catch (error) {
            expect(error).to.be.instanceOf(EngineError);
          }
        }
        expectDamaged(() => openBlob(blob.subarray(0, at), idKey, id), `cut to ${at}`);
      }
    }
  });
});

describe('index of blobs', () => {
  const place = fc.record({
    blob: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    pack: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    offset: fc.nat(),
    storedBytes: fc.nat(),
    plainBytes: fc.integer({ min: 0, max: 0xffffffff }),
  });
  const places = fc.uniqueArray(place, { selector: ({ blob }) => Buffer.from(blob).toString('hex'), maxLength: 30 });
  const plainly = ({ blob, pack, ...numbers }: BlobPlace): unknown => ({
    ...numbers,
    blob: Buffer.from(blob).toString('hex'),
    pack: Buffer.from(pack).toString('hex'),
  });

  it('finds every blob that was put in, and no other', () => {
    fc.assert(
      fc.property(places, place, (given, other) => {
        const index = decodeBlobIndex(encodeBlobIndex(given));
        expect(index.count).to.equal(given.length);
        for (const each of given) expect(plainly(index.find(each.blob)!)).to.deep.equal(plainly(each));
        if (!given.some(({ blob }) => Buffer.compare(blob, other.blob) === 0)) expect(index.find(other.blob)).to.equal(null);
      }),
    );
  });

  it('refuses any other length, order, kind and version', () => {
    const two: readonly BlobPlace[] = [1, 2].map((n) => ({
      blob: Buffer.alloc(32, n),
      pack: Buffer.alloc(16),
      offset: n,
      storedBytes: 1,
      plainBytes: 1,
    }));
    const file = encodeBlobIndex(two);
    for (let length = 0; length < file.length; length++) expectDamaged(() => decodeBlobIndex(file.subarray(0, length)), `cut to ${length}`);
    expectDamaged(() => decodeBlobIndex(Buffer.concat([file, Buffer.alloc(1)])), 'one byte more');
    const swapped = Buffer.concat([file.subarray(0, 9), file.subarray(69), file.subarray(9, 69)]);
    expectDamaged(() => decodeBlobIndex(swapped), 'order');
    expectDamaged(() => decodeBlobIndex(Buffer.concat([file.subarray(0, 9), file.subarray(9, 69), file.subarray(9, 69)])), 'twice');
    const huge = Buffer.from(file);
    huge.writeUInt32BE(0xffffffff, 5);
    expectDamaged(() => decodeBlobIndex(huge), 'a count of 2^32 - 1');
    const newer = Buffer.from(file);
    newer[4] = 2;
    expect(() => decodeBlobIndex(newer))
      .to.throw(EngineError)
      .with.property('code', 'backup-unsupported');
    expect(() => encodeBlobIndex([two[0]!, two[0]!])).to.throw(EngineError);
  });
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
