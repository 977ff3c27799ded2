import type { RunEvent } from '../history/event.ts';
import { finding, type Check } from './check.ts';
import type { Finding } from './verdict.ts';

const NAME = 'record-in-order';
/** Events are stamped in whole microseconds. */
const ROUNDING_MS = 0.01;
/** By more than this the two clocks of a machine part only where one of them is set, or stands still. */
const PARTED_MS = 250;
/** Between the looks at them the writer may have to wait for a processor: of so many events the nearest pair counts. */
const TOGETHER = 5;

/**
 * A record has one writer, who stamps each event with one clock when it is over. What contradicts that was put together afterwards, or measured
 * with two clocks: its times mean nothing.
 */
export const recordInOrder: Check = {
  name: NAME,
  kind: 'assumption',
  question: 'Is every event of the record where and when it can have been recorded, once?',
  judge: ({ view: { events } }) => {
    const problems = [...backwards(events), ...parted(events), ...impossible(events), ...afterTheEnd(events), ...twice(events)];
    return problems.length > 0 ? problems : [finding(NAME, 'pass', `${events.length} events in the order of their clock`)];
  },
};

const objection = (message: string, lines: readonly number[]): Finding => finding(NAME, 'inconclusive', message, lines);

function backwards(events: readonly RunEvent[]): readonly Finding[] {
  const index = events.findIndex(({ atMs }, at) => atMs < (events[at - 1]?.atMs ?? 0));
  return index < 0 ? [] : [objection(`the clock went back from line ${index} to ${index + 1}`, [index, index + 1])];
}

/**
 * The wall clock is only a label, but where it parts from the clock that measures the machine was suspended, which that clock does not count and a service elsewhere does not notice; or it was set, and with it the age of
 * whatever lives by it (cached names, backups).
 */
function parted(events: readonly RunEvent[]): readonly Finding[] {
  const apart = events.flatMap(({ atMs, wall }, index) => {
    const wallMs = Date.parse(wall);
    return Number.isNaN(wallMs) ? [] : [{ ms: wallMs - atMs, line: index + 1 }];
  });
  const groups = Math.floor(apart.length / TOGETHER);
  const nearest = Array.from({ length: groups }, (_, index) =>
    apart
      .slice(index * TOGETHER, index === groups - 1 ? undefined : (index + 1) * TOGETHER)
      .reduce((least, one) => (one.ms < least.ms ? one : least)),
  );
  return nearest.slice(1).flatMap((now, index) => {
    const before = nearest[index] ?? now;
    const byMs = Math.round(now.ms - before.ms);
    if (Math.abs(byMs) <= PARTED_MS) return [];
    return [
      objection(`the wall clock moved by ${byMs} ms against the clock that measures: it was set, or the machine was suspended`, [
        before.line,
        now.line,
      ]),
    ];
  });
}

/** What the event tells of has a beginning and an end, of which both are over when it is recorded. */
function impossible(events: readonly RunEvent[]): readonly Finding[] {
  const problems = events.flatMap((event, index) => {
    const [beganMs, endedMs] = spanOf(event) ?? [0, 0];
    if (endedMs < beganMs) return [{ line: index + 1, problem: `${event.kind}: ended before it began` }];
    return endedMs > event.atMs + ROUNDING_MS ? [{ line: index + 1, problem: `${event.kind}: in the record before it had ended` }] : [];
  });
  return [...Map.groupBy(problems, ({ problem }) => problem)].map(([problem, of]) =>
    objection(
      `${problem} (${of.length} times)`,
      of.slice(0, 20).map(({ line }) => line),
    ),
  );
}

function spanOf(event: RunEvent): readonly [number, number] | null {
  if ('intendedMs' in event) return [event.intendedMs, event.completedMs];
  if ('requestedMs' in event) return [event.requestedMs, event.acknowledgedMs];
  if ('givenMs' in event) return [event.givenMs, event.endedMs];
  return 'startedMs' in event ? [event.startedMs, event.endedMs] : null;
}

function afterTheEnd(events: readonly RunEvent[]): readonly Finding[] {
  const index = events.findIndex(({ kind }) => kind === 'run-ended');
  return index < 0 || index === events.length - 1 ? [] : [objection('the record goes on after its end', [index + 1, index + 2])];
}

/** Of two, each check would believe the one that it happens to look at. */
function twice(events: readonly RunEvent[]): readonly Finding[] {
  const named = events.flatMap((event, index) => {
    const name = nameOf(event);
    return name === null ? [] : [{ name, line: index + 1 }];
  });
  return [...Map.groupBy(named, ({ name }) => name)].flatMap(([name, of]) =>
    of.length < 2
      ? []
      : [
          objection(
            `${name} is there ${of.length} times`,
            of.map(({ line }) => line),
          ),
        ],
  );
}

function nameOf(event: RunEvent): string | null {
  const { kind } = event;
  if (kind === 'fault-planned' || kind === 'fault-injected' || kind === 'fault-healed') return `${kind} of ${event.fault}`;
  if (kind === 'fault-effect') return `${kind} of ${event.fault} (${event.moment})`;
  if (kind === 'readback') return `${kind} of ${event.region}`;
  return kind === 'client-finished' ? `${kind} of ${event.vantage}` : null;
}
