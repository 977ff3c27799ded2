import { stringify } from 'yaml';
import type { Fault, FaultKind } from '../../../fault/fault.ts';
import { decodeManifest } from '../../../fault/manifest.ts';
import { formatProblems } from '../../../scenario/yaml-decode.ts';
import type { ChaosObject } from '../kube-object.ts';

export type Read = { readonly ok: true; readonly fault: Fault } | { readonly ok: false; readonly why: string };

/** The experiment that an object of the cluster asks for: what people write, without what the cluster has added. Pure. */
export function readExperiment(object: ChaosObject, kinds: readonly FaultKind[]): Read {
  const { name, namespace } = object.metadata;
  const { apiVersion, kind, spec } = object;
  const text = stringify({ apiVersion, kind, metadata: { name, namespace }, spec });
  const decoded = decodeManifest(text, `${kind}/${name}`, { kinds, defaultNamespace: namespace ?? 'default' });
  if (!decoded.ok) return { ok: false, why: formatProblems(decoded.problems) };
  const [fault] = decoded.value;
  return fault === undefined ? { ok: false, why: 'it holds no experiment' } : { ok: true, fault };
}
