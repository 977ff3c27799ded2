import { z } from 'zod';
import { durationMs } from '../../scenario/duration.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { draw, durationNote, onPods } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { REFUSED_EVERYWHERE, valueNotes } from '../selector.ts';

const NO_MEMORY = 'stress of memory is not yet supported locally: no pod of the lab has a limit that could be reached';
/** The kernel hands out processor time of a limited container by the tenth of a second. */
const CFS_PERIOD_MS = 100;
/** Below this nothing would be noticed. */
const LEAST_SHARE = 0.1;

const schema = fields(
  {
    ...selectionShape,
    duration: durationMs.optional(),
    containerNames: z.array(z.string().min(1)).max(0, 'a pod of the lab has one container; remove the field').default([]),
    stressors: fields(
      {
        cpu: fields(
          { workers: z.int().min(1).max(1024), load: z.int().min(0).max(100).default(100) },
          { options: '`options` are for stress-ng, which does not run here; remove them' },
        ),
      },
      { memory: NO_MEMORY },
    ),
  },
  { ...REFUSED_EVERYWHERE, stressngStressors: '`stressngStressors` are for stress-ng, which does not run here; write `stressors`' },
).refine(modeAndValue.fits, modeAndValue.options);

type Spec = z.infer<typeof schema>;

/**
 * StressChaos cpu. Chaos Mesh starts stress-ng within the pod's cgroup, where it takes processor time from the program. A lab of namespaces
 * has no cgroups and one machine, whose other pods must not suffer, so what the program would be left with is given to it, and no more.
 */
export const stressCpu: FaultKind = {
  kind: 'StressChaos',
  action: '',
  schema,
  decode(document, header) {
    const spec = decodeDocument(document, schema, ['spec']);
    if (!spec.ok) return spec;
    const { mode, duration } = spec.value;
    const rest = { kind: 'StressChaos', action: 'cpu', mode, oneShot: false, durationMs: duration ?? null, hostNames: [] };
    return { ok: true, value: { ...header, ...rest, plan: (input) => plan(spec.value, header, input) } };
  },
};

/** What the stress takes of one processor: as much as it wants, but never more than its fair share beside the program. */
function shareTaken(workers: number, load: number): number {
  return Math.min((workers * load) / 100, workers / (workers + 1));
}

function plan(spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const selected = draw(spec, 'selector', header, input);
  const { workers, load } = spec.stressors.cpu;
  const share = shareTaken(workers, load);
  const left = Math.round((1 - share) * 100);
  const notes = [
    ...header.notes,
    ...valueNotes(spec),
    `each pod counts as limited to one processor: ${workers} worker(s) of ${load} % leave ${left} % of it to the program, which stands still for the rest of each ${CFS_PERIOD_MS} ms, as the kernel's bandwidth control does; stress-ng itself is not started`,
    durationNote(spec.duration),
    ...selected.notes,
  ];
  if (selected.reason !== undefined) return { outcome: 'nothing-selected', reason: selected.reason, notes };
  if (share < LEAST_SHARE)
    return { outcome: 'nothing-selected', reason: `${workers} worker(s) of ${load} % take too little to be noticed`, notes };
  const names = selected.pods.map((pod) => pod.name);
  return onPods(
    selected.pods,
    { act: 'freeze', pods: names, share, periodMs: CFS_PERIOD_MS },
    { kind: 'processes-frozen', pods: names, share },
    notes,
  );
}
