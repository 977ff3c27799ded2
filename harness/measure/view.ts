import type { EventBody, OperationCompleted, RunEvent, RunStarted } from '../history/event.ts';
import { decodeRecordedScenario } from '../scenario/recorded.ts';
import { ONE_SERVICE } from '../platform/platform.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Interval } from './measurement.ts';

/** An operation with its line in events.ndjson and the region of the address it went to. */
export interface Operation extends OperationCompleted {
  readonly line: number;
  readonly region: string | null;
  /** Before this it had not left for that address: the client was late with it, and had to find the service first. It certainly began after whatever was over by then. */
  readonly sentMs: number;
}

/** One fault as the events tell of it. */
export interface FaultView {
  readonly fault: string;
  readonly manifestKind: string;
  readonly action: string;
  readonly t0Ms: number | null;
  readonly acknowledgedMs: number | null;
  /** Start of the effect, when it was confirmed. */
  readonly t1Ms: Interval | null;
  readonly skewMs: number | null;
  readonly healedMs: number | null;
}

/** The events of a run, sorted out once. All of measuring and checking starts here. */
export interface RunView {
  readonly events: readonly RunEvent[];
  readonly started: RunStarted;
  readonly scenario: Scenario;
  readonly operations: readonly Operation[];
  /** By intended start. */
  readonly byVantage: ReadonlyMap<string, readonly Operation[]>;
  readonly faults: readonly FaultView[];
  readonly steadyMs: number | null;
  /** When the last operation was due; 0 without any. */
  readonly loadEndMs: number;
}

type Kind = EventBody['kind'];
export type EventOf<K extends Kind> = Extract<RunEvent, { readonly kind: K }>;
/** An event with its line. */
export type Lined<K extends Kind> = EventOf<K> & { readonly lineNumber: number };

export function eventsOf<K extends Kind>(events: readonly RunEvent[], kind: K): readonly Lined<K>[] {
  return events.flatMap((event, index) => (event.kind === kind ? [{ ...(event as EventOf<K>), lineNumber: index + 1 }] : []));
}

/** Throws HarnessError (broken-record) when there is no run-started or its scenario is none. */
export function viewRun(events: readonly RunEvent[]): RunView {
  const [started] = eventsOf(events, 'run-started');
  const scenario = decodeRecordedScenario(started?.scenario);
  if (started === undefined) throw new RangeError('no run-started');
  const operations = eventsOf(events, 'op').map((op) => ({
    ...op,
    line: op.lineNumber,
    region: regionOf(started, op.address),
    sentMs: sentMs(op),
  }));
  const steady = eventsOf(events, 'phase').findLast((event) => event.phase === 'steady'); // a busy machine needs several tries
  return {
    events,
    started,
    scenario,
    operations,
    byVantage: groupByVantage(operations),
    faults: eventsOf(events, 'fault-planned').map((planned) => viewFault(planned, events)),
    steadyMs: steady?.atMs ?? null,
    loadEndMs: operations.reduce((latest, op) => Math.max(latest, op.intendedMs), 0),
  };
}

/** Clients tell how late they were in tenths of a millisecond. */
const ROUNDED_MS = 0.05;

function sentMs({ intendedMs, completedMs, lateMs = 0, dnsMs }: OperationCompleted): number {
  return Math.min(completedMs, intendedMs + Math.max(0, lateMs - ROUNDED_MS) + Math.max(0, dnsMs));
}

/** Where each step that begins a phase began, and what every day ends with. */
export function phasesSinceSteady({ events }: RunView): readonly Lined<'phase'>[] {
  const phases = eventsOf(events, 'phase');
  return phases.slice(phases.findLastIndex(({ phase }) => phase === 'steady') + 1);
}

function regionOf(started: RunStarted, address: string | undefined): string | null {
  if (address === undefined) return null;
  return started.ledger === 'templates' ? ONE_SERVICE : (started.regionOfAddress[address] ?? null);
}

function groupByVantage(operations: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const group = groups.get(operation.vantage);
    if (group === undefined) groups.set(operation.vantage, [operation]);
    else group.push(operation);
  }
  for (const group of groups.values()) group.sort((a, b) => a.intendedMs - b.intendedMs || a.seq - b.seq);
  return groups;
}

function viewFault(planned: EventOf<'fault-planned'>, events: readonly RunEvent[]): FaultView {
  const { fault, manifestKind, action } = planned;
  const mine = events.filter((event) => 'fault' in event && event.fault === fault);
  const injected = mine.find((event) => event.kind === 'fault-injected');
  const effect = mine.find((event) => event.kind === 'fault-effect' && event.moment === 'during');
  const healed = mine.find((event) => event.kind === 'fault-healed');
  const began = effect?.kind === 'fault-effect' && effect.confirmed ? effect.betweenMs : undefined;
  return {
    fault,
    manifestKind,
    action,
    t0Ms: injected?.kind === 'fault-injected' ? injected.requestedMs : null,
    acknowledgedMs: injected?.kind === 'fault-injected' ? injected.acknowledgedMs : null,
    t1Ms: began === undefined ? null : { lowerMs: began[0], upperMs: began[1] },
    skewMs: effect?.kind === 'fault-effect' ? (effect.skewMs ?? null) : null,
    healedMs: healed?.kind === 'fault-healed' ? healed.acknowledgedMs : null,
  };
}

export interface FaultWindow {
  /** When the fault was asked for. */
  readonly askedMs: number;
  readonly effect: Interval;
  readonly endMs: number;
  /** Whether another fault ends it; else the load did. */
  readonly superseded: boolean;
}

/** From the effect of this fault until that of the next one can have begun, or the load ends; null when its effect was not confirmed. */
export function faultWindow(view: RunView, fault: FaultView): FaultWindow | null {
  if (fault.t1Ms === null) return null;
  const later = view.faults.flatMap(({ t0Ms, t1Ms }) => (t0Ms !== null && t0Ms > (fault.t0Ms ?? 0) ? [t1Ms?.lowerMs ?? t0Ms] : []));
  return {
    askedMs: fault.t0Ms ?? fault.t1Ms.lowerMs,
    effect: fault.t1Ms,
    endMs: Math.min(view.loadEndMs, ...later),
    superseded: Math.min(...later) <= view.loadEndMs,
  };
}
