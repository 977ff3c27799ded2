import type { FaultTimeline, VantageMeasurement } from './measurement.ts';
import { eventsOf, faultWindow, type FaultView, type RunView } from './view.ts';

/** Log actions of the engine that name a point of the timeline; shown beside what was measured, never judged. */
const DETECTED = ['primary_suspected'];
const DECIDED = ['primary_confirmed_down', 'failover_initiated'];
const WRITABLE = ['writable'];

export function faultTimeline(view: RunView, fault: FaultView, vantages: readonly VantageMeasurement[]): FaultTimeline {
  const mine = vantages.filter((one) => one.mustRecover).flatMap((one) => one.recovery.filter((r) => r.fault === fault.fault));
  const t1 = fault.t1Ms;
  const logged = (actions: readonly string[]): number | null => {
    const window = faultWindow(view, fault);
    const found = eventsOf(view.events, 'engine-log').find(
      (event) => window !== null && actions.includes(event.action) && event.atMs >= window.effect.lowerMs && event.atMs <= window.endMs,
    );
    return found?.atMs ?? null;
  };
  const recovered = mine.every((one) => one.recovery.state === 'recovered' || one.recovery.state === 'no-outage');
  return {
    fault: fault.fault,
    manifestKind: fault.manifestKind,
    action: fault.action,
    t0InjectCalledMs: fault.t0Ms,
    t1EffectMs: t1,
    t2FirstBadMs: least(mine.map((one) => one.firstBadMs)),
    t3DetectedMs: logged(DETECTED),
    t4DecidedMs: logged(DECIDED),
    t5WritableMs: logged(WRITABLE),
    t6FirstGoodMs: greatest(mine.map((one) => one.firstGoodMs)),
    t7SustainedMs: recovered ? greatest(mine.map((one) => one.sustainedMs)) : null,
    t8VerifiedMs: verifiedMs(view),
    t9HealedMs: fault.healedMs,
    t10RedundancyMs: eventsOf(view.events, 'redundancy-restored').find((event) => event.atMs >= (fault.t0Ms ?? 0))?.atMs ?? null,
    injectionLatencyMs: t1 === null || fault.t0Ms === null ? null : t1.upperMs - fault.t0Ms,
    injectionSkewMs: fault.skewMs,
  };
}

/** When the last region's copy had been read back for comparison; null when one could not be read. */
export function verifiedMs(view: RunView): number | null {
  const copies = eventsOf(view.events, 'readback');
  return copies.length > 0 && copies.every((copy) => copy.ok) ? greatest(copies.map((copy) => copy.atMs)) : null;
}

const known = (values: readonly (number | null)[]): readonly number[] => values.filter((value) => value !== null);
const least = (values: readonly (number | null)[]): number | null =>
  known(values).reduce<number | null>((a, b) => Math.min(a ?? b, b), null);
const greatest = (values: readonly (number | null)[]): number | null =>
  known(values).reduce<number | null>((a, b) => Math.max(a ?? b, b), null);
