import { expect } from 'chai';
import { decodeManifest } from '../../fault/manifest.ts';
import type { Fault } from '../../fault/fault.ts';
import { faultKinds, opaqueKinds } from '../../registry.ts';
import { notAllowed } from './allowed.ts';

const system = { file: 'system.yaml', namespaces: ['coditect'] };

const fault = (selector: string, target = '', namespace = 'coditect'): Fault =>
  only(`apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: cut, namespace: ${namespace}}
spec: {action: partition, mode: all, selector: ${selector}${target}}
`);

const opaque = (kind: string, spec: string): Fault =>
  only(`apiVersion: chaos-mesh.org/v1alpha1\nkind: ${kind}\nmetadata: {name: x}\nspec: {mode: all, ${spec}}\n`);

function only(text: string): Fault {
  const decoded = decodeManifest(text, 'cut.yaml', { kinds: [...faultKinds, ...opaqueKinds], defaultNamespace: 'coditect' });
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

  it('of kinds of which nothing else is known as well, and whose secret one reads', () => {
    for (const [kind, spec] of [
      ['NetworkChaos', 'action: delay, selector: {namespaces: [coditect, payments]}'],
      ['NetworkChaos', 'action: delay, selector: {}, target: {mode: all, selector: {namespaces: [payments]}}'],
      ['NetworkChaos', 'action: bandwidth, selector: {}, target: {mode: all, selector: {pods: {payments: [db-0]}}}'],
      ['DNSChaos', 'action: error, selector: {pods: {payments: [db-0]}}'],
      ['IOChaos', 'action: fault, volumePath: /data, selector: {namespaces: [payments]}'],
      ['StressChaos', 'selector: {namespaces: [payments]}, stressors: {memory: {workers: 1}}'],
      ['HTTPChaos', 'target: Request, selector: {}, tls: {secretName: a, secretNamespace: payments, certName: c, keyName: k}'],
    ] as const)
      expect(notAllowed([opaque(kind, spec)], system)[0], `${kind} ${spec}`).to.include('reaches into payments');
    expect(notAllowed([opaque('HTTPChaos', 'target: Request, selector: {}')], system)).to.deep.equal([]);
  });
});
