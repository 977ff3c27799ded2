import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Link } from '../history/event.ts';
import { threeRegions } from '../platform/local/topology.ts';
import { formatProblems } from '../scenario/yaml-decode.ts';
import type { FaultPlan, PlanInput, Planning } from '../fault/fault.ts';
import { labPods } from '../fault/lab-pods.ts';
import { decodeManifest } from '../fault/manifest.ts';
import { networkLoss } from '../fault/kinds/network-loss.ts';
import { networkPartition } from '../fault/kinds/network-partition.ts';
import { physicalMachineProcess } from '../fault/kinds/physical-machine-chaos.ts';
import { podChaosKinds } from '../fault/kinds/pod-chaos.ts';
import { stressCpu } from '../fault/kinds/stress-chaos.ts';
import { timeOffset } from '../fault/kinds/time-chaos.ts';

/** Plans of manifests in the lab, for tests of fault kinds. */

export const CHAOS = fileURLToPath(new URL('../../../chaos/', import.meta.url));
export const PODS = labPods(threeRegions());
export const WITH_FOUNDATIONDB = labPods(threeRegions({ database: 'foundationdb' }));
export const WITH_BACKUPS = labPods(threeRegions({ backupStore: 'bucket' }));
const options = {
  kinds: [...podChaosKinds, networkPartition, networkLoss, physicalMachineProcess, stressCpu, timeOffset],
  defaultNamespace: 'coditect',
};

export function planning(text: string, over: Partial<PlanInput> = {}): Planning {
  const decoded = decodeManifest(text, 'm.yaml', options);
  if (!decoded.ok) throw new Error(formatProblems(decoded.problems));
  const fault = decoded.value[0];
  if (!fault) throw new Error('no fault');
  return fault.plan({ pods: PODS, seed: 1, addressesOf: {}, ...over });
}
export function planned(text: string, over: Partial<PlanInput> = {}): FaultPlan {
  const result = planning(text, over);
  if (result.outcome !== 'planned') throw new Error(result.reason);
  return result.plan;
}
export const chaos = (file: string, over: Partial<PlanInput> = {}): FaultPlan => planned(readFileSync(CHAOS + file, 'utf8'), over);
export const names = (of: readonly { pod: string }[]): string => of.map((one) => one.pod).join(' ');
export function cutLinks(plan: FaultPlan): readonly string[] {
  if (plan.expectedEffect.kind !== 'links-cut') throw new Error(plan.expectedEffect.kind);
  return plan.expectedEffect.cut.map((link: Link) => `${link.from}>${link.to} ${link.families.join('+')}`);
}
export const partition = (spec: string): string =>
  `apiVersion: chaos-mesh.org/v1alpha1\nkind: NetworkChaos\nmetadata: {name: x}\nspec:\n  action: partition\n  mode: all\n${spec.replace(/^/gm, '  ')}\n`;
export const DATABASES =
  'selector: {labelSelectors: {app: db, region: us-central1}}\ntarget: {mode: all, selector: {labelSelectors: {app: db, region: us-east1}}}\n';
