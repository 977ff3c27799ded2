import { expect } from 'chai';
import { crashImage, parseTrace, type FileEvent } from './crash-image.ts';

const write = (startUs: number, offset: number, text: string, durable = false): FileEvent => ({
  kind: 'write',
  startUs,
  endUs: startUs + 5,
  offset,
  data: Buffer.from(text),
  durable,
});
const never = (): number => 1;
const always = (): number => 0;

describe('crash image', () => {
  const events: readonly FileEvent[] = [
    write(0, 0, 'aa'),
    { kind: 'sync', startUs: 10, endUs: 20 },
    write(30, 2, 'bb'),
    write(40, 0, 'c', true),
  ];
  const image = (atUs: number, survival: Parameters<typeof crashImage>[2], random = never): string =>
    crashImage(events, atUs, survival, random).toString();

  it('holds what was synced before, and a durable write once it has returned', () => {
    expect(image(15, 'only-synced'), 'the sync is still under way').to.equal('');
    expect(image(25, 'only-synced')).to.equal('aa');
    expect(image(42, 'only-synced'), 'the durable write is still under way').to.equal('aa');
    expect(image(50, 'only-synced')).to.equal('ca');
  });
  it('holds what was not synced only where it is chosen', () => {
    expect(image(35, 'all')).to.equal('aabb');
    expect(image(35, 'some-pages', never)).to.equal('aa');
    expect(image(35, 'torn-pages', always)).to.equal('aabb');
  });
  it('tears at sectors', () => {
    const big: readonly FileEvent[] = [write(0, 256, 'x'.repeat(1024))];
    let turn = 0;
    const torn = crashImage(big, 9, 'torn-pages', () => (turn++ % 2 === 0 ? 0 : 1));
    expect(torn.subarray(256, 512).toString()).to.equal('x'.repeat(256));
    expect(torn.subarray(512, 1024).every((byte) => byte === 0)).to.equal(true);
    expect(torn.subarray(1024, 1280).toString()).to.equal('x'.repeat(256));
  });

  it('reads a trace: threads together, positions of vectored writes, injected syncs left out', () => {
    const one = [
      '1.000001 openat(AT_FDCWD, "\\x2f", O_RDWR|O_CREAT, 0664) = 22 <0.000001>',
      '1.000010 lseek(22, 12288, SEEK_SET) = 12288 <0.000001>',
    ];
    const two = [
      '1.000005 openat(AT_FDCWD, "\\x2f", O_WRONLY|O_DSYNC|O_CLOEXEC) = 23 <0.000001>',
      '1.000012 writev(22, [{iov_base="\\x61", iov_len=1}, {iov_base="\\x62\\x63", iov_len=2}], 2) = 3 <0.000002>',
      '1.000020 fdatasync(22)         = 0 (DELAYED) <0.000300>',
      '1.000400 fdatasync(22)         = 0 (INJECTED)',
      '1.000500 pwrite64(23, "\\x7a", 1, 40) = 1 <0.000002>',
      '1.000600 +++ exited with 0 +++',
    ];
    expect(parseTrace([one.join('\n'), two.join('\n')])).to.deep.equal([
      { kind: 'write', startUs: 1000012, endUs: 1000014, offset: 12288, data: Buffer.from('abc'), durable: false },
      { kind: 'sync', startUs: 1000020, endUs: 1000320 },
      { kind: 'write', startUs: 1000500, endUs: 1000502, offset: 40, data: Buffer.from('z'), durable: true },
    ]);
  });
  it('refuses what it cannot replay', () => {
    expect(() => parseTrace(['1.000001 ftruncate(22, 4096) = 0 <0.000001>'])).to.throw(/cannot replay ftruncate/);
    expect(() => parseTrace(['1.000001 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 22, 0) = 0x7f62 <0.000001>'])).to.throw(
      /through memory/,
    );
  });
});
