import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressInto, decompressInto, zstdBound, zstdContexts } from './zstd.ts';

const text = (length: number): Buffer => Buffer.from('{"id":17,"name":"something"},'.repeat(Math.ceil(length / 29)).slice(0, length));

describe('zstd in contexts that are used again', () => {
  it('makes frames that any decoder reads, and reads frames of any encoder, whatever came before', () => {
    for (const plain of [Buffer.alloc(0), Buffer.of(7), text(100), randomBytes(5000), text(300_000), randomBytes(70_000), text(3_000_000)])
      for (const level of [1, 3, 1]) {
        const target = Buffer.alloc(10 + zstdBound(plain.length));
        const bytes = compressInto(plain, level, target, 10)!;
        expect(zstdDecompressSync(target.subarray(10, 10 + bytes)).equals(plain)).to.equal(true);
        const back = Buffer.alloc(plain.length);
        expect(decompressInto(zstdCompressSync(plain), back)).to.equal(plain.length);
        expect(back.equals(plain)).to.equal(true);
      }
  });

  it('is made of the contexts of this Node: without them it is right, but slower', () => {
    const target = Buffer.alloc(zstdBound(100));
    compressInto(text(100), 1, target, 0);
    decompressInto(zstdCompressSync(text(100)), Buffer.alloc(100));
    expect(zstdContexts()).to.be.at.least(2);
  });

  it('writes nothing past the room that there is, and is not spoilt by it', () => {
    const plain = randomBytes(50_000);
    for (const room of [0, 1, 100, 30_000, plain.length]) {
      const target = Buffer.alloc(room + 20);
      expect(compressInto(plain, 1, target.subarray(0, room), 0), `room ${room}`).to.equal(null);
      expect(target.subarray(room).equals(Buffer.alloc(20))).to.equal(true);
    }
    expect(compressInto(plain, 1, Buffer.alloc(10), 11), 'a place outside').to.equal(null);
    const target = Buffer.alloc(zstdBound(1000));
    const bytes = compressInto(text(1000), 1, target, 0)!;
    expect(zstdDecompressSync(target.subarray(0, bytes)).equals(text(1000))).to.equal(true);
  });

  it('reads a sound frame after any damaged one', () => {
    const plain = text(5000);
    const frame = zstdCompressSync(plain);
    const sound = (): void => {
      const back = Buffer.alloc(plain.length);
      expect(decompressInto(frame, back)).to.equal(plain.length);
      expect(back.equals(plain)).to.equal(true);
    };
    const attempt = (bytes: Buffer, stated: number): number | 'refused' => {
      try {
        return decompressInto(bytes, Buffer.alloc(stated));
      } catch {
        return 'refused';
      }
    };
    for (let at = 0; at < frame.length; at++) {
      const changed = Buffer.from(frame);
      changed[at] = changed[at]! ^ 0x55;
      for (const bytes of [changed, frame.subarray(0, at)]) {
        attempt(bytes, plain.length);
        sound();
      }
    }
    for (const stated of [0, 1, plain.length - 1]) {
      expect(attempt(frame, stated), `${stated} stated`).to.equal('refused');
      sound();
    }
    expect(attempt(frame, plain.length + 1)).to.equal(plain.length);
    sound();
  });
});
