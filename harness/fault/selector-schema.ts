import { z } from 'zod';
import { fields } from '../scenario/yaml-decode.ts';

const text = z.string({ error: (issue) => (issue.input === undefined ? undefined : 'must be text; put it in quotes') });
const textMap = z.record(z.string(), text).default({});

const expression = fields({ key: text, operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']), values: z.array(text).default([]) })
  .refine((one) => !isOperator(one, 'In', 'NotIn') || one.values === undefined || one.values.length > 0, {
    when: () => true,
    path: ['values'],
    error: 'In and NotIn need at least one value',
  })
  .refine((one) => !isOperator(one, 'Exists', 'DoesNotExist') || (one.values ?? []).length === 0, {
    when: () => true,
    path: ['values'],
    error: 'Exists and DoesNotExist take no values; remove them',
  });

const isOperator = (one: { operator?: string }, ...operators: readonly string[]): boolean => operators.includes(one.operator ?? '');

const FIELDS: ReadonlySet<string> = new Set(['metadata.name', 'metadata.namespace', 'spec.nodeName', 'status.phase']);
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'] as const;

const byMetadata = {
  namespaces: z.array(text).default([]),
  labelSelectors: textMap,
  expressionSelectors: z.array(expression).default([]),
  annotationSelectors: textMap,
};

const selector = fields({
  ...byMetadata,
  fieldSelectors: z
    .record(
      z.string().refine((field) => FIELDS.has(field), `only ${[...FIELDS].join(', ')} can be selected on`),
      text,
    )
    .default({}),
  podPhaseSelectors: z.array(z.enum(PHASES)).default([]),
  nodes: z.array(text).default([]),
  nodeSelectors: textMap,
  // Chaos Mesh selects nothing by a list that is empty, whatever other selectors say.
  pods: z.record(z.string(), z.array(text).min(1, 'names no pod; write the names, or remove `pods`')).default({}),
});

/** Of PhysicalMachineChaos: machines have no phase, node or pods. */
const machineSelector = fields(byMetadata, {
  physicalMachines: '`physicalMachines` names objects of a cluster; here the pods stand for machines: use labelSelectors',
  fieldSelectors: '`fieldSelectors` know the fields of a machine of a cluster; use labelSelectors',
}).transform((one): Selector => ({ ...one, fieldSelectors: {}, podPhaseSelectors: [], nodes: [], nodeSelectors: {}, pods: {} }));

export type Selector = z.infer<typeof selector>;
export type Expression = z.infer<typeof expression>;

const MODES = ['one', 'all', 'fixed', 'fixed-percent', 'random-max-percent'] as const;
export type Mode = (typeof MODES)[number];

export interface PodSelection {
  readonly selector: Selector;
  readonly mode: Mode;
  readonly value?: string | undefined;
}

/** `selector`, `mode` and `value`, which every kind on pods has. */
export const selectionShape = { selector, mode: z.enum(MODES), value: text.optional() } as const;

/** The same for kinds on machines. */
export const machineSelectionShape = { ...selectionShape, selector: machineSelector } as const;

/** Checks `value` against `mode`, also when other fields of the same map are wrong: all problems at once. */
export const modeAndValue = {
  fits: (one: { mode?: unknown; value?: unknown }): boolean => valueProblem(one) === undefined,
  options: {
    when: () => true,
    path: ['value'],
    error: (issue: { input?: unknown }) => valueProblem(issue.input as { mode?: unknown; value?: unknown }) ?? 'does not fit the mode',
  },
};

function valueProblem({ mode, value }: { mode?: unknown; value?: unknown }): string | undefined {
  if (value !== undefined && typeof value !== 'string') return undefined; // reported by its own schema
  const range =
    mode === 'fixed'
      ? ([1, Number.MAX_SAFE_INTEGER] as const)
      : mode === 'fixed-percent' || mode === 'random-max-percent'
        ? ([1, 100] as const)
        : undefined;
  if (!range) return undefined;
  const what = mode === 'fixed' ? 'a whole number of pods, at least 1' : 'a whole percentage from 1 to 100';
  if (value === undefined || value === '') return `mode ${String(mode)} needs \`value\`: ${what}, in quotes`;
  if (!/^\d+$/.test(value) || Number(value) < range[0] || Number(value) > range[1]) return `\`${value}\` must be ${what}`;
  return undefined;
}
