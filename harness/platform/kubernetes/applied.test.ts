import { expect } from 'chai';
import type { Experiment } from '../platform.ts';
import { appliedDocument, labelValue } from './applied.ts';

const document = {
  apiVersion: 'chaos-mesh.org/v1alpha1',
  kind: 'PodChaos',
  metadata: { name: 'kill', labels: { team: 'dr' } },
  spec: { action: 'pod-kill', mode: 'one', value: '1', selector: { labelSelectors: { app: 'dr-controller' } } },
};
const experiment = (over: Partial<Experiment> = {}): Experiment => ({
  fault: 'kill',
  kind: 'PodChaos',
  namespace: 'coditect',
  name: 'kill',
  mode: 'one',
  document,
  sources: ['dr-controller-us-east1-0'],
  targets: [],
  opaque: false,
  namespaceOf: { 'dr-controller-us-east1-0': 'coditect' },
  narrowed: false,
  ...over,
});

describe('what a cluster is given', () => {
  it('of mode all: the document as it was written, with namespace and owner', () => {
    const written = { ...document, spec: { ...document.spec, mode: 'all' } };
    const { document: given, notes } = appliedDocument(experiment({ mode: 'all', document: written }), 'run-1');
    expect(given.spec).to.equal(written.spec);
    expect(given.metadata).to.deep.equal({
      name: 'kill',
      namespace: 'coditect',
      labels: { team: 'dr', 'app.kubernetes.io/managed-by': 'gameday', 'coditect-dr/run': 'run-1', 'coditect-dr/fault': 'kill' },
    });
    expect(notes).to.deep.equal([]);
  });

  it('where chance decides: the pods that the seed has drawn, by name, and a note', () => {
    const { document: given, notes } = appliedDocument(experiment(), 'run-1');
    expect(given.spec).to.deep.equal({ action: 'pod-kill', mode: 'all', selector: { pods: { coditect: ['dr-controller-us-east1-0'] } } });
    expect(notes[0]).to.include('by the seed');
  });

  describe('of a kind that only clusters know', () => {
    const http = {
      ...document,
      kind: 'HTTPChaos',
      spec: { mode: 'one', target: 'Request', port: 80, selector: { labelSelectors: { app: 'api' } } },
    };
    const of = (spec: object, over: Partial<Experiment> = {}) =>
      appliedDocument(
        experiment({
          kind: 'HTTPChaos',
          mode: 'all',
          opaque: true,
          sources: ['a'],
          namespaceOf: { a: 'shop' },
          document: { ...http, spec },
          ...over,
        }),
        'run-1',
      ).document.spec;

    it('a `target` that selects nothing stays what it is, also where the pods were drawn here; they are named in their own namespace', () => {
      expect(of(http.spec, { mode: 'one' })).to.deep.equal({
        mode: 'all',
        target: 'Request',
        port: 80,
        selector: { pods: { shop: ['a'] } },
      });
    });

    it('a selector that names no namespace, and no pods, is given that of the experiment, which nobody need add', () => {
      const bounded = { labelSelectors: { app: 'api' }, namespaces: ['coditect'] };
      expect(of({ ...http.spec, mode: 'all' })).to.deep.include({ selector: bounded });
      expect(of({ mode: 'all', selector: { pods: { coditect: [] } } }), 'names no pod').to.deep.include({
        selector: { pods: { coditect: [] }, namespaces: ['coditect'] },
      });
      const target = { mode: 'all', selector: {} };
      expect(of({ mode: 'all', selector: {}, target })).to.deep.equal({
        mode: 'all',
        selector: { namespaces: ['coditect'] },
        target: { mode: 'all', selector: { namespaces: ['coditect'] } },
      });
    });

    it('one that names them is left as it was written', () => {
      for (const selector of [{ namespaces: ['shop'] }, { pods: { shop: ['a'] } }])
        expect(of({ mode: 'all', selector })).to.deep.equal({ mode: 'all', selector });
    });
  });

  it('a label is what Kubernetes takes for one', () => {
    expect(labelValue('20261127T120000000Z-region-loss')).to.equal('20261127T120000000Z-region-loss');
    expect(labelValue(`--${'x'.repeat(80)}: y/`)).to.match(/^[A-Za-z0-9][\w.-]{0,61}[A-Za-z0-9]$/);
  });
});
