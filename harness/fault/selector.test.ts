import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Pod } from '../platform/platform.ts';
import { seededRandom } from './random.ts';
import type { PodSelection, Selector } from './selector-schema.ts';
import { select } from './selector.ts';

const pod = (name: string, over: Partial<Pod> = {}): Pod => ({
  name,
  namespace: 'coditect',
  region: 'us-east1',
  labels: {},
  annotations: {},
  node: 'node-1',
  phase: 'Running',
  containers: ['main'],
  addresses: [],
  ...over,
});

const EMPTY: Selector = {
  namespaces: [],
  labelSelectors: {},
  expressionSelectors: [],
  annotationSelectors: {},
  fieldSelectors: {},
  podPhaseSelectors: [],
  nodes: [],
  nodeSelectors: {},
  pods: {},
};

const PODS: readonly Pod[] = [
  pod('a', { labels: { app: 'api', region: 'r1' }, annotations: { team: 'x' } }),
  pod('b', { labels: { app: 'db', region: 'r1' }, node: 'node-2', phase: 'Pending' }),
  pod('c', { labels: { app: 'db', region: 'r2' }, region: 'europe-west1', node: 'node-3' }),
  pod('d', { labels: { app: 'client' }, phase: 'Failed' }),
  pod('e', { namespace: 'other', labels: { app: 'api', region: 'r1' } }),
];

const chosen = (selector: Partial<Selector>, selection: Partial<PodSelection> = {}, seed = 1) =>
  select({ mode: 'all', ...selection, selector: { ...EMPTY, ...selector } }, PODS, {
    namespace: 'coditect',
    role: 'selector',
    random: seededRandom(seed, 'test'),
  });
const names = (selector: Partial<Selector>): string =>
  chosen(selector)
    .pods.map((one) => one.name)
    .join(' ');

describe('selector', () => {
  const table: readonly (readonly [string, Partial<Selector>, string])[] = [
    ['nothing given: everything in the default namespace', {}, 'a b c d'],
    ['namespaces', { namespaces: ['other'] }, 'e'],
    ['several namespaces', { namespaces: ['other', 'coditect'] }, 'a b c d e'],
    ['labels', { labelSelectors: { app: 'db' } }, 'b c'],
    ['labels, all of them', { labelSelectors: { app: 'db', region: 'r1' } }, 'b'],
    ['a label of Object.prototype is no label', { labelSelectors: { constructor: 'x' } }, ''],
    ['In', { expressionSelectors: [{ key: 'region', operator: 'In', values: ['r1', 'r9'] }] }, 'a b'],
    [
      'NotIn, which holds for a pod without the label',
      { expressionSelectors: [{ key: 'region', operator: 'NotIn', values: ['r1'] }] },
      'c d',
    ],
    ['Exists', { expressionSelectors: [{ key: 'region', operator: 'Exists', values: [] }] }, 'a b c'],
    ['DoesNotExist', { expressionSelectors: [{ key: 'region', operator: 'DoesNotExist', values: [] }] }, 'd'],
    ['Exists of a name of Object.prototype', { expressionSelectors: [{ key: 'toString', operator: 'Exists', values: [] }] }, ''],
    ['annotations', { annotationSelectors: { team: 'x' } }, 'a'],
    ['metadata.name', { fieldSelectors: { 'metadata.name': 'c' } }, 'c'],
    ['metadata.namespace', { fieldSelectors: { 'metadata.namespace': 'other' } }, ''],
    ['spec.nodeName', { fieldSelectors: { 'spec.nodeName': 'node-2' } }, 'b'],
    ['status.phase', { fieldSelectors: { 'status.phase': 'Failed' } }, 'd'],
    ['phases', { podPhaseSelectors: ['Failed', 'Pending'] }, 'b d'],
    ['nodes', { nodes: ['node-3'] }, 'c'],
    ['node labels', { nodeSelectors: { 'topology.kubernetes.io/region': 'europe-west1' } }, 'c'],
    ['nodes and node labels add up', { nodes: ['node-2'], nodeSelectors: { 'kubernetes.io/hostname': 'node-3' } }, 'b c'],
    [
      'different selectors: the AND of them',
      { labelSelectors: { app: 'db' }, nodes: ['node-1', 'node-2'], podPhaseSelectors: ['Pending'] },
      'b',
    ],
    ['pods, which overrides all others', { pods: { coditect: ['a', 'nobody'], other: ['e'] }, labelSelectors: { app: 'db' } }, 'a e'],
  ];
  for (const [what, selector, expected] of table)
    it(`${what} → ${expected || 'none'}`, () => void expect(names(selector)).to.equal(expected));

  it('says which named pods do not exist and that the other selectors were ignored', () => {
    expect(chosen({ pods: { coditect: ['a', 'nobody'] }, namespaces: ['other'] }).notes).to.deep.equal([
      'selector: pod coditect/nobody does not exist; skipped, as Chaos Mesh does',
      'selector: `pods` overrides every other selector, as in Chaos Mesh; the others were ignored',
    ]);
  });

  it('says which named nodes have no pod', () => {
    expect(chosen({ nodes: ['node-1', 'nod-2'] }).notes).to.deep.equal([
      'selector: no pod is on node nod-2; where there is no such node, Chaos Mesh selects nothing at all',
    ]);
  });

  it('says what matched nothing', () => {
    const none = chosen({ labelSelectors: { app: 'dbb' } });
    expect(none.pods).to.deep.equal([]);
    expect(none.reason).to.equal('selector: no pod matches {"labelSelectors":{"app":"dbb"}} in namespace coditect');
  });
});

describe('selector modes', () => {
  const many = (count: number): readonly Pod[] => Array.from({ length: count }, (_, index) => pod(`p${String(index).padStart(4, '0')}`));
  const run = (mode: PodSelection['mode'], options: { value?: string; count: number; seed?: number }) =>
    select({ selector: EMPTY, mode, value: options.value }, many(options.count), {
      namespace: 'coditect',
      role: 'selector',
      random: seededRandom(options.seed ?? 1, 'test'),
    });

  const percent: readonly (readonly [number, string, number])[] = [
    [1, '1', 1],
    [10, '1', 1],
    [10, '10', 1],
    [10, '11', 2],
    [30, '10', 3],
    [100, '7', 7],
    [3, '50', 2],
    [3, '100', 3],
    [22, '33', 8],
  ];
  for (const [count, value, expected] of percent)
    it(`fixed-percent ${value} of ${count} is ${expected}`, () =>
      void expect(run('fixed-percent', { count, value }).pods).to.have.length(expected));

  it('each mode takes the number it says, distinct, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 100 }), fc.nat(), (count, value, seed) => {
        const options = { count, value: String(value), seed };
        const sizes = {
          one: 1,
          all: count,
          fixed: Math.min(value, count),
          'fixed-percent': Math.ceil((count * value) / 100 - 1e-9),
        } as const;
        for (const [mode, size] of Object.entries(sizes) as [keyof typeof sizes, number][]) {
          const picked = run(mode, options).pods.map((one) => one.name);
          expect(picked).to.have.length(size);
          expect(new Set(picked).size).to.equal(size);
          expect(run(mode, options).pods.map((one) => one.name)).to.deep.equal(picked);
        }
        expect(run('random-max-percent', options).pods.length).to.be.at.most(sizes['fixed-percent']);
      }),
    );
  });

  it('does not depend on the order in which a platform lists its pods', () => {
    const context = (seed: number) => ({ namespace: 'coditect', role: 'selector', random: seededRandom(seed, 'test') });
    fc.assert(
      fc.property(fc.shuffledSubarray([...many(9)], { minLength: 9 }), fc.nat(), (shuffled, seed) => {
        const selection: PodSelection = { selector: EMPTY, mode: 'fixed', value: '4' };
        expect(select(selection, shuffled, context(seed)).pods).to.deep.equal(select(selection, many(9), context(seed)).pods);
      }),
    );
  });

  it('random-max-percent draws every percentage from 0 to the maximum, 0 being nothing selected', () => {
    const drawn = new Set<number>();
    for (let seed = 0; seed < 400; seed++) {
      const one = run('random-max-percent', { count: 100, value: '10', seed });
      drawn.add(one.pods.length);
      if (one.pods.length === 0) expect(one.reason).to.match(/drew 0 % of at most 10 %/);
    }
    expect([...drawn].sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('mode one can pick each pod, and different seeds pick differently', () => {
    const picked = new Set(Array.from({ length: 200 }, (_, seed) => run('one', { count: 5, seed }).pods[0]?.name));
    expect(picked.size).to.equal(5);
  });

  it('says so when fixed asks for more than there are', () => {
    expect(run('fixed', { count: 2, value: '5' }).notes).to.deep.equal([
      'selector: mode fixed asks for 5 pods, only 2 match; all of them taken',
    ]);
  });
});
