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
  const { spec, notes } = withPods(written.spec, experiment);
  const { apiVersion, kind } = written;
  return {
    document: { apiVersion, kind, metadata: { ...metadata, namespace: experiment.namespace, labels: { ...labels, ...owner } }, spec },
    notes,
  };
}

function withPods(spec: Record<string, unknown>, experiment: Experiment): { spec: Record<string, unknown>; notes: readonly string[] } {
  const target = spec['target'] as { mode?: string } | undefined;
  const chance = experiment.mode !== 'all' || (target?.mode ?? 'all') !== 'all';
  if (!chance && !experiment.narrowed) return { spec, notes: [] };
  if (experiment.kind === 'PhysicalMachineChaos')
    throw new HarnessError('unsupported', `${experiment.fault}: machines cannot be selected by name; use mode all, and no armed step`);
  const named = (pods: readonly string[]): object => ({ mode: 'all', selector: { pods: { [experiment.namespace]: pods } } });
  const { value: _, ...rest } = spec;
  const end = target === undefined ? {} : { target: named(experiment.targets) };
  const why = experiment.narrowed ? 'an armed step hits the pod that set it off' : `mode ${experiment.mode} was drawn here, by the seed`;
  return {
    spec: { ...rest, ...named(experiment.sources), ...end },
    notes: [`${why}: the cluster is given ${experiment.sources.join(', ')} by name`],
  };
}
