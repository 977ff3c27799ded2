import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { resourcePath, type KubeObject } from '../../platform/kubernetes/kube-object.ts';

export interface ShippedObject extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** PATH with what ./scripts/setup has built. */
export const PATH_WITH_BUILT = `${process.env['PATH']}:${path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'coditect-dr/bin')}`;

/** The objects of a kustomize folder; null: there is no kustomize. Throws where it does not build. */
export function kustomize(folder: string): readonly ShippedObject[] | null {
  const env = { ...process.env, PATH: PATH_WITH_BUILT };
  const { status, stdout, stderr, error } = spawnSync('kustomize', ['build', folder], { encoding: 'utf8', env });
  if (error !== undefined) return null;
  if (status !== 0) throw new Error(`kustomize build ${folder}: ${stderr}`);
  return [...parseAllDocuments(stdout)].map((one) => one.toJS() as ShippedObject);
}

const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies', PriorityClass: 'priorityclasses' };
export const CLUSTER_WIDE: ReadonlySet<string> = new Set(['Namespace', 'PriorityClass']);

export function pathOf({ apiVersion, kind, metadata }: ShippedObject): string {
  const namespace = CLUSTER_WIDE.has(kind) ? undefined : (metadata.namespace ?? 'coditect');
  return resourcePath({ apiVersion, resource: PLURALS[kind] ?? `${kind.toLowerCase()}s` }, namespace, metadata.name);
}
