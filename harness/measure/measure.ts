import { availability, lagSamples, longestWritePause, measureVantage } from './availability.ts';
import { accountBackups } from './backups.ts';
import { brownOuts } from './brown-out.ts';
import { accountWrites } from './ledger.ts';
import { measureMachine } from './machine.ts';
import type { Interval, Measurement, RecoveryTime, VantageMeasurement } from './measurement.ts';
import { measureReads } from './reads.ts';
import { worstRecovery } from './recovery-time.ts';
import { measureReigns } from './reigns.ts';
import { compareReplicas } from './replicas.ts';
import { faultTimeline, verifiedMs } from './timeline.ts';
import type { RunView } from './view.ts';

/** Events → measurement. Pure: the same events give the same, anywhere. */
export function measure(view: RunView): Measurement {
  const names = [...new Set([...view.byVantage.keys(), ...view.scenario.expect.mustRecover])].toSorted();
  const vantages = names.map((vantage) => measureVantage(view, vantage));
  const faults = view.faults.map((fault) => faultTimeline(view, fault, vantages));
  const recovery = recoveryOf(view, vantages);
  const reignView = measureReigns(view);
  const { reigns, changes, splitBrain } = reignView;
  const reads = measureReads(view, reignView);
  return {
    faults,
    vantages,
    recovery,
    verifiedRecovery: verifiedRecovery(view, recovery),
    writePause: longestWritePause(view),
    brownOuts: brownOuts(view),
    writes: accountWrites(view, reignView, reads.gone),
    reads: reads.account,
    reigns: { reigns, changes, splitBrain },
    replicas: compareReplicas(view),
    availability: availability(view),
    lag: lagSamples(view),
    backups: accountBackups(view, { reigns }),
    machine: measureMachine(view),
  };
}

function recoveryOf(view: RunView, vantages: readonly VantageMeasurement[]): RecoveryTime {
  if (view.faults.length === 0) return { state: 'not-measured', reason: 'no fault was planned' };
  const judged = vantages.filter((one) => one.mustRecover).flatMap((one) => one.recovery.map((each) => each.recovery));
  return worstRecovery(judged);
}

function verifiedRecovery(view: RunView, recovery: RecoveryTime): Interval | null {
  const verified = verifiedMs(view);
  if (recovery.state !== 'recovered' || verified === null) return null;
  const t1 = view.faults.find((fault) => fault.fault === recovery.fault)?.t1Ms;
  return t1 ? { lowerMs: verified - t1.upperMs, upperMs: verified - t1.lowerMs } : null;
}
