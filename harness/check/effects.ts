import { judgeClocks } from '../fault/clock-effect.ts';
import { judgeLinks } from '../fault/effect.ts';
import { judgeLosses } from '../fault/loss-effect.ts';
import { judgeFreeze } from '../fault/freeze-effect.ts';
import { judgeProcesses } from '../fault/process-effect.ts';
import { judgeUnseen } from '../fault/unseen-effect.ts';
import type { Beacon, EventBody, FaultEffect, Link, ProcessState, ReachabilityCell, RunEvent } from '../history/event.ts';

export interface Recomputed {
  /** The record, with every effect as its evidence has it. */
  readonly events: readonly RunEvent[];
  /** Effects that the record tells otherwise than its own evidence. */
  readonly contradictions: readonly Contradiction[];
}

export interface Contradiction {
  readonly fault: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Works out every effect again from what the record holds of it: sweeps, beacons, processes, exits. `confirmed` and the times in a record are
 * what the run believed while it went on; a verdict that trusted them would be the run's own. Pure.
 */
export function recomputeEffects(events: readonly RunEvent[]): Recomputed {
  const contradictions: Contradiction[] = [];
  const recomputed = events.map((event, index): RunEvent => {
    if (event.kind !== 'fault-effect') return event;
    const now = recompute(event, events.slice(0, index));
    const difference = differenceBetween(event, now);
    if (difference !== undefined) contradictions.push({ fault: event.fault, line: index + 1, message: difference });
    return { atMs: event.atMs, wall: event.wall, ...now };
  });
  return { events: recomputed, contradictions };
}

function recompute(event: RunEvent & FaultEffect, earlier: readonly RunEvent[]): FaultEffect {
  const { kind, fault, moment, asked, evidence } = event;
  const of = find(earlier, fault);
  const expected = of('fault-planned')?.expected;
  if (expected?.kind === 'unseen') return judgeUnseen(fault, moment, expected);
  if (expected?.kind === 'links-cut' && evidence.kind === 'links' && moment !== 'before-heal') {
    const cells = cellsOf(fault, moment, earlier);
    return judgeLinks({ fault, moment, expected, cells, beacons: evidence.beacons, elsewhere: changedElsewhere(fault, earlier) });
  }
  const requestedMs = of(moment === 'after-heal' ? 'fault-healed' : 'fault-injected')?.requestedMs ?? event.atMs;
  if (expected?.kind === 'links-lossy' && evidence.kind === 'losses') {
    const [cells, before] = [cellsOf(fault, moment, earlier), moment === 'before' ? evidence.sample : sampleBefore(fault, earlier)];
    const elsewhere = changedElsewhere(fault, earlier);
    return judgeLosses({ fault, moment, expected, cells, before, elsewhere, requestedMs, ...evidence });
  }
  if (expected?.kind === 'processes-frozen' && evidence.kind === 'states')
    return judgeFreeze({
      fault,
      moment,
      expected,
      states: evidence.states,
      requestedMs,
      had: statesDuring(fault, earlier),
      elsewhere: heldElsewhere(fault, expected.pods, earlier),
    });
  if (expected?.kind === 'clocks-moved' && evidence.kind === 'clocks')
    return judgeClocks({ fault, moment, expected, readings: evidence.readings, requestedMs });
  if (expected?.kind === 'processes-gone' && evidence.kind === 'processes' && moment !== 'before-heal') {
    const before = earlier.find((one) => one.kind === 'fault-effect' && one.fault === fault && one.moment === 'before');
    const had = before?.kind === 'fault-effect' && before.evidence.kind === 'processes' ? before.evidence.processes : [];
    const changes = earlier.filter((one) => one.kind === 'pod');
    const { processes: now, lastThereMs } = evidence;
    return judgeProcesses({ fault, moment, expected, before: had, now, changes, requestedMs, lastThereMs });
  }
  return { kind, fault, moment, asked, evidence, confirmed: false, measured: 'the record holds no evidence of it' };
}

function cellsOf(fault: string, moment: FaultEffect['moment'], earlier: readonly RunEvent[]): readonly ReachabilityCell[] {
  const sweep = earlier.findLast((one) => one.kind === 'reachability' && one.fault === fault && one.moment === moment);
  return sweep?.kind === 'reachability' ? sweep.cells : [];
}

/** What links lost without the fault. */
function sampleBefore(fault: string, earlier: readonly RunEvent[]): readonly Beacon[] {
  const before = earlier.findLast((one) => one.kind === 'fault-effect' && one.fault === fault && one.moment === 'before');
  return before?.kind === 'fault-effect' && before.evidence.kind === 'losses' ? before.evidence.sample : [];
}

/** What the fault's pods did while it lasted: who stands still right before the heal must be who stood still then. */
function statesDuring(fault: string, earlier: readonly RunEvent[]): readonly ProcessState[] {
  const during = earlier.findLast((one) => one.kind === 'fault-effect' && one.fault === fault && one.moment === 'during');
  return during?.kind === 'fault-effect' && during.evidence.kind === 'states' ? during.evidence.states : [];
}

type OfFault = Extract<EventBody, { readonly fault: string }>;

function find(events: readonly RunEvent[], fault: string) {
  return <K extends OfFault['kind']>(kind: K): Extract<RunEvent, { readonly kind: K }> | undefined =>
    events.findLast((one): one is Extract<RunEvent, { readonly kind: K }> => one.kind === kind && 'fault' in one && one.fault === fault);
}

/** Links that other faults had been planned to change and were not healed of yet. */
function changedElsewhere(fault: string, earlier: readonly RunEvent[]): readonly Link[] {
  return othersThen(fault, earlier).flatMap(({ expected }) =>
    expected.kind === 'links-cut' ? expected.cut : expected.kind === 'links-lossy' ? expected.lossy : [],
  );
}

/** Other faults that were planned to hold one of these pods still, and were not healed of yet. */
function heldElsewhere(fault: string, pods: readonly string[], earlier: readonly RunEvent[]): readonly string[] {
  return othersThen(fault, earlier).flatMap(({ fault: other, expected }) =>
    expected.kind === 'processes-frozen' && expected.pods.some((pod) => pods.includes(pod)) ? [other] : [],
  );
}

function othersThen(fault: string, earlier: readonly RunEvent[]): readonly Extract<RunEvent, { readonly kind: 'fault-planned' }>[] {
  const healed = new Set(earlier.flatMap((one) => (one.kind === 'fault-healed' ? [one.fault] : [])));
  return earlier.filter((one) => one.kind === 'fault-planned').filter((one) => one.fault !== fault && !healed.has(one.fault));
}

function differenceBetween(told: FaultEffect, now: FaultEffect): string | undefined {
  const say = (is: boolean): string => (is ? 'confirmed' : 'not confirmed');
  if (told.confirmed !== now.confirmed)
    return `recorded as ${say(told.confirmed)}, but by its own evidence it is ${say(now.confirmed)}: asked ${now.asked}, measured ${now.measured}`;
  const [a, b] = [told.betweenMs ?? [], now.betweenMs ?? []];
  return a.length === b.length && a.every((ms, index) => ms === b[index])
    ? undefined
    : `recorded to have changed in [${a.join(', ')}], but its own evidence says [${b.join(', ')}]`;
}
