import { expect } from 'chai';
import fc from 'fast-check';
import { EngineError } from '../../platform/errors.ts';
import { decodeChangeSegment, encodeChangeSegment, isChangeSegment, type Change, type ChangeSegment } from './change-segment.ts';
import { decodeLogSegment, encodeLogSegment } from './log-segment.ts';

/** Written by another implementation (Python). */
const KNOWN =
  '4344524c02000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00000000000f42410000000001406f40' +
  '0000000000000004000001a223081148040004010161036f6e65ac0204020162000005000000c096b1020503016300';
const bytes = (text: string): Uint8Array => Buffer.from(text);
const SEGMENT: ChangeSegment = {
  previous: Uint8Array.from({ length: 32 }, (_, n) => n),
  begin: 1_000_001,
  end: 21_000_000,
  epochBefore: 4,
  wallMs: 1_795_884_061_000,
  changes: [
    { version: 1_000_001, epoch: 4, op: 'put', key: bytes('a'), value: bytes('one') },
    { version: 1_000_301, epoch: 4, op: 'delete', key: bytes('b'), value: bytes('') },
    { version: 1_000_301, epoch: 5, op: 'noop', key: bytes(''), value: bytes('') },
    { version: 6_000_301, epoch: 5, op: 'clear', key: bytes('c'), value: bytes('') },
  ],
};
const plain = ({ changes, previous, ...rest }: ChangeSegment): unknown => ({
  ...rest,
  previous: Buffer.from(previous).toString('hex'),
  changes: changes.map((change) => ({
    ...change,
    key: Buffer.from(change.key).toString('hex'),
    value: Buffer.from(change.value).toString('hex'),
  })),
});

describe('a log segment of changes', () => {
  it('is the same bytes as another implementation writes, and comes back', () => {
    expect(encodeChangeSegment(SEGMENT).toString('hex')).to.equal(KNOWN);
    expect(plain(decodeChangeSegment(Buffer.from(KNOWN, 'hex')))).to.deep.equal(plain(SEGMENT));
  });

  it('comes back whatever it holds', () => {
    const change = fc.record({
      step: fc.nat(100_000_000),
      epochStep: fc.nat(3),
      op: fc.constantFrom<Change['op']>('noop', 'put', 'delete', 'clear'),
      key: fc.uint8Array({ maxLength: 40 }),
      value: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.nat(1e12), fc.array(change, { maxLength: 20 }), (begin, steps) => {
        let [version, epoch] = [begin, 3];
        const changes = steps.map(({ step, epochStep, op, key, value }) => {
          version += step;
          epoch += epochStep;
          return { version, epoch, op, key, value };
        });
        const segment = { ...SEGMENT, begin, end: version + 7, epochBefore: 3, changes };
        expect(plain(decodeChangeSegment(encodeChangeSegment(segment)))).to.deep.equal(plain(segment));
      }),
    );
  });

  it('is refused where it is cut, goes on after its end, or says what cannot be', () => {
    const refused = (file: Uint8Array, what: string): void => {
      expect(() => decodeChangeSegment(file), what)
        .to.throw(EngineError)
        .with.property('code', 'backup-damaged');
    };
    const whole = encodeChangeSegment(SEGMENT);
    for (let length = 0; length < whole.length; length++) refused(whole.subarray(0, length), `cut at ${length}`);
    refused(Buffer.concat([whole, Buffer.of(0)]), 'longer');
    const [first, ...others] = SEGMENT.changes as [Change, ...Change[]];
    for (const [what, change] of [
      ['an end before its beginning', { end: SEGMENT.begin - 1, changes: [] }],
      ['an end too far away', { end: SEGMENT.begin + 4_000_000_000 }],
      ['a change after its end', { end: 6_000_300 }],
      ['an epoch that falls', { changes: [{ ...first, epoch: 3 }, ...others] }],
    ] as const)
      refused(encodeChangeSegment({ ...SEGMENT, ...change }), what);
  });

  it('is told from one of versions that are counted one by one, whose reader refuses it', () => {
    const entries = [{ epoch: 1, op: 'put', key: bytes('a'), value: bytes('b') }] as const;
    const dense = encodeLogSegment({ previous: SEGMENT.previous, begin: 1, epochBefore: 0, wallMs: 1, entries });
    expect([isChangeSegment(dense), isChangeSegment(encodeChangeSegment(SEGMENT))]).to.deep.equal([false, true]);
    expect(() => decodeLogSegment(encodeChangeSegment(SEGMENT)))
      .to.throw(EngineError)
      .with.property('code', 'backup-unsupported');
  });
});
