import { expect } from 'chai';
import { decodeManifest } from '../../fault/manifest.ts';
import type { Fault } from '../../fault/fault.ts';
import { faultKinds } from '../../registry.ts';
import { notAllowed } from './allowed.ts';

const system = { file: 'system.yaml', namespaces: ['coditect'] };

function fault(selector: string, target = '', namespace = 'coditect'): Fault {
  const text = `apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: cut, namespace: ${namespace}}
spec: {action: partition, mode: all, selector: ${selector}${target}}
`;
  const decoded = decodeManifest(text, 'cut.yaml', { kinds: faultKinds, defaultNamespace: 'coditect' });
  if (!decoded.ok || decoded.value[0] === undefined) throw new Error(JSON.stringify(decoded));
  return decoded.value[0];
}

describe('namespaces that may be touched', () => {
  it('a selector without namespaces selects in the one of its experiment', () => {
    expect(notAllowed([fault('{}')], system)).to.deep.equal([]);
    expect(notAllowed([fault('{}', '', 'kube-system')], system)).to.have.length(1);
  });

  it('every way to reach into another namespace is seen', () => {
    for (const [selector, target] of [
      ['{namespaces: [coditect, payments]}', ''],
      ['{pods: {payments: [db-0]}}', ''],
      ['{}', ', target: {mode: all, selector: {namespaces: [payments]}}'],
      ['{}', ', target: {mode: all, selector: {pods: {payments: [db-0]}}}'],
    ] as const)
      expect(notAllowed([fault(selector, target)], system)[0]).to.include('reaches into payments');
  });
});
