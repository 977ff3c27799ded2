import { expect } from 'chai';
import { differences } from './records.ts';

const planned = { sources: ['a'], targets: ['b'], namespaceOf: { a: 'shop', b: 'coditect' } };
const of = (...ids: readonly string[]): readonly string[] =>
  differences(
    planned,
    ids.map((id) => ({ id })),
  );

describe('what a cluster says it has hit', () => {
  it('is what was planned: pods, or containers of them, in any order and as often as it likes', () => {
    expect(of('coditect/b', 'shop/a')).to.deep.equal([]);
    expect(of('shop/a/main', 'shop/a/sidecar', 'coditect/b')).to.deep.equal([]);
  });

  it('is something else: one less, one more, none', () => {
    expect(of('shop/a')).to.deep.equal(['coditect/b']);
    expect(of('shop/a', 'coditect/b', 'shop/c')).to.deep.equal(['shop/c']);
    expect(of()).to.have.length(2);
  });

  it('a pod of the same name in another namespace is another pod', () => {
    expect(of('payments/a', 'coditect/b')).to.deep.equal(['shop/a', 'payments/a']);
  });

  it('an id that names no pod of a namespace is none that was planned', () => {
    expect(of('shop/a', 'coditect/b', '10.0.0.1:31767')).to.deep.equal(['10.0.0.1:31767']);
    expect(of('a', 'b')).to.have.length(4);
  });

  it('a planned pod whose namespace is not known was not hit', () => {
    expect(differences({ sources: ['a'], targets: [], namespaceOf: {} }, [{ id: 'shop/a' }])).to.deep.equal(['?/a', 'shop/a']);
  });
});
