import { HarnessError } from '../errors.ts';
import type { Experiment } from '../platform.ts';

export const OWNER_LABEL = 'app.kubernetes.io/managed-by';
export const OWNER = 'gameday';
export const RUN_LABEL = 'coditect-dr/run';
const FAULT_LABEL = 'coditect-dr/fault';

/** As Kubernetes wants the value of a label: at most 63 characters, no punctuation at the ends. */
export const labelValue = (text: string): string =>
  text
    .replaceAll(/[^\w.-]/g, '.')
    .slice(-63)
    .replaceAll(/^\W+|\W+$/g, '');

interface Applied {
  readonly document: { readonly apiVersion: string; readonly kind: string; readonly metadata: object; readonly spec: object };
  /** How what is applied differs from what was written. */
  readonly notes: readonly string[];
}

/**
 * What is given to the cluster for an experiment: the document as it was written, with who owns it. Where chance decides, the harness has
 * already drawn (with its seed, so that the run can be repeated) and names the pods; the cluster would draw for itself. Pure; throws
 * HarnessError `unsupported` where pods cannot be named.
 */
export function appliedDocument(experiment: Experiment, run: string): Applied {
  const written = experiment.document as {
    apiVersion: string;
    kind: string;
    metadata: Record<string, unknown>;
    spec: Record<string, unknown>;
  };
  const { labels, ...metadata } = written.metadata as { labels?: object };
  const owner = { [OWNER_LABEL]: OWNER, [RUN_LABEL]: labelValue(run), [FAULT_LABEL]: labelValue(experiment.fault) };
  const { spec, notes } = withPods(experiment.opaque ? withNamespaces(written.spec, experiment.namespace) : written.spec, experiment);
  const { apiVersion, kind } = written;
  return {
    document: { apiVersion, kind, metadata: { ...metadata, namespace: experiment.namespace, labels: { ...labels, ...owner } }, spec },
    notes,
  };
}

/** A second selection of pods. (Of HTTPChaos `target` is something else, and a text.) */
const targetIn = ({ target }: Record<string, unknown>): { readonly mode?: string; readonly selector?: object } | undefined =>
  typeof target === 'object' && target !== null ? target : undefined;

/**
 * A selector that names no namespace selects in that of the experiment, which Chaos Mesh's admission writes into it. Where that is switched off, a controller of the whole cluster would select in all:
 * of what the harness has no eyes for, that must not be left to others.
 */
function withNamespaces(spec: Record<string, unknown>, namespace: string): Record<string, unknown> {
  const bounded = (selector: object | undefined): object => {
    const { namespaces = [], pods = {} } = (selector ?? {}) as { namespaces?: readonly string[]; pods?: Record<string, readonly string[]> };
    return namespaces.length > 0 || Object.values(pods).flat().length > 0 ? (selector ?? {}) : { ...selector, namespaces: [namespace] };
  };
  const target = targetIn(spec);
  const end = target === undefined ? {} : { target: { ...target, selector: bounded(target.selector) } };
  return { ...spec, selector: bounded(spec['selector'] as object | undefined), ...end };
}

function withPods(spec: Record<string, unknown>, experiment: Experiment): { spec: Record<string, unknown>; notes: readonly string[] } {
  const target = targetIn(spec);
  const chance = experiment.mode !== 'all' || (target?.mode ?? 'all') !== 'all';
  if (!chance && !experiment.narrowed) return { spec, notes: [] };
  if (experiment.kind === 'PhysicalMachineChaos')
    throw new HarnessError('unsupported', `${experiment.fault}: machines cannot be selected by name; use mode all, and no armed step`);
  const { namespace, namespaceOf } = experiment;
  const named = (pods: readonly string[]): object => ({
    mode: 'all',
    selector: { pods: Object.fromEntries(Map.groupBy(pods, (pod) => namespaceOf[pod] ?? namespace)) },
  });
  const { value: _, ...rest } = spec;
  const end = target === undefined ? {} : { target: named(experiment.targets) };
  const why = experiment.narrowed ? 'an armed step hits the pod that set it off' : `mode ${experiment.mode} was drawn here, by the seed`;
  return {
    spec: { ...rest, ...named(experiment.sources), ...end },
    notes: [`${why}: the cluster is given ${experiment.sources.join(', ')} by name`],
  };
}
