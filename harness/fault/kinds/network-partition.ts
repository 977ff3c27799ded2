import { z } from 'zod';
import type { Link } from '../../history/event.ts';
import type { Pod, Primitive } from '../../platform/platform.ts';
import { decodeDocument, fields } from '../../scenario/yaml-decode.ts';
import { cidrOfAddress, contains, familyOf, parseExternalTarget } from '../external-target.ts';
import type { Block, ExternalTarget } from '../external-target.ts';
import { distinct } from '../fault.ts';
import type { FaultHeader, FaultKind, Planning, PlanInput } from '../fault.ts';
import { drawTarget, FAMILIES, familiesOf, networkShape, targetNotes, type Direction } from '../network-spec.ts';
import { draw, durationNote } from '../pod-fault.ts';
import { modeAndValue, selectionShape } from '../selector-schema.ts';
import { REFUSED_EVERYWHERE, targetOf, valueNotes } from '../selector.ts';

const external = z.string().transform((text, context): ExternalTarget => {
  const parsed = parseExternalTarget(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: `\`${text}\` is no address, CIDR, host name or host:port` });
  return z.NEVER;
});

const notWithPartition = (field: string): string => `\`${field}\` has no effect with action partition; remove it`;

const schema = fields(
  {
    action: z.literal('partition'),
    ...selectionShape,
    ...networkShape,
    externalTargets: z.array(external).default([]),
  },
  {
    ...REFUSED_EVERYWHERE,
    ...Object.fromEntries(['delay', 'loss', 'duplicate', 'corrupt', 'bandwidth', 'rate'].map((field) => [field, notWithPartition(field)])),
  },
).refine(modeAndValue.fits, modeAndValue.options);

type Spec = z.infer<typeof schema>;

/** NetworkChaos partition. */
export const networkPartition: FaultKind = {
  kind: 'NetworkChaos',
  action: 'partition',
  schema,
  decode(document, header) {
    const spec = decodeDocument(document, schema, ['spec']);
    if (!spec.ok) return spec;
    return {
      ok: true,
      value: {
        ...header,
        kind: 'NetworkChaos',
        action: 'partition',
        mode: spec.value.mode,
        oneShot: false,
        durationMs: spec.value.duration ?? null,
        hostNames: distinct(spec.value.externalTargets.flatMap((one) => (one.kind === 'host' ? [one.host] : []))),
        plan: (input) => plan(spec.value, header, input),
      },
    };
  },
};

interface Ends {
  readonly sources: readonly Pod[];
  readonly targets: readonly Pod[];
  readonly blocks: readonly Block[];
}

function plan(spec: Spec, header: FaultHeader, input: PlanInput): Planning {
  const sources = draw(spec, 'selector', header, input);
  const targets = drawTarget(spec, header, input);
  const blocks = blocksOf(spec.externalTargets, input.addressesOf);
  const notes = [...header.notes, ...notesOf(spec), ...sources.notes, ...targets.notes];
  const reason = sources.reason ?? targets.reason ?? blocks.reason;
  if (reason !== undefined) return { outcome: 'nothing-selected', reason, notes };
  const families = familiesOf(input.pods);
  const everything = EVERYTHING.filter(({ cidr }) => families.includes(familyOf(cidr)));
  const ends: Ends = { sources: sources.pods, targets: targets.pods, blocks: fromEverything(spec) ? everything : blocks.blocks };
  const primitives = primitivesOf(spec.direction, ends);
  if (primitives.length === 0)
    return { outcome: 'nothing-selected', reason: 'selector and target are one and the same pod; there is no link to cut', notes };
  return {
    outcome: 'planned',
    plan: {
      sources: ends.sources.map(targetOf),
      targets: ends.targets.map(targetOf),
      primitives,
      expectedEffect: {
        kind: 'links-cut',
        pods: input.pods.map((pod) => pod.name),
        ...(families.length === FAMILIES.length ? {} : { families }),
        cut: linksCut(spec.direction, ends, input.pods, families),
        unobservable: unobservable(ends, input.pods),
      },
      notes,
    },
  };
}

const EVERYTHING: readonly Block[] = [
  { cidr: '0.0.0.0/0', port: null },
  { cidr: '::/0', port: null },
];
/** Chaos Mesh then drops with no address match at all. */
const fromEverything = (spec: Spec): boolean => spec.target === undefined && spec.externalTargets.length === 0;

function blocksOf(
  targets: readonly ExternalTarget[],
  addressesOf: PlanInput['addressesOf'],
): { blocks: readonly Block[]; reason?: string } {
  const hosts = distinct(targets.flatMap((one) => (one.kind === 'host' ? [one.host] : [])));
  const unresolved = hosts.filter((host) => (addressesOf[host] ?? []).length === 0);
  if (unresolved.length > 0) return { blocks: [], reason: `externalTargets: ${unresolved.join(', ')} did not resolve to any address` };
  const blocks = targets.flatMap((one) =>
    one.kind === 'cidr' ? [one] : (addressesOf[one.host] ?? []).map((address) => ({ cidr: cidrOfAddress(address), port: one.port })),
  );
  return { blocks: blocks.map(({ cidr, port }) => ({ cidr, port })) };
}

/** Direction as seen from the sources. One primitive a direction, so that all of it is one commit of the platform. */
function primitivesOf(direction: Direction, { sources, targets, blocks }: Ends): readonly Primitive[] {
  const from = sources.map((pod) => pod.name);
  const to = targets.map((pod) => pod.name);
  const hasLink = from.some((a) => to.some((b) => a !== b));
  const primitives: Primitive[] = [];
  for (const way of direction === 'both' ? (['to', 'from'] as const) : [direction]) {
    if (hasLink) primitives.push(way === 'to' ? { act: 'cut', from, to } : { act: 'cut', from: to, to: from });
    for (const { cidr, port } of blocks)
      primitives.push({ act: 'cut-external', pods: from, cidr, direction: way, ...(port === null ? {} : { port }) });
  }
  return primitives;
}

/** Every link between pods that must lose everything; a block that covers a pod's address cuts that family's link to it. */
function linksCut(
  direction: Direction,
  { sources, targets, blocks }: Ends,
  pods: readonly Pod[],
  had: readonly (4 | 6)[],
): readonly Link[] {
  const isSource = new Set(sources.map((pod) => pod.name));
  const isTarget = new Set(targets.map((pod) => pod.name));
  const familiesCut = (source: Pod, other: Pod): readonly (4 | 6)[] => {
    if (source.name === other.name || !isSource.has(source.name)) return [];
    if (isTarget.has(other.name)) return had;
    return had.filter((family) => blocks.some((block) => block.port === null && covers(block, other, family)));
  };
  return pods.flatMap((from) =>
    pods.flatMap((to): Link[] => {
      const outward = direction === 'from' ? [] : familiesCut(from, to);
      const inward = direction === 'to' ? [] : familiesCut(to, from);
      const families = had.filter((family) => outward.includes(family) || inward.includes(family));
      return families.length > 0 ? [{ from: from.name, to: to.name, families }] : [];
    }),
  );
}

const covers = (block: Block, pod: Pod, family: 4 | 6): boolean =>
  familyOf(block.cidr) === family && pod.addresses.some((address) => familyOf(address) === family && contains(block.cidr, address));

function unobservable({ sources, blocks }: Ends, pods: readonly Pod[]): readonly string[] {
  const others = pods.filter((pod) => !sources.every((source) => source.name === pod.name));
  return blocks.flatMap((block) => {
    if (block.port !== null) return [`${block.cidr} port ${block.port}: probes use their own ports and cannot see a cut of one port`];
    const seen = others.some((pod) => covers(block, pod, familyOf(block.cidr)));
    return seen ? [] : [`${block.cidr}: no pod of the lab has an address in it, so no probe can see the cut`];
  });
}

function notesOf(spec: Spec): readonly string[] {
  const notes = [
    ...valueNotes(spec),
    'IPv6 is cut together with IPv4; in Chaos Mesh it passes the partition',
    durationNote(spec.duration),
    ...targetNotes(spec),
  ];
  if (spec.direction !== 'both')
    notes.push(
      `direction ${spec.direction}: only that way is dropped; TCP fails both ways, because acknowledgements are lost (as in Chaos Mesh)`,
    );
  if (fromEverything(spec))
    notes.push('no target and no externalTargets: each source is cut from every address, the other sources included (as in Chaos Mesh)');
  if (spec.externalTargets.length > 0) notes.push(...externalNotes(spec));
  return notes;
}

function externalNotes(spec: Spec): readonly string[] {
  const notes: string[] = [];
  if (spec.target) notes.push('externalTargets cut the selected pods only; some versions of Chaos Mesh cut the target pods from them too');
  if (spec.externalTargets.some((one) => one.kind === 'host'))
    notes.push('host names were resolved once, IPv4 and IPv6; Chaos Mesh resolves IPv4 only');
  if (spec.externalTargets.some((one) => one.port !== null))
    notes.push(
      'a port is the remote one, for TCP and UDP, in both directions; Chaos Mesh drops TCP only and matches the local port for `from`',
    );
  return notes;
}
