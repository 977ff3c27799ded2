import { z } from 'zod';
import type { Pod } from '../../platform/platform.ts';
import { durationMs } from '../../scenario/duration.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { draw, durationNote, onPods } from '../pod-fault.ts';
import { machineSelectionShape, modeAndValue } from '../selector-schema.ts';
import { valueNotes } from '../selector.ts';

const SIGSTOP = 19;
const SIGNAL = 'only 19 (SIGSTOP) is done here: chaosd can take back nothing else. To kill a process use PodChaos container-kill';

const schema = fields(
  {
    action: z.literal('process'),
    ...machineSelectionShape,
    duration: durationMs.optional(),
    process: fields(
      { process: z.string().min(1), signal: z.literal(SIGSTOP, { error: SIGNAL }) },
      { recoverCmd: '`recoverCmd` is a command on a machine; what SIGSTOP does is taken back with SIGCONT. Remove it' },
    ),
  },
  {
    address: '`address` names machines that run chaosd; here the pods stand for machines: use `selector`',
    uid: '`uid` is written by a cluster; remove it',
  },
).refine(modeAndValue.fits, modeAndValue.options);

type Spec = z.infer<typeof schema>;

/** PhysicalMachineChaos process with SIGSTOP: a program that stands still, keeps its sockets and its memory, and wakes up later. */
export const physicalMachineProcess: FaultKind = {
  kind: 'PhysicalMachineChaos',
  action: 'process',
  schema,
  decode(document, header) {
    const spec = decodeDocument(document, schema, ['spec']);
    if (!spec.ok) return spec;
    const { mode, duration } = spec.value;
    const rest = { kind: 'PhysicalMachineChaos', action: 'process', mode, oneShot: false, durationMs: duration ?? null, hostNames: [] };
    return { ok: true, value: { ...header, ...rest, plan: (input) => plan(spec.value, header, input) } };
  },
};

function plan(spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const selected = draw(spec, 'selector', header, input);
  const { process } = spec.process;
  const notes = [
    ...header.notes,
    ...valueNotes(spec),
    'pods of the lab stand for physical machines; their process is called as their container is',
    durationNote(spec.duration),
    ...selected.notes,
  ];
  if (selected.reason !== undefined) return { outcome: 'nothing-selected', reason: selected.reason, notes };
  const without = selected.pods.filter((pod) => !pod.containers.includes(process));
  // chaosd fails on each of them, and the experiment is then never injected in all that it selects.
  if (without.length > 0) return { outcome: 'nothing-selected', reason: lacking(without, process), notes };
  const names = selected.pods.map((pod) => pod.name);
  return onPods(
    selected.pods,
    { act: 'freeze', pods: names, share: 1, periodMs: 0 },
    { kind: 'processes-frozen', pods: names, share: 1 },
    notes,
  );
}

const lacking = (pods: readonly Pod[], process: string): string =>
  `no process \`${process}\` in ${pods.map((pod) => `${pod.name} (it has ${pod.containers.join(', ')})`).join(', ')}`;
