import type { FaultTarget } from '../history/event.ts';
import type { Pod } from '../platform/platform.ts';
import type { Random } from './random.ts';
import type { Expression, PodSelection, Selector } from './selector-schema.ts';

/** `notes` say what chance decided and what was skipped, for the record. `reason` is set when nothing was picked. */
export interface Selected {
  readonly pods: readonly Pod[];
  readonly notes: readonly string[];
  readonly reason?: string;
}

/**
 * Selects as Chaos Mesh does (pkg/selector/pod, pkg/selector/generic/mode.go): first the selector, then the mode on what is left.
 * `role` (`selector`, `target`) names the selection in notes.
 */
export function select(
  selection: PodSelection,
  pods: readonly Pod[],
  context: { namespace: string; role: string; random: Random },
): Selected {
  const sorted = [...pods].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
  const { matching, notes } = match(selection.selector, sorted, context);
  if (matching.length === 0)
    return { pods: [], notes, reason: `${context.role}: no pod matches ${describe(selection.selector, context.namespace)}` };
  const picked = pick(matching, selection, context.random);
  const all = [...notes, ...picked.notes.map((note) => `${context.role}: ${note}`)];
  if (picked.pods.length > 0) return { pods: picked.pods, notes: all };
  return { pods: [], notes: all, reason: `${context.role}: ${picked.notes.join('; ') || `mode ${selection.mode} picked no pod`}` };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function match(
  selector: Selector,
  pods: readonly Pod[],
  context: { namespace: string; role: string },
): { matching: readonly Pod[]; notes: string[] } {
  const named = Object.entries(selector.pods).flatMap(([namespace, names]) => names.map((name) => ({ namespace, name })));
  if (named.length === 0)
    return { matching: pods.filter((pod) => matches(selector, pod, context.namespace)), notes: emptyNodes(selector, pods, context.role) };
  const isNamed = (pod: Pod) => named.some((one) => one.namespace === pod.namespace && one.name === pod.name);
  const missing = named.filter((one) => !pods.some((pod) => one.namespace === pod.namespace && one.name === pod.name));
  const notes = missing.map((one) => `${context.role}: pod ${one.namespace}/${one.name} does not exist; skipped, as Chaos Mesh does`);
  if (hasOthers(selector))
    notes.push(`${context.role}: \`pods\` overrides every other selector, as in Chaos Mesh; the others were ignored`);
  return { matching: pods.filter(isNamed), notes };
}

/** Of nodes only the pods on them are known. */
const emptyNodes = (selector: Selector, pods: readonly Pod[], role: string): string[] =>
  selector.nodes
    .filter((node) => !pods.some((pod) => pod.node === node))
    .map((node) => `${role}: no pod is on node ${node}; where there is no such node, Chaos Mesh selects nothing at all`);

const hasOthers = (selector: Selector): boolean =>
  Object.entries(selector).some(([key, value]) => key !== 'pods' && Object.keys(value as object).length > 0);

/** The AND of all selectors but `pods`. */
export function matches(selector: Selector, pod: Pod, defaultNamespace: string): boolean {
  const namespaces = selector.namespaces.length > 0 ? selector.namespaces : [defaultNamespace];
  return (
    namespaces.includes(pod.namespace) &&
    containsAll(pod.labels, selector.labelSelectors) &&
    selector.expressionSelectors.every((expression) => satisfies(expression, pod.labels)) &&
    containsAll(pod.annotations, selector.annotationSelectors) &&
    Object.entries(selector.fieldSelectors).every(([field, value]) => fieldOf(pod, field) === value) &&
    (selector.podPhaseSelectors.length === 0 || selector.podPhaseSelectors.includes(pod.phase)) &&
    onNode(selector, pod)
  );
}

const containsAll = (have: Readonly<Record<string, string>>, want: Readonly<Record<string, string>>): boolean =>
  Object.entries(want).every(([key, value]) => Object.hasOwn(have, key) && have[key] === value);

/** As metav1.LabelSelectorRequirement: NotIn is also true for a pod that has no such label. */
function satisfies({ key, operator, values }: Expression, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

const fieldOf = (pod: Pod, field: string): string | undefined =>
  ({ 'metadata.name': pod.name, 'metadata.namespace': pod.namespace, 'spec.nodeName': pod.node, 'status.phase': pod.phase })[field];

/** `nodes` and `nodeSelectors` add up: on one of the named nodes, or on one with these labels. */
function onNode(selector: Selector, pod: Pod): boolean {
  const byLabels = Object.keys(selector.nodeSelectors).length > 0;
  if (selector.nodes.length === 0 && !byLabels) return true;
  return selector.nodes.includes(pod.node) || (byLabels && containsAll(nodeLabels(pod), selector.nodeSelectors));
}

/** The labels a node of that pod carries in any cluster of a cloud. */
export const nodeLabels = (pod: Pod): Readonly<Record<string, string>> => ({
  'kubernetes.io/hostname': pod.node,
  'topology.kubernetes.io/region': pod.region,
});

function pick(pods: readonly Pod[], selection: PodSelection, random: Random): { pods: readonly Pod[]; notes: readonly string[] } {
  const value = Number(selection.value ?? '0');
  switch (selection.mode) {
    case 'all':
      return { pods, notes: [] };
    case 'one':
      return sample(pods, 1, random);
    case 'fixed': {
      const short = value > pods.length ? [`mode fixed asks for ${value} pods, only ${pods.length} match; all of them taken`] : [];
      const taken = sample(pods, value, random);
      return { pods: taken.pods, notes: [...short, ...taken.notes] };
    }
    case 'fixed-percent':
      return sample(pods, percentOf(pods.length, value), random);
    case 'random-max-percent': {
      const percent = random.below(value + 1);
      const taken = sample(pods, percentOf(pods.length, percent), random);
      return { pods: taken.pods, notes: [`mode random-max-percent drew ${percent} % of at most ${value} %`, ...taken.notes] };
    }
  }
}

/** Rounded up, in whole numbers: 10 % of 30 is 3, never 4 by a floating point error. */
const percentOf = (count: number, percent: number): number => Math.floor((count * percent + 99) / 100);

/** `count` different pods, every subset equally likely; the order of the pods stays. */
function sample(pods: readonly Pod[], count: number, random: Random): { pods: readonly Pod[]; notes: readonly string[] } {
  if (count >= pods.length) return { pods, notes: [] };
  const left = pods.map((_, index) => index);
  const taken = new Set<number>();
  while (taken.size < count) taken.add(left.splice(random.below(left.length), 1)[0] ?? -1);
  const chosen = pods.filter((_, index) => taken.has(index));
  return {
    pods: chosen,
    notes: [
      `${chosen.length} of ${pods.length} matching pods chosen at random (seeded): ${chosen.map((pod) => pod.name).join(', ') || 'none'}`,
    ],
  };
}

function describe(selector: Selector, namespace: string): string {
  const given = Object.entries(selector).filter(([, value]) => Object.keys(value as object).length > 0);
  const inNamespace = selector.namespaces.length === 0 && Object.keys(selector.pods).length === 0 ? ` in namespace ${namespace}` : '';
  return `${given.length === 0 ? 'the empty selector' : JSON.stringify(Object.fromEntries(given))}${inNamespace}`;
}

export const targetOf = (pod: Pod): FaultTarget => ({ pod: pod.name, region: pod.region });

/** Fields of every kind on pods that cannot be honoured here. */
export const REFUSED_EVERYWHERE: Readonly<Record<string, string>> = {
  remoteCluster: '`remoteCluster` is not yet supported locally: there is one lab and no other cluster; remove it',
  scheduler: '`scheduler` went away with Chaos Mesh 2; a scenario says when a fault is injected; remove it',
};

export function valueNotes({ mode, value }: { readonly mode: string; readonly value?: string | undefined }): readonly string[] {
  const unused = (mode === 'one' || mode === 'all') && value !== undefined && value !== '';
  return unused ? [`\`value\` has no effect with mode ${mode} (as in Chaos Mesh)`] : [];
}
