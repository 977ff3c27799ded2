import type { RecoveryTime, VantageRecovery } from './measurement.ts';
import { outagesUnder } from './fault-outages.ts';
import type { Outage } from './outages.ts';
import { eventsOf, faultWindow, type FaultView, type Operation, type RunView } from './view.ts';

/** The vantage name under which the harness records what the authoritative server itself answers. */
export const AUTHORITY = 'authority';

/**
 * Recovery time of one vantage after one fault: t7 − t1, where t7 is the completion of the first operation of the first sustained window. How long that operation took is part of
 * it: nobody had an answer earlier. What is in doubt: had an operation been sent right after the last certainly bad one, and taken as long, it would have been the first; what the client itself
 * stood still may have made any of this late; and t1 lies in the interval in which the effect began. Several outages under one fault: the worst.
 */
export function vantageRecovery(view: RunView, fault: FaultView, vantage: string): VantageRecovery {
  const nothing = { fault: fault.fault, firstBadMs: null, firstGoodMs: null, sustainedMs: null };
  const window = faultWindow(view, fault);
  if (window === null) return { ...nothing, recovery: { state: 'not-measured', reason: `no confirmed effect of ${fault.fault}` } };
  const { effect } = window;
  const outages = outagesUnder(view, window, vantage);
  if (outages === null) return { ...nothing, recovery: { state: 'not-measured', reason: `no operation of ${vantage} after the effect` } };
  const each = outages.map((outage) => ({ outage, recovery: recoveryFrom(outage, view, fault.fault) }));
  const recovery = each.length === 0 ? ({ state: 'no-outage' } as const) : worstRecovery(each.map((one) => one.recovery));
  const worst = each.find((one) => one.recovery === recovery)?.outage;
  if (worst === undefined) return { ...nothing, recovery };
  return {
    fault: fault.fault,
    recovery,
    firstBadMs: Math.max(worst.firstBad.intendedMs, effect.lowerMs),
    firstGoodMs: worst.firstGood?.completedMs ?? null,
    sustainedMs: worst.back?.operation.completedMs ?? null,
  };
}

/** That of an outage. */
export type OutageTime = Extract<RecoveryTime, { readonly state: 'recovered' | 'censored' }>;

/** Of every outage of the vantages that are judged, whichever was the worst: one that was not over may hide one that was certainly longer. */
export function judgedRecoveries(view: RunView): readonly OutageTime[] {
  return view.faults.flatMap((fault) => {
    const window = faultWindow(view, fault);
    if (window === null) return [];
    const outages = view.scenario.expect.mustRecover.flatMap((vantage) => outagesUnder(view, window, vantage) ?? []);
    return outages.map((outage) => recoveryFrom(outage, view, fault.fault));
  });
}

function recoveryFrom({ began, back, lastBad }: Outage<Operation>, view: RunView, fault: string): OutageTime {
  if (back === null)
    return { state: 'censored', lowerMs: Math.max(0, lastBad.intendedMs - began.upperMs), vantage: lastBad.vantage, fault };
  return {
    state: 'recovered',
    lowerMs: Math.max(0, Math.min(back.before.intendedMs + back.tookMs, back.operation.completedMs) - began.upperMs),
    upperMs: back.operation.completedMs - began.lowerMs,
    vantage: back.operation.vantage,
    fault,
    line: back.operation.line,
    servedFrom: {
      lowerMs: Math.max(0, back.before.intendedMs - began.upperMs),
      upperMs: back.operation.completedMs - began.lowerMs,
    },
    firstOperationMs: back.operation.completedMs - back.operation.intendedMs,
    clientAwayMs: back.clientAwayMs,
    dnsShareMs: dnsShareMs(view, back.operation, began.lowerMs),
  };
}

/** From the authority's first answer with the new address to this vantage's first; null when its address is not a new one. */
function dnsShareMs(view: RunView, back: Operation, sinceMs: number): number | null {
  const { address, vantage } = back;
  if (address === undefined) return null;
  const answers = eventsOf(view.events, 'dns').filter((event) => event.addresses.includes(address) && event.atMs >= sinceMs);
  const atAuthority = answers.find((event) => event.vantage === AUTHORITY);
  const here = answers.find((event) => event.vantage === vantage);
  if (atAuthority === undefined || here === undefined) return null;
  return Math.max(0, here.atMs - atAuthority.atMs);
}

/** The worst of several: unmeasured, then censored (longest), then the longest recovery; no outage is the best. */
export function worstRecovery(recoveries: readonly RecoveryTime[]): RecoveryTime {
  const rank = { 'not-measured': 3, censored: 2, recovered: 1, 'no-outage': 0 } as const;
  const size = (one: RecoveryTime): number => (one.state === 'recovered' ? one.upperMs : one.state === 'censored' ? one.lowerMs : 0);
  const sorted = recoveries.toSorted((a, b) => rank[b.state] - rank[a.state] || size(b) - size(a));
  return sorted[0] ?? { state: 'not-measured', reason: 'no vantage to measure at' };
}
