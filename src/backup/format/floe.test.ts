import { expect } from 'chai';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../platform/errors.ts';
import { CDR1_FLOE, FLOE_HEADER_BYTES, floePlainSegmentBytes, type FloeParameters } from './floe-core.ts';
import { decryptFloeStream, encryptFloeStream, floeSealedBytes, openFloe, openFloeReader, sealFloe } from './floe.ts';

const SMALL: FloeParameters = { segmentBytes: 64, rotationBits: 1 }; // 32 bytes of plaintext a segment, a new data key every second one
const key = randomBytes(32);
const aad = Buffer.from('CDR1 test');

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let begin = 0; begin < bytes.length; begin += size) yield bytes.subarray(begin, begin + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Both ways of reading must refuse, with the code that says so. */
async function expectRefused(sealed: Uint8Array, what: string, withKey: Uint8Array = key, withAad: Uint8Array = aad): Promise<void> {
  expect(() => openFloe(withKey, withAad, sealed, SMALL), what)
    .to.throw(EngineError)
    .with.property('code', 'backup-damaged');
  const outcome = await collect(decryptFloeStream(withKey, withAad, pieces(sealed, 17), SMALL)).catch((error: unknown) => error);
  expect(outcome, `${what}, streamed`).to.be.instanceOf(EngineError).with.property('code', 'backup-damaged');
}

describe('FLOE', () => {
  it('returns what was sealed, whole and streamed, whatever the size of plaintext and pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 200 }),
        async (plain, a, b) => {
          const sealed = sealFloe(key, aad, plain, SMALL);
          expect(sealed.length).to.equal(floeSealedBytes(plain.length, SMALL));
          expect(openFloe(key, aad, sealed, SMALL).equals(plain)).to.equal(true);
          const streamed = await collect(encryptFloeStream(key, aad, pieces(plain, a), SMALL));
          expect(streamed.length).to.equal(sealed.length);
          expect((await collect(decryptFloeStream(key, aad, pieces(streamed, b), SMALL))).equals(plain)).to.equal(true);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('works at the segment size that backups use, on both sides of a segment edge', () => {
    const full = floePlainSegmentBytes(CDR1_FLOE);
    for (const length of [0, 1, full - 1, full, full + 1]) {
      const plain = randomBytes(length);
      const sealed = sealFloe(key, aad, plain);
      expect(sealed.length).to.equal(floeSealedBytes(length));
      expect(openFloe(key, aad, sealed).equals(plain), `${length} bytes`).to.equal(true);
    }
  });

  it('encrypts the same plaintext to different bytes each time', () => {
    expect(sealFloe(key, aad, Buffer.alloc(10), SMALL).equals(sealFloe(key, aad, Buffer.alloc(10), SMALL))).to.equal(false);
  });

  it('reads any range of plaintext from the segments that hold it alone', () => {
    const plain = randomBytes(32 * 4 + 7);
    const sealed = sealFloe(key, aad, plain, SMALL);
    const reader = openFloeReader(key, aad, sealed.subarray(0, FLOE_HEADER_BYTES), sealed.length, SMALL);
    expect(reader.plainBytes).to.equal(plain.length);
    fc.assert(
      fc.property(fc.nat(plain.length - 1), fc.nat(plain.length), (begin, extra) => {
        const end = Math.min(plain.length, begin + 1 + extra);
        const { first, last, skipBytes } = reader.locate(begin, end);
        const read: Buffer[] = [];
        for (let position = first; position <= last; position++) {
          const range = reader.sealedRange(position);
          read.push(reader.decrypt(position, sealed.subarray(range.begin, range.end)));
        }
        const bytes = Buffer.concat(read).subarray(skipBytes, skipBytes + end - begin);
        expect(bytes.equals(plain.subarray(begin, end))).to.equal(true);
      }),
    );
  });

  it('refuses random access to an object that was cut at a segment edge', () => {
    const sealed = sealFloe(key, aad, randomBytes(32 * 3), SMALL);
    const reader = openFloeReader(key, aad, sealed.subarray(0, FLOE_HEADER_BYTES), sealed.length - 64, SMALL);
    const { begin, end } = reader.sealedRange(1);
    expect(() => reader.decrypt(1, sealed.subarray(begin, end))).to.throw(EngineError, 'end is missing');
    const { begin: b0, end: e0 } = reader.sealedRange(0);
    expect(reader.decrypt(0, sealed.subarray(b0, e0))).to.have.length(32);
  });
});

describe('FLOE refuses', () => {
  const plain = randomBytes(32 * 3 + 5);
  const sealed = sealFloe(key, aad, plain, SMALL);
  const edges = [0, 10, 42, FLOE_HEADER_BYTES, ...[1, 2, 3].map((n) => FLOE_HEADER_BYTES + n * 64), sealed.length];

  it('every single flipped bit', async () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      await expectRefused(changed, `bit ${bit}`);
    }
  });

  it('an object cut at any length', async () => {
    for (let length = 0; length < sealed.length; length++) await expectRefused(sealed.subarray(0, length), `cut to ${length}`);
  });

  it('bytes added at the end or put in at any edge', async () => {
    for (const edge of edges) {
      for (const extra of [Buffer.alloc(1), Buffer.alloc(31, 0xff), Buffer.alloc(64)]) {
        const longer = Buffer.concat([sealed.subarray(0, edge), extra, sealed.subarray(edge)]);
        await expectRefused(longer, `${extra.length} bytes put in at ${edge}`);
      }
    }
  });

  it('segments swapped, repeated, left out, or taken from another object under the same key', async () => {
    const other = sealFloe(key, aad, plain, SMALL);
    const segment = (of: Buffer, n: number): Buffer => of.subarray(FLOE_HEADER_BYTES + n * 64, FLOE_HEADER_BYTES + (n + 1) * 64);
    const header = sealed.subarray(0, FLOE_HEADER_BYTES);
    const build = (...segments: readonly Buffer[]): Buffer => Buffer.concat([header, ...segments]);
    const [s0, s1, s2, s3] = [segment(sealed, 0), segment(sealed, 1), segment(sealed, 2), segment(sealed, 3)];
    await expectRefused(build(s1, s0, s2, s3), 'swapped');
    await expectRefused(build(s0, s0, s2, s3), 'repeated in place of another');
    await expectRefused(build(s0, s1, s2, s2, s3), 'repeated');
    await expectRefused(build(s0, s2, s3), 'left out');
    await expectRefused(build(s0, s1, s2, s3, s3), 'final twice');
    await expectRefused(build(s0, segment(other, 1), s2, s3), 'from another object');
    await expectRefused(Buffer.concat([other.subarray(0, FLOE_HEADER_BYTES), s0, s1, s2, s3]), 'under the header of another object');
    expect(openFloe(key, aad, build(s0, s1, s2, s3), SMALL).equals(plain), 'the pieces put together right').to.equal(true);
  });

  it('another key, another AAD, other parameters', async () => {
    await expectRefused(sealed, 'key', randomBytes(32));
    await expectRefused(sealed, 'AAD', key, Buffer.from('CDR1 tesu'));
    await expectRefused(sealed, 'longer AAD', key, Buffer.from('CDR1 test\0'));
    expect(() => openFloe(key, aad, sealed, { segmentBytes: 128, rotationBits: 1 })).to.throw(EngineError, 'other FLOE parameters');
  });

  it('a key of the wrong length, as a mistake of ours', () => {
    expect(() => sealFloe(randomBytes(16), aad, plain, SMALL))
      .to.throw(EngineError)
      .with.property('code', 'internal');
  });
});
