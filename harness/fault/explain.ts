import type { ExpectedEffect } from '../history/event.ts';
import type { Pod, Primitive } from '../platform/platform.ts';
import type { Fault, Planning } from './fault.ts';

/** What a fault would select among these pods, do to them, and must then be seen to have done: lines for people. Pure. */
export function explainFault(fault: Fault, planning: Planning, pods: readonly Pod[]): readonly string[] {
  const duration = fault.durationMs === null ? '' : `, ${fault.durationMs / 1000} s from its injection`;
  const head = `${fault.kind} ${fault.action} \`${fault.name}\` (mode ${fault.mode}${duration})`;
  if (planning.outcome === 'nothing-selected') {
    return [head, `  selects  nothing: ${planning.reason}`, ...planning.notes.map((note) => `  note     ${note}`)];
  }
  const { sources, targets, primitives, expectedEffect, notes } = planning.plan;
  return [
    head,
    `  selects  ${names(sources)}`,
    ...(targets.length > 0 ? [`  target   ${names(targets)}`] : []),
    ...primitives.map((primitive) => `  does     ${describe(primitive)}`),
    ...effectLines(expectedEffect, pods).map((line) => `  effect   ${line}`),
    ...notes.map((note) => `  note     ${note}`),
  ];
}

const names = (of: readonly { readonly pod: string }[]): string => of.map((one) => one.pod).join(' ');

function describe(primitive: Primitive): string {
  switch (primitive.act) {
    case 'cut':
      return `drop everything from ${count(primitive.from)} to ${count(primitive.to)}, IPv4 and IPv6`;
    case 'cut-external': {
      const port = primitive.port === undefined ? '' : ` port ${primitive.port} (TCP and UDP)`;
      return `drop everything ${primitive.direction} ${primitive.cidr}${port} at ${count(primitive.pods)}`;
    }
    case 'lose':
      return `lose ${percent(primitive.share)} of what goes from ${count(primitive.from)} to ${count(primitive.to)}, IPv4 and IPv6`;
    case 'pod-kill':
      return primitive.graceMs > 0
        ? `SIGTERM to ${count(primitive.pods)}, SIGKILL after ${primitive.graceMs / 1000} s; a new pod follows`
        : `SIGKILL to ${count(primitive.pods)}; a new pod follows`;
    case 'pod-hold':
      return `SIGKILL to ${count(primitive.pods)}, and nothing starts there until healed`;
    case 'container-kill':
      return `SIGKILL to the containers ${primitive.containers.join(', ')} of ${count(primitive.pods)}; they are restarted`;
    case 'move-clock':
      return `move the wall clock of ${count(primitive.pods)} by ${primitive.offsetMs / 1000} s`;
    case 'freeze':
      return primitive.share === 1
        ? `SIGSTOP to ${count(primitive.pods)}, SIGCONT when healed`
        : `${count(primitive.pods)} stands still ${Math.round(primitive.share * 100)} % of each ${primitive.periodMs} ms`;
  }
}

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;
const count = (pods: readonly string[]): string => (pods.length === 1 ? (pods[0] ?? '') : `${pods.length} pods`);

/** Cut links are told by pairs of regions where whole regions are cut, else one by one. */
function effectLines(effect: ExpectedEffect, pods: readonly Pod[]): readonly string[] {
  if (effect.kind === 'processes-gone')
    return [`every process that ran in ${effect.pods.join(' ')} is gone; afterwards: ${effect.afterwards}`];
  if (effect.kind === 'processes-frozen')
    return [`every process in ${effect.pods.join(' ')} stands still ${Math.round(effect.share * 100)} % of the time`];
  if (effect.kind === 'unseen') return [`nobody can see what ${effect.what} does to ${effect.pods.join(' ')}`];
  if (effect.kind === 'clocks-moved') return [`${effect.pods.join(' ')} says a time that is off by ${effect.offsetMs / 1000} s`];
  const [changed, lose] = effect.kind === 'links-cut' ? [effect.cut, 'everything'] : [effect.lossy, percent(effect.share)];
  const regionOf = new Map(pods.map((pod) => [pod.name, pod.region]));
  const groups = new Map<string, string[]>();
  for (const link of changed) {
    const family = link.families.length === 2 ? '' : ` (IPv${link.families[0]} only)`;
    const key = `${regionOf.get(link.from)} → ${regionOf.get(link.to)}${family}`;
    groups.set(key, [...(groups.get(key) ?? []), `${link.from} → ${link.to}`]);
  }
  const lines = [...groups].map(
    ([key, links]) =>
      `${key}: ${links.length > 4 ? `${links.length} links lose ${lose}` : links.map((link) => (effect.kind === 'links-cut' ? link : `${link} loses ${lose}`)).join(', ')}`,
  );
  const others = pods.length * (pods.length - 1) - changed.length;
  const unobservable = effect.kind === 'links-cut' ? effect.unobservable : [];
  return [...lines, `the other ${others} links lose nothing`, ...unobservable.map((one) => `cannot be confirmed: ${one}`)];
}
