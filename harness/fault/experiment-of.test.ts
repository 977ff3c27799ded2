import { expect } from 'chai';
import type { Pod } from '../platform/platform.ts';
import { experimentOf } from './experiment-of.ts';
import type { Fault } from './fault.ts';

const pod = (namespace: string, name: string): Pod => ({
  name,
  namespace,
  region: 'a',
  labels: {},
  annotations: {},
  node: 'a',
  phase: 'Running',
  containers: [],
  addresses: [],
});
const fault = { kind: 'DNSChaos', namespace: 'shop', name: 'mute', mode: 'all', document: {} } as Fault;
const plan = {
  sources: [{ pod: 'a', region: 'a' }],
  targets: [{ pod: 'b', region: 'a' }],
  primitives: [],
  expectedEffect: { kind: 'unseen', pods: ['a', 'b'], what: 'DNSChaos error' },
  notes: [],
} as const;
const namespaceOf = (...pods: readonly Pod[]) => experimentOf({ name: 'mute', experiment: fault, plan }, pods, false).namespaceOf;

describe('an experiment for a cluster', () => {
  it('knows the namespaces of its pods, and of no others', () => {
    expect(namespaceOf(pod('shop', 'a'), pod('payments', 'b'), pod('shop', 'c'))).to.deep.equal({ a: 'shop', b: 'payments' });
    expect(namespaceOf(pod('shop', 'a'), pod('shop', 'a'), pod('payments', 'b')), 'one that is replaced').to.deep.equal({
      a: 'shop',
      b: 'payments',
    });
  });

  it('of namesakes in two namespaces says none: nobody could tell which was hit', () => {
    expect(namespaceOf(pod('shop', 'a'), pod('payments', 'a'), pod('shop', 'b'))).to.deep.equal({ b: 'shop' });
  });
});
