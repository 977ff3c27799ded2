import { expect } from 'chai';
import type { ChaosObject } from './kube-object.ts';
import { differences, endedAs, isInjected } from './records.ts';

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

describe('what a cluster says of an experiment', () => {
  const said = (type: string, phases: readonly string[] = ['Injected'], metadata: object = {}): ChaosObject => ({
    apiVersion: 'chaos-mesh.org/v1alpha1',
    kind: 'DNSChaos',
    metadata: { name: 'mute', ...metadata },
    spec: {},
    status: {
      conditions: [{ type, status: 'True' }],
      experiment: {
        containerRecords: phases.map((phase, index) => ({
          id: `shop/${index}`,
          selectorKey: '.',
          phase,
          injectedCount: 1,
          recoveredCount: 0,
        })),
      },
    },
  });
  const deleted = { deletionTimestamp: '2026-11-28T20:00:00Z' };

  it('it is injected: by the condition and by each of its records', () => {
    expect(isInjected(said('AllInjected', ['Injected', 'Injected']))).to.equal(true);
    expect(isInjected(said('Selected'))).to.equal(false);
    expect(isInjected(said('AllInjected', ['Injected', 'Not Injected'])), 'the condition is of before').to.equal(false);
    expect(isInjected(said('AllInjected', ['Not Injected/Wait']))).to.equal(false);
    expect(isInjected(said('AllInjected', ['Injected'], deleted)), 'somebody deletes it').to.equal(false);
  });

  it('it lasts, or how it does not', () => {
    expect(endedAs(said('AllInjected'), false)).to.equal(undefined);
    expect(endedAs(said('AllInjected'), true)).to.equal('it is gone');
    expect(endedAs(said('AllInjected', ['Injected'], deleted), false)).to.equal('it is being deleted');
    expect(endedAs(said('Paused', ['Not Injected']), false)).to.equal('it is paused');
    expect(endedAs(said('AllRecovered', ['Not Injected']), false)).to.equal('it is recovered');
    expect(endedAs(said('AllInjected', ['Injected', 'Not Injected']), false)).to.equal('it is injected no longer: shop/1 Not Injected');
    expect(endedAs(said('Selected'), false)).to.equal('it is no longer AllInjected');
  });
});
