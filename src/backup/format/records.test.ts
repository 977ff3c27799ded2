import { expect } from 'chai';
import fc from 'fast-check';
import { EngineError } from '../../platform/errors.ts';
import { hash } from './blake3.ts';
import { checkChain, type KeyRange } from './key-range.ts';
import { decodeRangeFile, encodeRangeFile, type KeyValue } from './records.ts';
import { BoundedReader, MAX_VARINT, varintBytes, writeVarint } from './varint.ts';

const everything: KeyRange = { begin: new Uint8Array(), end: null };
const bytes = (text: string): Buffer => Buffer.from(text);
const plainly = (records: Iterable<KeyValue>): string[][] =>
  [...records].map(({ key, value }) => [Buffer.from(key).toString('hex'), Buffer.from(value).toString('hex')]);

const arbitraryRecords = fc
  .uniqueArray(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 300 })), {
    selector: ([key]) => Buffer.from(key).toString('hex'),
    maxLength: 40,
  })
  .map((pairs) => pairs.map(([key, value]) => ({ key, value })).toSorted((a, b) => Buffer.compare(a.key, b.key)));

/** Gives changed bytes a footer hash that fits, so that the checks behind it are reached. */
function rehash(file: Uint8Array): Buffer {
  const changed = Buffer.from(file);
  if (changed.length >= 32) hash(changed.subarray(0, -32)).copy(changed, changed.length - 32);
  return changed;
}

function expectDamaged(file: Uint8Array, what: string): void {
  expect(() => decodeRangeFile(file), what)
    .to.throw(EngineError)
    .with.property('code', 'backup-damaged');
}

describe('varint', () => {
  it('returns every 32-bit number and takes the bytes it says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(300), fc.integer({ min: 0, max: MAX_VARINT })), (value) => {
        const target = new Uint8Array(5);
        const end = writeVarint(target, 0, value);
        expect(end).to.equal(varintBytes(value));
        expect(new BoundedReader(target.subarray(0, end), 'test').varint()).to.equal(value);
      }),
    );
  });

  it('refuses numbers that are cut, longer than needed or too large', () => {
    for (const wrong of [[], [0x80], [0x80, 0x00], [0xff, 0xff, 0xff, 0xff, 0x10], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]) {
      expect(() => new BoundedReader(Uint8Array.from(wrong), 'test').varint(), wrong.join()).to.throw(EngineError);
    }
    expect(() => writeVarint(new Uint8Array(9), 0, MAX_VARINT + 1)).to.throw(EngineError);
  });
});

describe('range file', () => {
  it('returns the records and the range that were written', () => {
    fc.assert(
      fc.property(arbitraryRecords, (records) => {
        const file = decodeRangeFile(encodeRangeFile(everything, records));
        expect(file.count).to.equal(records.length);
        expect(file.range.end).to.equal(null);
        expect(plainly(file.records)).to.deep.equal(plainly(records));
        expect(plainly(file.records), 'a second time').to.deep.equal(plainly(records));
      }),
    );
  });

  it('is the same bytes for the same content', () => {
    const records = [{ key: bytes('a'), value: bytes('1') }];
    const range = { begin: bytes('a'), end: bytes('b') };
    expect(encodeRangeFile(range, records).equals(encodeRangeFile(range, records))).to.equal(true);
  });

  it('is written as docs/backup-format.md says', () => {
    const file = encodeRangeFile({ begin: bytes('a'), end: bytes('c') }, [{ key: bytes('b'), value: bytes('xy') }]);
    const body = '43445252' + '01' + '00' + '0161' + '0163' + '01' + '0162' + '027879';
    expect(file.subarray(0, -32).toString('hex')).to.equal(body + '00000001' + '0000000000000010');
    expect(file.subarray(-32).equals(hash(file.subarray(0, -32)))).to.equal(true);
  });

  it('refuses every changed bit and every cut', () => {
    const file = encodeRangeFile({ begin: bytes('a'), end: bytes('m') }, [
      { key: bytes('alpha'), value: bytes('one') },
      { key: bytes('beta'), value: bytes('') },
    ]);
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = Buffer.from(file);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(() => decodeRangeFile(changed), `bit ${bit}`).to.throw(EngineError);
    }
    for (let length = 0; length < file.length; length++) expectDamaged(file.subarray(0, length), `cut to ${length}`);
    expectDamaged(Buffer.concat([file, Buffer.alloc(1)]), 'one byte more');
  });

  it('refuses what a wrong writer could hash: order, range, counts, lengths, version', () => {
    const good = encodeRangeFile({ begin: bytes('a'), end: bytes('c') }, [
      { key: bytes('aa'), value: bytes('1') },
      { key: bytes('ab'), value: bytes('2') },
    ]);
    const change = (offset: number, value: number): Buffer => {
      const changed = Buffer.from(good);
      changed[offset] = value;
      return rehash(changed);
    };
    const firstKey = good.indexOf('aa');
    expectDamaged(change(firstKey + 1, 'b'.charCodeAt(0)), 'a key twice');
    expectDamaged(change(firstKey + 1, 'z'.charCodeAt(0)), 'keys out of order');
    expectDamaged(change(firstKey, 'A'.charCodeAt(0)), 'a key before the range');
    expectDamaged(change(firstKey - 2, 3), 'header count above the records');
    expectDamaged(change(firstKey - 2, 1), 'header count below the records');
    expectDamaged(change(firstKey - 1, 0x7f), 'a length past the end');
    expectDamaged(change(good.length - 41, 7), 'footer count');
    expectDamaged(change(good.length - 33, 7), 'footer length');
    expectDamaged(change(4, 0), 'version 0');
    expectDamaged(change(5, 2), 'unknown flag');
    expect(() => decodeRangeFile(change(4, 2)))
      .to.throw(EngineError)
      .with.property('code', 'backup-unsupported');
  });

  it('survives arbitrary and arbitrarily changed input without anything but a refusal', () => {
    const refusesOrReads = (input: Uint8Array): void => {
      try {
        const file = decodeRangeFile(input);
        expect([...file.records].length).to.equal(file.count);
      } catch (error) {
        expect(error).to.be.instanceOf(EngineError);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (input) => refusesOrReads(rehash(Buffer.concat([bytes('CDRR\x01'), input])))),
      { numRuns: 2000 },
    );
    const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(arbitraryRecords, change, (records, changes) => {
        const file = encodeRangeFile(everything, records);
        for (const [at, value] of changes) file[at % file.length] = value;
        refusesOrReads(rehash(file));
      }),
      { numRuns: 500 },
    );
  });

  it('is not written from records that are out of order or outside the range', () => {
    const record = (key: string): KeyValue => ({ key: bytes(key), value: bytes('') });
    expect(() => encodeRangeFile(everything, [record('b'), record('a')])).to.throw(EngineError, 'order');
    expect(() => encodeRangeFile(everything, [record('b'), record('b')])).to.throw(EngineError, 'order');
    expect(() => encodeRangeFile({ begin: bytes('a'), end: bytes('b') }, [record('b')])).to.throw(EngineError, 'outside');
    expect(() => encodeRangeFile({ begin: bytes('b'), end: bytes('b') }, [])).to.throw(EngineError, 'empty');
  });
});

describe('chain of range files', () => {
  const range = (begin: string, end: string | null): KeyRange => ({ begin: bytes(begin), end: end === null ? null : bytes(end) });

  it('is complete when it covers just what was declared', () => {
    expect(checkChain(range('', null), [range('', 'g'), range('g', 'p'), range('p', null)])).to.deep.equal({ ok: true });
    expect(checkChain(range('b', 'd'), [range('b', 'd')])).to.deep.equal({ ok: true });
  });

  it('names the file at which it breaks', () => {
    const declared = range('a', 'z');
    const cases: readonly [string, number, readonly KeyRange[]][] = [
      ['none', 0, []],
      ['first missing', 0, [range('g', 'z')]],
      ['hole', 1, [range('a', 'g'), range('h', 'z')]],
      ['overlap', 1, [range('a', 'g'), range('f', 'z')]],
      ['doubled', 1, [range('a', 'g'), range('a', 'g'), range('g', 'z')]],
      ['last missing', 1, [range('a', 'g')]],
      ['too far', 2, [range('a', 'g'), range('g', null)]],
      ['after the end', 2, [range('a', 'g'), range('g', null), range('z', null)]],
      ['backwards', 1, [range('a', 'g'), range('g', 'b')]],
    ];
    for (const [what, index, files] of cases) expect(checkChain(declared, files), what).to.include({ ok: false, index });
  });
});
