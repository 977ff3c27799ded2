import { expect } from 'chai';
import { faultKinds, opaqueKinds } from '../../../registry.ts';
import { chaosDefinitions } from './crds.ts';

const definitions = chaosDefinitions(faultKinds) as unknown as readonly {
  spec: { names: { kind: string }; versions: { schema: { openAPIV3Schema: { properties: { spec: Record<string, unknown> } } } }[] };
}[];
const specOf = (kind: string): Record<string, unknown> =>
  definitions.find((one) => one.spec.names.kind === kind)?.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {};

describe('definitions of the chaos kinds', () => {
  it('has one for each kind that the harness decodes', () => {
    expect(definitions.map((one) => one.spec.names.kind)).to.have.members([...new Set(faultKinds.map(({ kind }) => kind))]);
  });

  it('merges the actions of a kind: every field of each, and what all of them require', () => {
    const spec = specOf('PodChaos');
    const properties = spec['properties'] as Record<string, { enum?: string[] }>;
    expect(properties['action']?.enum).to.deep.equal(['pod-kill', 'pod-failure', 'container-kill']);
    expect(properties).to.include.keys('gracePeriod', 'containerNames', 'duration', 'selector', 'mode', 'value');
    expect(spec['required']).to.have.members(['action', 'selector', 'mode']);
  });

  it('knows no field that the harness refuses, and writes no default into what is applied', () => {
    for (const { spec } of definitions) {
      const text = JSON.stringify(spec.versions);
      expect(text).not.to.match(/remoteCluster|"default"|additionalProperties":false/);
    }
  });

  it('has the kinds that it can only claim, where it is asked to: what is done to the pods is open, whom it hits is not', () => {
    const [definition, ...more] = chaosDefinitions(opaqueKinds.filter(({ kind }) => kind === 'DNSChaos')) as unknown as typeof definitions;
    expect(more).to.deep.equal([]);
    const spec = definition?.spec.versions[0]?.schema.openAPIV3Schema.properties.spec as {
      properties: Record<string, { enum?: string[]; properties?: object }>;
      required: string[];
    };
    expect(spec.properties['action']?.enum).to.deep.equal(['error', 'random']);
    expect(spec.properties['selector']?.properties).to.include.keys('namespaces', 'pods', 'labelSelectors');
    expect(spec.required).to.have.members(['action', 'selector', 'mode']);
  });
});
