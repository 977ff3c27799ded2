import { eventsOf, type Lined, type RunView } from '../measure/view.ts';

type Seen = Lined<'fault-effect'> | Lined<'reachability'>;

/**
 * What is wrong with the instants at which somebody looked at a fault: before it was injected at what was there without it, then at its effect until it
 * was healed. A look at another time shows another thing. Undefined: nothing.
 */
export function amissBefore(view: RunView, fault: string, injectedMs: number): string | undefined {
  const looks = looksOf(view, fault, 'before');
  if (!looks.some(({ kind }) => kind === 'fault-effect')) return 'nobody looked at the state before it';
  return looks.some(({ atMs }) => atMs > injectedMs) ? 'the state before it was looked at when it had been injected' : undefined;
}

export function amissDuring(view: RunView, fault: string, injectedMs: number): string | undefined {
  const looks = looksOf(view, fault, 'during');
  if (looks.some(({ atMs }) => atMs < injectedMs)) return 'somebody looked for its effect before it was injected';
  const healed = eventsOf(view.events, 'fault-healed').find((event) => event.fault === fault);
  const late = healed !== undefined && looks.some(({ atMs }) => atMs > healed.requestedMs);
  return late ? 'somebody looked for its effect when it had been healed' : undefined;
}

export function amissAfter(view: RunView, fault: string, healedMs: number): string | undefined {
  return looksOf(view, fault, 'after-heal').some(({ atMs }) => atMs < healedMs)
    ? 'whether it was gone was looked at before it was healed'
    : undefined;
}

function looksOf(view: RunView, fault: string, moment: Seen['moment']): readonly Seen[] {
  const all: readonly Seen[] = [...eventsOf(view.events, 'fault-effect'), ...eventsOf(view.events, 'reachability')];
  return all.filter((one) => one.fault === fault && one.moment === moment);
}
