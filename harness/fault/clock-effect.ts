import type { ClockReading, ExpectedEffect, FaultEffect } from '../history/event.ts';

type Moved = Extract<ExpectedEffect, { kind: 'clocks-moved' }>;

export interface ClockEvidence {
  readonly fault: string;
  readonly moment: FaultEffect['moment'];
  readonly expected: Moved;
  /** What the pods' programs said at several instants; the instants ascend. */
  readonly readings: readonly ClockReading[];
  /** When the injection (during) or the heal (after-heal) was asked for. */
  readonly requestedMs: number;
}

/** How long an answer may be under way on a busy machine; an offset that is no larger cannot be told from that. */
export const CLOCK_DOUBT_MS = 1000;

/** Whether the clocks of the pods' programs are off as this moment asks: by the offset while the fault lasts, until its heal, by nothing before and after. Pure. */
export function judgeClocks({ fault, moment, expected, readings, requestedMs }: ClockEvidence): FaultEffect {
  const wantedMs = moment === 'during' || moment === 'before-heal' ? expected.offsetMs : 0;
  const fits = ({ offsetMs }: ClockReading): boolean => offsetMs !== null && Math.abs(offsetMs - wantedMs) <= CLOCK_DOUBT_MS;
  const perPod = expected.pods.map((pod) => {
    const mine = readings.filter((one) => one.pod === pod);
    return { pod, last: mine.at(-1), firstFit: mine.find(fits) };
  });
  const told = perPod.map(({ pod, last }) =>
    last === undefined || last.offsetMs === null ? `${pod} does not say its time` : `${pod} is off by ${seconds(last.offsetMs)}`,
  );
  const known = perPod.flatMap(({ firstFit }) => (firstFit === undefined ? [] : [firstFit.atMs]));
  const timed = (moment === 'during' || moment === 'after-heal') && known.length === perPod.length && known.length > 0;
  return {
    kind: 'fault-effect',
    fault,
    moment,
    confirmed: perPod.length > 0 && perPod.every(({ last }) => last !== undefined && fits(last)),
    ...(timed ? { betweenMs: [requestedMs, Math.max(...known)] as const, skewMs: Math.max(...known) - Math.min(...known) } : {}),
    asked: `${expected.pods.join(' ')}: off by ${seconds(wantedMs)}`,
    measured: told.join('; '),
    evidence: { kind: 'clocks', readings },
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
