import { z } from 'zod';
import type { Link } from '../../history/event.ts';
import type { Pod, Primitive } from '../../platform/platform.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { drawTarget, FAMILIES, familiesOf, networkShape, targetNotes, type Direction } from '../network-spec.ts';
import { draw, durationNote } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { REFUSED_EVERYWHERE, targetOf, valueNotes } from '../selector.ts';

/** Of less a probe would have to send too many datagrams before it could tell it from none. */
const LEAST_PERCENT = 5;

const percentOf = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN);
const percent = z.string({ error: 'must be a percentage, written as text in quotes' }).transform((text, context) => {
  const value = percentOf(text);
  const wrong = (message: string): void => context.addIssue({ code: 'custom', message: `\`${text}\` ${message}` });
  if (Number.isNaN(value) || value > 100) wrong('is no percentage from 0 to 100');
  else if (value < LEAST_PERCENT) wrong(`cannot be told from none by what probes send in a few seconds; lose ${LEAST_PERCENT} at least`);
  return value;
});
const none = z
  .string({ error: 'must be a percentage, written as text in quotes' })
  .refine(
    (text) => percentOf(text) === 0,
    'of losses is not supported: probes tell the share that is lost, and not which losses follow each other',
  );

const notWithLoss = (field: string): string => `\`${field}\` has no effect with action loss; remove it`;

const schema = fields(
  {
    action: z.literal('loss'),
    ...selectionShape,
    ...networkShape,
    loss: fields({ loss: percent, correlation: none.optional() }),
  },
  {
    ...REFUSED_EVERYWHERE,
    ...Object.fromEntries(['delay', 'duplicate', 'corrupt', 'bandwidth', 'rate'].map((field) => [field, notWithLoss(field)])),
    externalTargets: 'what is lost on the way to addresses outside no probe can see; name pods in `target`',
  },
)
  .refine(modeAndValue.fits, modeAndValue.options)
  .refine(({ direction, target }) => !['from', 'both'].includes(direction) || target !== undefined, {
    when: () => true,
    path: ['target'],
    message: 'is missing, which a direction other than `to` needs (as in Chaos Mesh)',
  });

type Spec = z.infer<typeof schema>;

/** NetworkChaos loss: each packet on the way has the same chance, whatever became of the one before it. */
export const networkLoss: FaultKind = {
  kind: 'NetworkChaos',
  action: 'loss',
  schema,
  decode(document, header) {
    const spec = decodeDocument(document, schema, ['spec']);
    if (!spec.ok) return spec;
    const { mode, duration } = spec.value;
    const rest = { kind: 'NetworkChaos', action: 'loss', mode, oneShot: false, durationMs: duration ?? null, hostNames: [] };
    return { ok: true, value: { ...header, ...rest, plan: (input) => plan(spec.value, header, input) } };
  },
};

function plan(spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const sources = draw(spec, 'selector', header, input);
  const targets = drawTarget(spec, header, input);
  const notes = [...header.notes, ...notesOf(spec), ...sources.notes, ...targets.notes];
  const reason = sources.reason ?? targets.reason;
  if (reason !== undefined) return { outcome: 'nothing-selected', reason, notes };
  const share = spec.loss.loss / 100;
  const both = sources.pods.find((pod) => targets.pods.some(({ name }) => name === pod.name));
  if (spec.direction === 'both' && both !== undefined)
    return { outcome: 'nothing-selected', reason: `${both.name} is source and target, and would lose twice as often; select apart`, notes };
  const primitives = primitivesOf(spec.direction, sources.pods, spec.target === undefined ? input.pods : targets.pods, share);
  const families = familiesOf(input.pods);
  const lossy = linksOf(primitives, families);
  if (lossy.length === 0)
    return { outcome: 'nothing-selected', reason: 'selector and target are one and the same pod; there is no link that could lose', notes };
  return {
    outcome: 'planned',
    plan: {
      sources: sources.pods.map(targetOf),
      targets: targets.pods.map(targetOf),
      primitives,
      expectedEffect: {
        kind: 'links-lossy',
        pods: input.pods.map((pod) => pod.name),
        ...(families.length === FAMILIES.length ? {} : { families }),
        lossy,
        share,
      },
      notes,
    },
  };
}

type Lose = Extract<Primitive, { act: 'lose' }>;

function primitivesOf(direction: Direction, sources: readonly Pod[], targets: readonly Pod[], share: number): readonly Lose[] {
  const [ours, theirs] = [sources, targets].map((pods) => pods.map((pod) => pod.name)) as [string[], string[]];
  const to: Lose = { act: 'lose', from: ours, to: theirs, share };
  const from: Lose = { act: 'lose', from: theirs, to: ours, share };
  return direction === 'both' ? [to, from] : [direction === 'to' ? to : from];
}

function linksOf(primitives: readonly Lose[], families: readonly (4 | 6)[]): readonly Link[] {
  const pairs = primitives.flatMap(({ from, to }) => from.flatMap((a) => to.filter((b) => b !== a).map((b) => `${a} ${b}`)));
  return [...new Set(pairs)].map((pair) => {
    const [from = '', to = ''] = pair.split(' ');
    return { from, to, families };
  });
}

function notesOf(spec: Spec): readonly string[] {
  return [
    ...valueNotes(spec),
    'IPv6 is lost as IPv4 is; in Chaos Mesh it passes where there is a target',
    durationNote(spec.duration),
    ...targetNotes(spec),
    ...(spec.target === undefined ? ['no target: what the selected pods send to any other pod (as in Chaos Mesh)'] : []),
  ];
}
