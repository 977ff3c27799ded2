import type { RecoveryTime, VantageRecovery } from './measurement.ts';
import { firstSustained, isGood } from './service.ts';
import { eventsOf, faultWindow, type FaultView, type Operation, type RunView } from './view.ts';

/** The vantage name under which the harness records what the authoritative server itself answers. */
export const AUTHORITY = 'authority';

/**
 * Recovery time of one vantage after one fault: t7 − t1, where t7 is the completion of the first operation of the first sustained
 * window. Bounds: service was back at some instant between the start of the last bad operation and the end of the first good one (how
 * long that one took is part of the doubt: calibration showed intervals that missed the truth without it); t1 lies in the interval in
 * which the effect began.
 */
export function vantageRecovery(view: RunView, fault: FaultView, vantage: string): VantageRecovery {
  const nothing = { fault: fault.fault, firstBadMs: null, firstGoodMs: null, sustainedMs: null };
  const window = faultWindow(view, fault);
  if (window === null) return { ...nothing, recovery: { state: 'not-measured', reason: `no confirmed effect of ${fault.fault}` } };
  const { effect, endMs } = window;
  const all = view.byVantage.get(vantage) ?? [];
  const samples = all.filter((op) => op.completedMs >= effect.lowerMs && op.intendedMs <= endMs);
  if (samples.length === 0)
    return { ...nothing, recovery: { state: 'not-measured', reason: `no operation of ${vantage} after the effect` } };
  const firstBad = samples.findIndex((op) => !isGood(op, view.scenario.workload));
  if (firstBad < 0) return { ...nothing, recovery: { state: 'no-outage' } };
  const firstGood = samples.slice(firstBad).find((op) => isGood(op, view.scenario.workload));
  const seen = {
    fault: fault.fault,
    firstBadMs: Math.max(samples[firstBad]?.intendedMs ?? 0, effect.lowerMs),
    firstGoodMs: firstGood?.completedMs ?? null,
  };
  const index = firstSustained(samples, view.scenario.workload, firstBad);
  const back = samples[index];
  const before = samples[index - 1];
  if (back === undefined || before === undefined) {
    const lastBad = samples.findLast((op) => !isGood(op, view.scenario.workload));
    const lowerMs = Math.max(0, (lastBad?.intendedMs ?? endMs) - effect.upperMs);
    return { ...seen, sustainedMs: null, recovery: { state: 'censored', lowerMs, vantage, fault: fault.fault } };
  }
  const recovery: RecoveryTime = {
    state: 'recovered',
    lowerMs: Math.max(0, before.intendedMs - effect.upperMs),
    upperMs: back.completedMs - effect.lowerMs,
    vantage,
    fault: fault.fault,
    line: back.line,
    dnsShareMs: dnsShareMs(view, back, effect.lowerMs),
  };
  return { ...seen, sustainedMs: back.completedMs, recovery };
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
