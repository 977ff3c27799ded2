import { expect } from 'chai';
import { jsonCopy } from './json-copy.ts';

describe('the copy of a value as JSON keeps it', () => {
  const values: readonly unknown[] = [
    null,
    'text',
    -0,
    [1, [true, null], { a: -0, b: 'c' }],
    { region: 'r', lease: { remainingMs: 12.5, by: 'arbiter' }, set: ['a', 'b'], standbys: { a: { lag: 0, inSync: false } }, none: null },
    { gone: undefined, stays: 1 },
    [undefined, Number.NaN, Infinity, () => 1],
    { at: new Date(0), deep: { more: new Map([[1, 2]]), list: [new Date(1)] } },
    { toJSON: () => 'told' },
    Object.assign(Object.create({ inherited: 1 }) as object, { own: 2 }),
  ];

  for (const value of values)
    it(`is what writing and reading gives: ${JSON.stringify(value)}`, () => {
      const copy = jsonCopy(value);
      expect(copy).to.deep.equal(JSON.parse(JSON.stringify(value)));
      expect(JSON.stringify(copy)).to.equal(JSON.stringify(value));
    });

  it('has nothing in common with the original', () => {
    const original = { list: [{ n: 1 }], nested: { text: 'before' } };
    const copy = jsonCopy(original);
    original.list[0]!.n = 2;
    original.nested.text = 'after';
    expect(copy).to.deep.equal({ list: [{ n: 1 }], nested: { text: 'before' } });
  });
});
