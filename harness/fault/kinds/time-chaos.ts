import { z } from 'zod';
import { durationMs, parseDurationMs } from '../../scenario/duration.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import { CLOCK_DOUBT_MS } from '../clock-effect.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { draw, durationNote, onPods } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { REFUSED_EVERYWHERE, valueNotes } from '../selector.ts';

/** An offset that could be a slow answer cannot be proven. */
const LEAST_MS = 3 * CLOCK_DOUBT_MS;

/** No clock is wrong by more, and what seconds a system counts beyond nobody knows. */
const MOST_MS = 100 * 365 * 86_400_000;

const offset = z.string({ error: 'must be an offset such as -10m or 30s, written as text' }).transform((text, context) => {
  const ms = parseDurationMs(text);
  const wrong = (message: string): void => context.addIssue({ code: 'custom', message: `\`${text}\` ${message}` });
  if (ms === undefined) wrong('is no offset; write it as -10m or 30s');
  else if (Math.abs(ms) < LEAST_MS) wrong(`cannot be told from a slow answer; move the clock by ${LEAST_MS / 1000} s at least`);
  else if (Math.abs(ms) > MOST_MS) wrong('is more than a century; move the clock by less');
  return ms ?? 0;
});

const schema = fields(
  {
    ...selectionShape,
    duration: durationMs.optional(),
    timeOffset: offset,
    clockIds: z
      .array(z.literal('CLOCK_REALTIME', { error: 'only CLOCK_REALTIME can be moved here: nothing moves another clock of a real machine' }))
      .default([]),
    containerNames: z.array(z.string().min(1)).max(0, 'a pod of the lab has one container; remove the field').default([]),
  },
  REFUSED_EVERYWHERE,
).refine(modeAndValue.fits, modeAndValue.options);

type Spec = z.infer<typeof schema>;

/** TimeChaos on the wall clock. Chaos Mesh rewrites the vDSO of the running program; here a library that was there from its start moves it. */
export const timeOffset: FaultKind = {
  kind: 'TimeChaos',
  action: '',
  schema,
  decode(document, header) {
    const spec = decodeDocument(document, schema, ['spec']);
    if (!spec.ok) return spec;
    const { mode, duration } = spec.value;
    const rest = { kind: 'TimeChaos', action: 'offset', mode, oneShot: false, durationMs: duration ?? null, hostNames: [] };
    return { ok: true, value: { ...header, ...rest, plan: (input) => plan(spec.value, header, input) } };
  },
};

function plan(spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const selected = draw(spec, 'selector', header, input);
  const notes = [
    ...header.notes,
    ...valueNotes(spec),
    'the clock moves within a second of the injection, when libfaketime looks the next time; Chaos Mesh moves it at once',
    durationNote(spec.duration),
    ...selected.notes,
  ];
  if (selected.reason !== undefined) return { outcome: 'nothing-selected', reason: selected.reason, notes };
  const names = selected.pods.map((pod) => pod.name);
  return onPods(
    selected.pods,
    { act: 'move-clock', pods: names, offsetMs: spec.timeOffset },
    { kind: 'clocks-moved', pods: names, offsetMs: spec.timeOffset },
    notes,
  );
}
