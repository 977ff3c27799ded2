import { z } from 'zod';
import type { Pod } from '../platform/platform.ts';
import { durationMs } from '../scenario/duration.ts';
import { fields } from '../scenario/yaml-decode.ts';
import { familyOf } from './external-target.ts';
import type { FaultHeader, PlanInput } from './fault.ts';
import { draw } from './pod-fault.ts';
import { modeAndValue, selectionShape } from './selector-schema.ts';
import { valueNotes } from './selector.ts';
import type { Selected } from './selector.ts';

/** What all actions of NetworkChaos have in common: whose links, and which way. */

const device = z.enum(['', 'eth0'], { error: 'a pod of the lab has only the device eth0; remove the field' }).optional();

export const targetShape = fields(
  // The CRD wants `mode` here too, but the seed's manifest leaves it out; see targetNotes.
  { ...selectionShape, mode: selectionShape.mode.optional() },
).refine(modeAndValue.fits, modeAndValue.options);

export const networkShape = {
  duration: durationMs.optional(),
  direction: z
    .enum(['', 'to', 'from', 'both'])
    .default('to')
    .transform((one) => (one === '' ? 'to' : one)),
  target: targetShape.optional(),
  device,
  targetDevice: device,
} as const;

/** As seen from the sources. */
export type Direction = 'to' | 'from' | 'both';
interface WithTarget {
  readonly target?: z.infer<typeof targetShape> | undefined;
}

export const drawTarget = ({ target: given }: WithTarget, header: FaultHeader, input: PlanInput): Selected =>
  given === undefined ? { pods: [], notes: [] } : draw({ ...given, mode: given.mode ?? 'all' }, 'target', header, input);

export function targetNotes({ target: given }: WithTarget): readonly string[] {
  if (given === undefined) return [];
  return [
    ...(given.mode === undefined ? ['`target.mode` is missing; taken as `all` (the CRD of Chaos Mesh requires it)'] : []),
    ...valueNotes({ ...given, mode: given.mode ?? 'all' }).map((note) => `target: ${note}`),
  ];
}

export const FAMILIES = [4, 6] as const;
/** In which pods have addresses at all: most clusters have one family only. Where no address is known yet, both. */
export function familiesOf(pods: readonly Pod[]): readonly (4 | 6)[] {
  const had = new Set(pods.flatMap(({ addresses }) => addresses.map(familyOf)));
  return had.size === 0 ? FAMILIES : FAMILIES.filter((family) => had.has(family));
}
