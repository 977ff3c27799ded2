import { z } from 'zod';
import { durationMs } from '../../scenario/duration.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { drawTarget, targetNotes, targetShape } from '../network-spec.ts';
import { draw, durationNote } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { targetOf, valueNotes } from '../selector.ts';

/**
 * A kind that clusters may have and the harness knows no effect of. What is known of it is whom it may hit: every field that Chaos Mesh's own
 * types have is named, and reaches no further than the pods that are selected, or is refused with the reason. One that is not named may reach anywhere.
 */
export interface OpaqueKind {
  readonly kind: string;
  /** Empty: the kind has none. */
  readonly action: string;
  /** Parameters of what is done to the selected pods, beside selection and duration. What they mean is the cluster's to judge (its strict dry run). */
  readonly parameters: z.ZodRawShape;
  /** The kind selects a second group of pods (`target`), which is hit as well. */
  readonly hasTarget?: true;
  /** Fields by which it would reach elsewhere, and where. */
  readonly refused?: Readonly<Record<string, string>>;
  readonly takes?: FaultKind['takes'];
}

const REACHES: Readonly<Record<string, string>> = {
  remoteCluster:
    '`remoteCluster` reaches into a cluster that the system’s file does not name; remove it, and give that cluster a context there',
  scheduler: '`scheduler` went away with Chaos Mesh 2; a scenario says when a fault is injected; remove it',
};

/** Decodes whom a document hits, and nothing of what it does to them. */
export function opaque({ kind, action, parameters, hasTarget, refused, takes }: OpaqueKind): FaultKind {
  const schema = fields(
    {
      ...(action === '' ? {} : { action: z.literal(action) }),
      ...selectionShape,
      duration: durationMs.optional(),
      ...(hasTarget ? { target: targetShape.optional() } : {}),
      ...Object.fromEntries(Object.entries(parameters).map(([name, shape]) => [name, (shape as z.ZodType).optional()])),
    },
    { ...REACHES, ...refused },
  ).refine(modeAndValue.fits, modeAndValue.options);
  return {
    kind,
    action,
    schema,
    ...(takes === undefined ? {} : { takes }),
    decode(document, header) {
      const decoded = decodeDocument(document, schema, ['spec']);
      if (!decoded.ok) return decoded;
      const spec = decoded.value as unknown as Spec;
      const { mode, duration } = spec;
      const rest = { kind, action, mode, oneShot: false, durationMs: duration ?? null, hostNames: [], opaque: true } as const;
      const withTarget = hasTarget ? spec : { ...spec, target: undefined };
      return { ok: true, value: { ...header, ...rest, plan: (input) => plan(`${kind} ${action}`.trim(), withTarget, header, input) } };
    },
  };
}

const specShape = z.object({ ...selectionShape, duration: durationMs.optional(), target: targetShape.optional() });
type Spec = z.infer<typeof specShape>;

function plan(what: string, spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const sources = draw(spec, 'selector', header, input);
  const targets = drawTarget(spec, header, input);
  const notes = [
    ...header.notes,
    ...valueNotes(spec),
    ...targetNotes(spec),
    durationNote(spec.duration),
    `the harness knows no effect of ${what}: it is applied as it is, and nobody sees whether it took effect`,
    ...sources.notes,
    ...targets.notes,
  ];
  const reason = sources.reason ?? targets.reason;
  if (reason !== undefined) return { outcome: 'nothing-selected', reason, notes };
  const hit = [...new Set([...sources.pods, ...targets.pods].map(({ name }) => name))];
  return {
    outcome: 'planned',
    plan: {
      sources: sources.pods.map(targetOf),
      targets: targets.pods.map(targetOf),
      primitives: [],
      expectedEffect: { kind: 'unseen', pods: hit, what },
      notes,
    },
  };
}
