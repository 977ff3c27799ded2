import { expect } from 'chai';
import fc from 'fast-check';
import { EngineError } from '../../platform/errors.ts';
import { decodeCanonical, encodeCanonical, type CanonicalObject, type CanonicalValue } from './canonical-json.ts';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_./-]{0,8}$/);
const { value } = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

const decode = (text: string | Uint8Array, maxBytes = 10_000): CanonicalObject => decodeCanonical(Buffer.from(text), maxBytes, 'test');

describe('canonical JSON', () => {
  it('returns what was encoded, and encodes it to the same bytes whatever the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 6, noNullPrototype: true }), (object) => {
        // -0 is written as 0: integers have one spelling.
        const plain = JSON.parse(JSON.stringify(object)) as CanonicalObject;
        const bytes = encodeCanonical(plain);
        expect(decode(bytes, bytes.length)).to.deep.equal(plain);
        const turned = Object.fromEntries(Object.entries(plain).toReversed());
        expect(encodeCanonical(turned).equals(bytes)).to.equal(true);
      }),
    );
  });

  it('has one spelling only', () => {
    expect(decode('{"a":[1,"x"],"b":null}')).to.deep.equal({ a: [1, 'x'], b: null });
    const others = [
      '{"b":null,"a":[1,"x"]}', // order
      '{"a": 1}', // white space
      '{"a":1}\n',
      '{"a":1,"a":1}', // twice
      '{"a":1.0}',
      '{"a":1e2}',
      '{"a":-0}',
      '{"a":1.5}',
      '{"a":9007199254740993}',
      '{"a":"\\u0041"}', // escaped without need
      '{"a":"\\/"}',
      '{"a":"\\ud800"}', // half a character
      '{"__proto__":1}',
      '{"ä":1}',
      '[1]',
      'null',
      '',
      '\ufeff{"a":1}',
    ];
    for (const text of others)
      expect(() => decode(text), text)
        .to.throw(EngineError)
        .with.property('code', 'backup-damaged');
    expect(() => decode(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])), 'not UTF-8').to.throw(EngineError);
  });

  it('is bounded in size and depth', () => {
    expect(() => decode('{"a":"xxxxxxxxxxxx"}', 10)).to.throw(EngineError, 'at most 10');
    expect(() => decode(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`)).to.throw(EngineError);
    expect(() => decode(`{"a":${'['.repeat(200_000)}`, 1_000_000)).to.throw(EngineError);
  });

  it('survives arbitrary input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          expect(encodeCanonical(decode(text)).toString()).to.equal(text);
        } catch (error) {
          expect(error).to.be.instanceOf(EngineError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
