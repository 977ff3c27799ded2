import { z } from 'zod';
import type { ExpectedEffect } from '../../history/event.ts';
import type { Pod, Primitive } from '../../platform/platform.ts';
import { durationMs } from '../../scenario/duration.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import { distinct } from '../fault.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { draw, durationNote, onPods } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { REFUSED_EVERYWHERE, valueNotes } from '../selector.ts';

const ACTIONS = ['pod-kill', 'pod-failure', 'container-kill'] as const;
type Action = (typeof ACTIONS)[number];

/** Longer than any game day; and a timer that is set for 25 days fires at once. */
const LONGEST_GRACE_S = 86_400;

const containers = z.array(z.string().min(1));
const schemaOf = (action: Action) =>
  fields(
    {
      action: z.literal(action),
      ...selectionShape,
      duration: durationMs.optional(),
      gracePeriod: z
        .int('must be a whole number of seconds')
        .min(0, 'must not be negative')
        .max(LONGEST_GRACE_S, `must be a day (${LONGEST_GRACE_S}) at most`)
        .default(0),
      containerNames:
        action === 'container-kill' ? containers.min(1, 'container-kill needs the names of the containers') : containers.default([]),
    },
    REFUSED_EVERYWHERE,
  ).refine(modeAndValue.fits, modeAndValue.options);

type Spec = z.infer<ReturnType<typeof schemaOf>>;

/** PodChaos: pod-kill, pod-failure, container-kill. */
export const podChaosKinds: readonly FaultKind[] = ACTIONS.map((action) => ({
  kind: 'PodChaos',
  action,
  schema: schemaOf(action),
  decode(document, header) {
    const spec = decodeDocument(document, schemaOf(action), ['spec']);
    if (!spec.ok) return spec;
    const oneShot = action !== 'pod-failure';
    return {
      ok: true,
      value: {
        ...header,
        kind: 'PodChaos',
        action,
        mode: spec.value.mode,
        oneShot,
        durationMs: oneShot ? null : (spec.value.duration ?? null),
        hostNames: [],
        plan: (input) => plan(action, spec.value, header, input),
      },
    };
  },
}));

function plan(action: Action, spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const selected = draw(spec, 'selector', header, input);
  const notes = [...header.notes, ...notesOf(action, spec), ...selected.notes];
  if (selected.reason !== undefined) return { outcome: 'nothing-selected', reason: selected.reason, notes };
  const hit = action === 'container-kill' ? withContainers(selected.pods, spec.containerNames) : { pods: selected.pods, notes: [] };
  notes.push(...hit.notes);
  if (hit.pods.length === 0) return { outcome: 'nothing-selected', reason: hit.notes.join('; '), notes };
  const names = hit.pods.map((pod) => pod.name);
  return onPods(hit.pods, primitiveOf(action, spec, names), effectOf(action, names), notes);
}

function primitiveOf(action: Action, spec: Spec, pods: readonly string[]): Primitive {
  switch (action) {
    case 'pod-kill':
      return { act: 'pod-kill', pods, graceMs: spec.gracePeriod * 1000 };
    case 'pod-failure':
      return { act: 'pod-hold', pods };
    case 'container-kill':
      return { act: 'container-kill', pods, containers: distinct(spec.containerNames) };
  }
}

const AFTERWARDS = { 'pod-kill': 'replaced', 'pod-failure': 'held', 'container-kill': 'restarted' } as const;
const effectOf = (action: Action, pods: readonly string[]): ExpectedEffect => ({
  kind: 'processes-gone',
  pods,
  afterwards: AFTERWARDS[action],
});

function withContainers(pods: readonly Pod[], containerNames: readonly string[]): { pods: readonly Pod[]; notes: string[] } {
  const lacking = pods.flatMap((pod) => containerNames.filter((name) => !pod.containers.includes(name)).map((name) => ({ pod, name })));
  const notes = lacking.map(
    ({ pod, name }) => `pod ${pod.name} has no container \`${name}\` (it has ${pod.containers.join(', ')}); skipped`,
  );
  return { pods: pods.filter((pod) => containerNames.some((name) => pod.containers.includes(name))), notes };
}

function notesOf(action: Action, spec: Spec): string[] {
  const notes = [...valueNotes(spec)];
  if (action === 'pod-failure') notes.push(durationNote(spec.duration));
  else if (spec.duration !== undefined) notes.push(`\`duration\` does not apply to ${action}, which acts once (as in Chaos Mesh)`);
  if (action === 'pod-kill' && spec.gracePeriod === 0) notes.push('`gracePeriod` 0: SIGKILL at once, as a node that loses power');
  if (action !== 'pod-kill' && spec.gracePeriod > 0) notes.push(`\`gracePeriod\` has no effect on ${action} (as in Chaos Mesh)`);
  if (action !== 'container-kill' && spec.containerNames.length > 0)
    notes.push(`\`containerNames\` has no effect on ${action}, which takes the whole pod (as in Chaos Mesh)`);
  return notes;
}
